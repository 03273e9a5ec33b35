"""The answers to the questions of docs/queries.md, over invented rows, against answers computed here in Python."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.docs.invented_rows import TODAY, Row, Tables, answer, invented
from tests.unit.docs.reading_docs import ROOT

PAGE = (ROOT / "docs" / "queries.md").read_text(encoding="utf-8")
QUESTIONS = dict(re.findall(r"^### (.+?)$(?:(?!^#).)*?^```sql\n(.+?)^```", PAGE, re.DOTALL | re.MULTILINE))
MONDAY = TODAY - timedelta(days=2)

Answer = list[tuple[Any, ...]]


def ago(number: int) -> date:
    return TODAY - timedelta(days=number)


def sums(rows: Iterable[Row], measure: str, *keys: str) -> dict[tuple[Any, ...], Any]:
    """The sum of a measure by these columns; None if it is null in every row."""
    found: dict[tuple[Any, ...], Any] = {}
    for row in rows:
        key = tuple(row[name] for name in keys)
        found.setdefault(key, None)
        if row[measure] is not None:
            found[key] = (found[key] or 0) + row[measure]
    return found


def newest_by_app(rows: Iterable[Row]) -> dict[int, Row]:
    return {row["app_id"]: row for row in sorted(rows, key=lambda row: row["run_id"])}


def changed_dates(tables: Tables) -> Answer:
    rows_of: dict[tuple[str, date], list[Row]] = defaultdict(list)
    for row in tables["batches"]:
        if row["dt"] >= MONDAY:
            rows_of[row["table_name"], row["date"]].append(row)

    def counts(row: Row, name: str) -> int:
        return int((row[name] or {}).get("counts", 0))

    return [
        (
            table,
            day,
            len({row["app_id"] for row in rows}),
            sum(row["rows"] - (row["replaced_rows"] or 0) for row in rows),
            sum(counts(row, "sums") - counts(row, "replaced_sums") for row in rows) if table == "engagement" else None,
        )
        for (table, day), rows in sorted(rows_of.items())
    ]


def corrected_dates(tables: Tables) -> Answer:
    columns = ("run_id", "table_name", "date", "app_id", "replaced_processing_date", "processing_date")
    found = [
        tuple(row[name] for name in (*columns, "replaced_rows", "rows"))
        for row in tables["batches"]
        if row["dt"] >= ago(30)
        and row["replaced_is_final"]
        and (row["rows"], row["sums"]) != (row["replaced_rows"], row["replaced_sums"])
    ]
    found.sort(key=lambda line: line[1:4])
    return sorted(found, key=lambda line: line[0], reverse=True)


def changed_numbers(tables: Tables) -> Answer:
    found = [row for row in by_run(tables["restatements"])[::-1] if row["dt"] >= ago(30) and row["cause"] == "restated"]
    found.sort(key=lambda row: (row["app_id"], row["table_name"], row["date"], row["measure"]))
    found.sort(key=lambda row: row["run_id"], reverse=True)
    names = ("dt", "app_id", "table_name", "date", "measure")
    values = ("replaced_value", "value")
    return [
        (*(row[name] for name in names), *(None if row[name] is None else Decimal(row[name]) for name in values))
        for row in found
    ]


def a_date_before(tables: Tables) -> Answer:
    rows = [
        row
        for row in tables["batches"]
        if row["table_name"] == "engagement" and row["date"] == ago(4) and row["dt"] <= ago(3)
    ]
    return [
        (app, row["rows"], (row["sums"] or {}).get("counts"), row["processing_date"])
        for app, row in sorted(newest_by_app(rows).items())
    ]


def apps_that_lost_data(tables: Tables) -> Answer:
    of_day = {
        day: sums((row for row in tables["engagement"] if row["dt"] == day), "counts", "app_id")
        for day in (ago(4), ago(11))
    }
    lost = [(app, counts) for (app,), counts in of_day[ago(11)].items() if (app,) not in of_day[ago(4)]]
    return sorted(lost, key=lambda line: (-line[1], line[0]))


def ends(tables: Tables) -> Answer:
    found = [
        (row["dt"], row["app_id"], row["verdict"], row["reason"])
        for row in tables["apps"]
        if row["dt"] >= ago(7) and row["verdict"] not in ("verified", "unchanged")
    ]
    return sorted(found, key=lambda line: (-line[0].toordinal(), line[1]))


def files_of_a_date(tables: Tables) -> Answer:
    of_date = [row for row in tables["batches"] if (row["table_name"], row["date"]) == ("engagement", ago(4))]
    instances = {app: row["instance_id"] for app, row in newest_by_app(of_date).items() if row["rows"]}
    columns = ("app_id", "instance_id", "segment_id", "checksum", "bytes", "key")
    return sorted(
        tuple(row[name] for name in columns)
        for row in tables["segments"]
        if row["table_name"] == "engagement" and instances.get(row["app_id"]) == row["instance_id"]
    )


def unknown_columns(tables: Tables) -> Answer:
    rows = [row for row in tables["engagement"] if row["dt"] >= ago(30) and row["extra"]]
    found = []
    for header in {header for row in rows for header in row["extra"]}:
        of = [row for row in rows if header in row["extra"]]
        days = [row["dt"] for row in of]
        found.append((header, len(of), min(row["extra"][header] for row in of), min(days), max(days)))
    return sorted(found, key=lambda line: (-line[1], line[0]))


def verified(tables: Tables) -> Answer:
    rows_of: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in tables["verification"]:
        if row["dt"] >= ago(7):
            rows_of[row["run_id"], row["table_name"]].append(row)
    found = [(*key, len(rows), sum(not row["equal"] for row in rows)) for key, rows in sorted(rows_of.items())]
    return sorted(found, key=lambda line: line[0], reverse=True)


def cost_of_runs(tables: Tables) -> Answer:
    rows = sorted((row for row in tables["runs"] if row["dt"] >= ago(30)), key=lambda row: row["run_id"], reverse=True)
    return [
        (
            *(row[name] for name in ("run_id", "operation", "status", "apps", "apple_calls")),
            row["apple_calls"] / row["apps"] if row["apps"] else None,
            *(row[name] for name in ("segments", "bytes", "rows_raw", "seconds")),
        )
        for row in rows
    ]


def most_rows(tables: Tables) -> Answer:
    each: dict[tuple[int, str, str], tuple[int, int]] = {}
    for row in tables["instances"]:
        if row["dt"] >= ago(7):
            key = (row["app_id"], row["table_name"], row["instance_id"])
            rows, size = each.get(key, (0, 0))
            each[key] = max(rows, row["rows_raw"]), max(size, row["bytes"])
    found: dict[tuple[int, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for (app, table, _), (rows, size) in each.items():
        found[app, table] = found[app, table][0] + rows, found[app, table][1] + size
    return sorted(((*key, *value) for key, value in found.items()), key=lambda line: (-line[2], *line[:2]))[:20]


def downloads_by_type(tables: Tables) -> Answer:
    rows = [
        row | {"type": row["download_type"] and row["download_type"].lower()}
        for row in tables["downloads"]
        if row["dt"] >= ago(28)
    ]
    return [(*key, value) for key, value in sums(rows, "counts", "dt", "type").items()]


def conversion(tables: Tables) -> Answer:
    def of(table: str, is_wanted: Callable[[Row], bool]) -> dict[tuple[Any, ...], int]:
        rows = (
            row | {"territory": row["territory"] or "unknown"}
            for row in tables[table]
            if ago(31) <= row["dt"] <= ago(4) and is_wanted(row)
        )
        return sums(rows, "counts", "app_id", "territory")

    impressions = of("engagement", lambda row: (row["event"] or "").lower() == "impression")
    downloads = of("downloads", lambda row: (row["download_type"] or "").lower().startswith("first"))
    found = [
        (*key, shown, downloads.get(key, 0), downloads.get(key, 0) / shown)
        for key, shown in impressions.items()
        if shown >= 1000
    ]
    return sorted(found, key=lambda line: (-line[4], *line[:2]))


def proceeds_by_month(tables: Tables) -> Answer:
    first = date(2025, 12, 1)
    rows = [row | {"month": row["dt"].replace(day=1)} for row in tables["purchases"] if row["dt"] >= first]
    return [(*key, value) for key, value in sums(rows, "proceeds_in_usd", "app_id", "month").items()]


def crashes(tables: Tables) -> Answer:
    rows = [row for row in tables["crashes_expanded_vintages"] if row["dt"] >= ago(14) and row["instance_id"] == "i2"]
    return [(*key, value) for key, value in sums(rows, "count", "dt", "app_version").items()]


def releases(tables: Tables) -> Answer:
    newest = {(row["app_id"], row["platform"], row["version"]): row for row in by_run(tables["releases"])}
    found = [(*key, row["released_on"], row["is_inferred"]) for key, row in newest.items()]
    return sorted(found, key=lambda line: (*line[:2], line[3] or date.max))


def by_run(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row["run_id"])


ANSWERS: dict[str, Callable[[Tables], Answer]] = {
    "Which Dates changed since Monday, and by how much?": changed_dates,
    "Which final Dates were corrected after all?": corrected_dates,
    "Which final numbers changed, and how?": changed_numbers,
    "What did a Date look like before?": a_date_before,
    "When was a version released?": releases,
    "Which apps lost data against the week before?": apps_that_lost_data,
    "How did each app end in the last days, and why?": ends,
    "From which of Apple's files does a Date come?": files_of_a_date,
    "What does Apple send that the catalogue does not know?": unknown_columns,
    "Does what Athena counted equal what Apple sent?": verified,
    "How many calls, bytes and rows does a run take?": cost_of_runs,
    "Which apps and tables bring the most rows?": most_rows,
    "Downloads by type and Date": downloads_by_type,
    "Impressions to downloads, by territory": conversion,
    "Proceeds by month and app": proceeds_by_month,
    "Crashes, for which Apple states no replacement rule": crashes,
}
UNORDERED = {downloads_by_type, proceeds_by_month, crashes}  # nulls: engines put them first or last


def test_every_question_has_an_answer_computed_apart() -> None:
    assert list(QUESTIONS) == list(ANSWERS)
    assert len(QUESTIONS) == PAGE.count("```sql")


@pytest.mark.parametrize("question", ANSWERS)
def test_a_question_is_answered_as_python_answers_it(question: str) -> None:
    expected_of = ANSWERS[question]
    found = 0
    for seed in range(3):
        tables = invented(seed)
        expected, got = expected_of(tables), answer(QUESTIONS[question], tables)
        if expected_of in UNORDERED:
            expected, got = sorted(expected, key=str), sorted(got, key=str)
        assert [tuple(map(_comparable, line)) for line in got] == [tuple(map(_comparable, line)) for line in expected]
        found += len(expected)
    assert found  # the rows are not trivial


def _comparable(value: Any) -> Any:
    """Sums of counts are decimals in one engine and integers in the other; rates are compared to twelve digits."""
    if isinstance(value, float):
        return round(Decimal(repr(value)), 12)
    return Decimal(value) if isinstance(value, int | Decimal) else value
