"""What Apple restated, as a digest says it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from appstore_analytics.answers.restatements import RestatementLine
from appstore_analytics.model.restatements import ChangeCause
from appstore_console.digest.restated import RestatedMeasure, RestatedTable, restated_tables
from appstore_console.digest.weekly import Week
from appstore_console.digest.words import text_of

DAY, NEXT = date(2025, 5, 30), date(2025, 5, 31)
LINE = RestatementLine(
    app_id="1000000001",
    app_name="Tiny Chess",
    table_name="downloads",
    day=DAY,
    measure="counts",
    before=1200,
    now=1231,
    change=31,
    cause=ChangeCause.RESTATED,
    changed_on=date(2025, 6, 3),
    run_id="20250603T100000000Z-run",
)


def week(tables: tuple[RestatedTable, ...]) -> str:
    return text_of(Week(date(2025, 6, 2), 2, (), tables, ()), "https://console.example.com")


def test_the_dates_of_a_table_are_one_line_with_their_sums() -> None:
    rows = replace(LINE, measure="rows", before=10, now=11)
    (table,) = restated_tables([LINE, rows, replace(LINE, day=NEXT, before=None, now=4)])
    assert table == RestatedTable("Tiny Chess", "downloads", (DAY, NEXT), (RestatedMeasure("counts", 1200, 1235),))
    told = "- Tiny Chess, downloads, 2 Dates 2025-05-30 to 2025-05-31: counts 1,200 → 1,235"
    assert told in week((table,)).splitlines()


def test_of_a_number_that_changed_twice_the_first_and_the_last_value_count() -> None:
    newest = replace(LINE, before=1231, now=1300, run_id="20250604T100000000Z-run")
    (table,) = restated_tables([newest, LINE])
    assert table.measures == (RestatedMeasure("counts", 1200, 1300),)
    (table,) = restated_tables([replace(newest, now=1200), LINE])
    assert table.measures == ()
    assert "2025-05-30: the sums are as before" in week((table,))


def test_two_apps_of_one_name_are_two_lines_and_money_stays_money() -> None:
    proceeds = replace(LINE, app_id="2", measure="proceeds_in_usd", before=Decimal("1.50"), now=Decimal("1002.25"))
    first, second = restated_tables([LINE, proceeds])
    assert (first.app, second.app) == ("Tiny Chess", "Tiny Chess")
    assert "proceeds_in_usd 1.50 → 1,002.25" in week((first, second))
    assert restated_tables([replace(LINE, app_name="")])[0].app == LINE.app_id


@pytest.mark.parametrize("cause", [ChangeCause.REPROCESSED, ChangeCause.TAKEN_BACK])
def test_what_a_person_changed_is_not_apples(cause: ChangeCause) -> None:
    assert restated_tables([replace(LINE, cause=cause)]) == ()
    assert "Apple has restated nothing in the last 7 days." in week(())


def test_the_most_restated_tables_are_named_and_the_others_counted() -> None:
    many = [replace(LINE, app_id=str(number), app_name=f"App {number:02}") for number in range(25)]
    text = week(restated_tables([*many, replace(many[24], day=NEXT)]))
    lines = [line for line in text.splitlines() if line.startswith("- App")]
    assert len(lines) == 20
    assert lines[0].startswith("- App 24")
    assert "… and 5 more." in text
