"""Tables with invented rows and the types of the Glue tables, for the queries of the documentation."""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb

from appstore_analytics.contract.kpis.stored import KPI_COLUMNS, KPIS_TABLE, STATE_COLUMNS, STATES_TABLE
from appstore_analytics.contract.kpis.views import VIEWS
from appstore_analytics.contract.names import Database
from appstore_analytics.contract.tables import (
    APPSTORE_TABLES,
    PARTITION_COLUMN,
    tables_by_name,
)
from local.aws.trino import Translation, tables_of, translate, with_views

TODAY = date(2026, 11, 25)  # a Wednesday
APPS = (1000000001, 1000000002, 1000000003, 1000000004)

Row = dict[str, Any]
Tables = Mapping[str, Sequence[Row]]

GLUE = {
    (Database.CURATED, table.name): {
        **{column.name: str(column.type) for column in table.columns},
        PARTITION_COLUMN: "date",
    }
    for table in tables_by_name().values()
} | {(Database.APPSTORE, table.name): {**dict(table.columns), PARTITION_COLUMN: "date"} for table in APPSTORE_TABLES}
GLUE[Database.MARTS, STATES_TABLE] = {**{name: kind for name, kind, _ in STATE_COLUMNS}, PARTITION_COLUMN: "date"}
GLUE[Database.MARTS, KPIS_TABLE] = {**{name: kind for name, kind, _ in KPI_COLUMNS}, PARTITION_COLUMN: "date"}

_DUCKDB = {
    "string": "VARCHAR",
    "map<string,string>": "MAP(VARCHAR, VARCHAR)",
    "array<string>": "VARCHAR[]",
    "array<date>": "DATE[]",
}


def translated(sql: str) -> Translation:
    """The query as the embedded Athena runs it; QueryError if Athena would refuse it."""
    sql = with_views(sql, Database.CURATED, _view)
    used = {name: GLUE[name] for name in tables_of(sql, Database.CURATED)}
    return translate(sql, Database.CURATED, used, lambda *_: frozenset({PARTITION_COLUMN}))


def _view(database: str, name: str) -> tuple[str, str] | None:
    found = next((view for view in VIEWS if (database, name) == (Database.MARTS, view.name)), None)
    return (found.query(Database.MARTS), Database.MARTS) if found else None


def answer(sql: str, tables: Tables) -> list[tuple[Any, ...]]:
    """The result of the query on TODAY over these rows, by table name."""
    query = translated(sql.replace("CURRENT_DATE", f"DATE '{TODAY}'"))
    with closing(duckdb.connect()) as database:
        for scan in query.scans:
            types = GLUE[scan.database, scan.table]
            columns = ", ".join(f'"{name}" {_DUCKDB.get(kind, kind)}' for name, kind in types.items())
            database.execute(f"CREATE TABLE {scan.relation} ({columns})")
            rows = tables.get(scan.table, ())
            if rows:  # in one statement, because a statement for each row takes much longer
                row = f"({', '.join('?' * len(types))})"
                cells = [each.get(name) for each in rows for name in types]
                database.execute(f"INSERT INTO {scan.relation} VALUES {', '.join([row] * len(rows))}", cells)
        return database.execute(query.sql).fetchall()


def invented(seed: int) -> Tables:
    """Rows of every table in docs/queries.md, including special cases: letter case, nulls, gaps, repeated runs."""
    draw = random.Random(seed)  # noqa: S311 (no secret)
    return {
        "engagement": list(_curated(draw, 40, event=("Impression", "impression", "Tap", "Page view"))),
        "downloads": list(
            _curated(
                draw, 40, download_type=("First-time download", "First-Time Download", "Redownload", "Auto-update")
            )
        ),
        "purchases": list(_purchases(draw)),
        "crashes_expanded_vintages": list(_crashes(draw)),
        "batches": list(_batches(draw)),
        "restatements": list(_restatements(draw)),
        "segments": list(_segments(draw)),
        "instances": list(_instances(draw)),
        "apps": list(_ends(draw)),
        "verification": list(_verification(draw)),
        "runs": list(_runs(draw)),
        "releases": list(_releases(draw)),
    }


def days(count: int) -> list[date]:
    """The days that end today, oldest first."""
    return [TODAY - timedelta(days=age) for age in range(count - 1, -1, -1)]


def _run_id(day: date, number: int) -> str:
    return f"{day:%Y%m%d}T10000{number}000Z-run"


def _curated(draw: random.Random, count: int, **words: Sequence[str]) -> Iterator[Row]:
    ((column, choices),) = words.items()
    for day in days(count):
        for app in APPS:
            if draw.random() < 0.2:
                continue  # a day without rows
            for _ in range(draw.randint(1, 5)):
                extra = {"Zone": draw.choice("ab")} if draw.random() < 0.2 else None
                yield {
                    "dt": day,
                    "app_id": app,
                    column: draw.choice([*choices, None]),
                    "territory": draw.choice(["US", "NA", "DE", None])
                    if app != APPS[-1]
                    else draw.choice(["US", "JP"]),
                    "counts": draw.choice([0, 1, draw.randint(1, 900)]),
                    "extra": extra | {"Größe": "x"} if extra and draw.random() < 0.5 else extra,
                }


def _purchases(draw: random.Random) -> Iterator[Row]:
    for day in days(430)[::3]:
        for app in APPS[:2]:
            amount = draw.choice([None, Decimal("0.000001"), Decimal(draw.randint(-500, 90_000)) / 1000])
            yield {"dt": day, "app_id": app, "proceeds_in_usd": amount}


def _crashes(draw: random.Random) -> Iterator[Row]:
    for day in days(20):
        for number in range(3):
            for version in ("1.0", "1.1", None):
                yield {
                    "dt": day,
                    "app_id": APPS[0],
                    "processing_date": day + timedelta(days=1),
                    "instance_id": f"i{number}",
                    "is_newest_vintage": number == 2,
                    "app_version": version,
                    "count": draw.randint(0, 9),
                }


def _batches(draw: random.Random) -> Iterator[Row]:
    """Each Date of each app arrives, is replaced with the same or other numbers, removed, and arrives again."""
    for table, measure in (("engagement", "counts"), ("crashes", "count")):
        for app in APPS:
            for day in days(12)[:-1]:
                yield from _history(draw, table, measure, app, day)


def _restatements(draw: random.Random) -> Iterator[Row]:
    """Numbers that changed, appeared or vanished, for each reason, lately and long ago."""
    for number, day in enumerate(days(40)):
        for app in APPS:
            before, now = draw.choice([("10", "12.5"), ("0.000001", "0"), (None, "7"), ("7", None)])
            yield {
                "dt": day,
                "run_id": _run_id(day, number % 3),
                "table_name": draw.choice(["engagement", "purchases"]),
                "date": day - timedelta(days=draw.randint(3, 9)),
                "app_id": app,
                "measure": draw.choice(["rows", "counts"]),
                "replaced_value": before,
                "value": now,
                "cause": draw.choice(["restated", "reprocessed", "taken back"]),
            }


def _history(draw: random.Random, table: str, measure: str, app: int, day: date) -> Iterator[Row]:
    before: Row = {}
    for age in range(1, 7):
        run_day = day + timedelta(days=age)
        if run_day > TODAY or draw.random() < 0.3:
            continue
        is_removed = bool(before) and draw.random() < 0.15
        keeps = bool(before) and before["rows"] and draw.random() < 0.4
        now: Row = {
            "rows": 0 if is_removed else before["rows"] if keeps else draw.randint(1, 50),
            "sums": None if is_removed else before["sums"] if keeps else {measure: str(draw.randint(0, 900))},
            "processing_date": None if is_removed else run_day,
            "instance_id": None if is_removed else f"{table}-{app}-{run_day}",
            "is_final": None if is_removed else age >= 3,
        }
        stood = before if before.get("rows") else {}
        yield {
            "dt": run_day,
            "run_id": _run_id(run_day, draw.randint(0, 3)),
            "table_name": table,
            "date": day,
            "app_id": app,
            **now,
            **{f"replaced_{name}": stood.get(name) for name in now},
        }
        before = now


def _segments(draw: random.Random) -> Iterator[Row]:
    for table in ("engagement", "crashes"):
        for app in APPS:
            for day in days(14):
                for number in range(draw.randint(1, 2)):
                    instance = f"{table}-{app}-{day}"
                    yield {
                        "dt": day,
                        "run_id": _run_id(day, 0),
                        "table_name": table,
                        "app_id": app,
                        "instance_id": instance,
                        "segment_id": f"s{number}",
                        "checksum": f"md5 of {instance}/{number}",
                        "bytes": draw.randint(1, 999),
                        "key": f"raw/{instance}/s{number}.txt.gz",
                    }


def _instances(draw: random.Random) -> Iterator[Row]:
    """Some in one run, some landed in one run and converted in the next, some converted again by a reprocess."""
    for table in ("engagement", "sessions"):
        for app in APPS:
            for day in days(12):
                rows, size = draw.randint(0, 500), draw.randint(1, 9_000)
                for again in range(draw.randint(1, 3)):
                    yield {
                        "dt": min(day + timedelta(days=again), TODAY),
                        "app_id": app,
                        "table_name": table,
                        "instance_id": f"{table}-{app}-{day}",
                        "rows_raw": draw.choice([0, rows]) if again == 0 else rows,
                        "bytes": size,
                    }


def _ends(draw: random.Random) -> Iterator[Row]:
    for day in days(10):
        for app in APPS:
            verdict = draw.choice(["verified", "unchanged", "failed", "not ready", "quarantined"])
            yield {"dt": day, "app_id": app, "verdict": verdict, "reason": f"{verdict} on {day}"}


def _verification(draw: random.Random) -> Iterator[Row]:
    for day in days(9):
        for table in ("engagement", "sessions"):
            for app in APPS:
                yield {
                    "dt": day,
                    "run_id": _run_id(day, 0),
                    "table_name": table,
                    "app_id": app,
                    "equal": draw.random() < 0.8,
                }


def _releases(draw: random.Random) -> Iterator[Row]:
    """Some seen on sale, some inferred, some inferred again by a later run that had older sessions."""
    for app in APPS:
        for number, day in enumerate(days(12)[::3]):
            is_inferred = draw.random() < 0.5
            for run_day in (day, day + timedelta(days=2))[: 1 + is_inferred]:
                yield {
                    "dt": run_day,
                    "run_id": _run_id(run_day, 0),
                    "app_id": app,
                    "platform": "IOS",
                    "version": f"{number}.0",
                    "released_on": day - timedelta(days=draw.randint(0, 2)) if is_inferred else day,
                    "is_inferred": is_inferred,
                }


def _runs(draw: random.Random) -> Iterator[Row]:
    for day in days(40):
        apps = draw.choice([0, 3, 70])
        yield {
            "dt": day,
            "run_id": _run_id(day, 0),
            "operation": "daily",
            "status": draw.choice(["SUCCEEDED", "FAILED"]),
            "apps": apps,
            **{name: draw.randint(0, 999) for name in ("apple_calls", "segments", "bytes", "rows_raw")},
            "seconds": draw.random() * 100,
        }
