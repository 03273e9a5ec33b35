from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.model.items import ItemRecord
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.report.charts import Chart
from appstore_analytics.report.markup import run_page
from appstore_analytics.report.restated_dates import RestatedDates
from appstore_analytics.report.summary import AppSummary, ItemError, RunSummary, summarize

DAY = date(2025, 6, 2)
PLAN = RunPlan(
    run_id="20250602T100000000Z-morning",
    operation=Operation.DAILY,
    as_of=DAY,
    started_at=datetime(2025, 6, 2, 10, 0, tzinfo=UTC),
    accounts=(Account("main", ("1000000001", "1000000002")),),
    reports=("App Downloads Standard",),
    granularities=(Granularity.DAILY,),
    calls_per_hour=3500,
)
BARS = {"bar", "restated", "bar incomplete", "restated incomplete"}
NOTHING: dict[MapName, Sequence[ItemRecord]] = dict.fromkeys(MapName, ())
CHANGE = {
    "table_name": "downloads",
    "date": "2025-05-30",
    "app_id": 1000000001,
    "processing_date": "2025-06-01",
    "rows": 11,
    "replaced_processing_date": "2025-05-31",
    "replaced_rows": 12,
}


class Page(HTMLParser):
    """A browser's reading of the page: texts, tags, classes and addresses."""

    def __init__(self, markup: bytes) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(markup.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.texts)


def page(
    summary: RunSummary | None = None,
    records: dict[MapName, Sequence[ItemRecord]] = NOTHING,
    changes: Sequence[dict[str, Any]] = (),
    charts: Sequence[Chart] = (),
) -> Page:
    planned_at = {
        name: PLAN.started_at + timedelta(seconds=10 * number)
        for number, name in enumerate((MapName.REGISTER, MapName.LAND))
    }
    restated = RestatedDates()
    for change in changes:
        restated.add(change)
    markup = run_page(
        PLAN,
        summary or summarize(PLAN, records),
        records,
        seconds=75,
        planned_at=planned_at,
        restated=restated,
        charts=charts,
    )
    return Page(markup)


def landed(app_id: str, verdict: Verdict) -> ItemRecord:
    event = {"app_id": app_id, "vintage": "2025-06-01/ONGOING/1"}
    return ItemRecord(f"LAND#{app_id}", event, verdict, facts={"table": "downloads", "processing_date": "2025-06-01"})


def test_the_page_needs_nothing_else_and_runs_nothing() -> None:
    shown = page(changes=[CHANGE], charts=[Chart("Downloads", ((DAY, Decimal(1)),), frozenset())])
    assert not {"script", "link", "img", "iframe", "object"} & set(shown.tags)
    assert not {name for name, _ in shown.attributes} & {"href", "src", "onclick"}
    assert ("name", "viewport") in shown.attributes


def test_a_good_day_says_so_and_a_bad_one_says_why() -> None:
    good = page(replace(summarize(PLAN, NOTHING), apps=(), errors=()))
    assert "succeeded" in good.text
    bad = page(
        replace(summarize(PLAN, NOTHING), errors=(ItemError("LAND#1", Verdict.QUARANTINED, "A column is gone."),))
    )
    assert "failed" in bad.text
    assert "A column is gone." in bad.text


def test_what_athena_counted_is_beside_what_was_published_and_not_beside_what_came_from_apple() -> None:
    totals = summarize(PLAN, NOTHING).totals | {"rows_raw": 1200, "rows_curated": 1300, "rows_athena": 1300}
    texts = page(replace(summarize(PLAN, NOTHING), totals=totals)).texts
    assert texts[texts.index("rows in Apple's new files") + 1] == "1,200"
    beginning = texts.index("rows of these Dates, all apps")
    assert texts[beginning : beginning + 4 : 2] == ["rows of these Dates, all apps", "of them counted by Athena"]
    assert texts[beginning + 1 : beginning + 4 : 2] == ["1,300", "1,300"]


def test_the_grid_says_how_every_table_of_every_app_ended() -> None:
    facts = {"tables": ["downloads"], "converted": ["downloads"]}
    listed = ItemRecord("REGISTER#1000000002", {"app_id": "1000000002"}, Verdict.UNCHANGED, facts=facts)
    records = {
        **NOTHING,
        MapName.REGISTER: (listed,),
        MapName.LAND: (landed("1000000001", Verdict.QUARANTINED),),
    }
    shown = page(summarize(PLAN, records), records)
    titles = {value for name, value in shown.attributes if name == "title"}
    assert {"downloads: quarantined", "downloads: unchanged"} <= titles


def test_failures_come_first_and_what_does_not_fit_is_counted() -> None:
    apps = tuple(AppSummary("main", str(number), Verdict.VERIFIED) for number in range(1000, 1400))
    summary = replace(summarize(PLAN, NOTHING), apps=(*apps, AppSummary("main", "2000", Verdict.FORBIDDEN)), errors=())
    shown = page(summary)
    assert shown.texts.index("2000") < shown.texts.index("1000")
    assert "And 101 more apps, none of which ended worse." in shown.text


def test_replaced_dates_show_how_many_rows_stood_and_stand() -> None:
    first_time = {**CHANGE, "replaced_rows": None, "replaced_processing_date": None, "date": "2025-05-31"}
    other_app = {**CHANGE, "app_id": 1000000002, "rows": 30, "replaced_rows": 20}
    shown = page(changes=[CHANGE, first_time, other_app])
    beginning = shown.texts.index("What Apple replaced")
    row = shown.texts.index("downloads", beginning)
    assert [text for text in shown.texts[row:] if text.strip()][:6] == [
        "downloads",
        "2025-05-30",
        "2",
        "32",
        "41",
        "+9",
    ]
    assert "2025-05-31" not in shown.texts[beginning:]
    assert "What Apple replaced" not in page(changes=[first_time]).text


def test_skipped_dates_are_a_notice_with_the_dates_as_spans() -> None:
    days = ["2025-05-28", "2025-05-30", "2025-05-31", "2025-06-01"]
    skips = {"downloads": {"1000000001": days}, "engagement_weekly": {"1000000002": ["2025-05-12", "2025-05-19"]}}
    shown = page(replace(summarize(PLAN, NOTHING), apps=(), skipped_dates=skips))
    assert "succeeded" in shown.text
    assert {"2025-05-28, 2025-05-30 to 2025-06-01", "2025-05-12 to 2025-05-19"} <= set(shown.texts)
    assert "has no rows of these Dates" in shown.text
    many = {"downloads": {str(number): days for number in range(1000, 1130)}}
    assert "And 30 more apps and tables." in page(replace(summarize(PLAN, NOTHING), skipped_dates=many)).text
    assert "Dates without a row" not in page().text


def test_a_chart_has_a_bar_for_every_date_and_fills_those_that_were_restated() -> None:
    values = tuple((DAY + timedelta(days=number), Decimal(number)) for number in range(5))
    shown = page(charts=[Chart("Downloads", values, frozenset({DAY}))])
    assert shown.tags.count("rect") == 5
    assert [value for name, value in shown.attributes if name == "class"].count("restated") == 1
    assert shown.texts[shown.texts.index("Downloads: ") + 1] == "4 on 2025-06-06"


def test_a_chart_says_which_dates_are_incomplete_and_is_headed_by_the_newest_other_one() -> None:
    values = tuple((DAY + timedelta(days=number), Decimal(number)) for number in range(5))
    chart = Chart("Downloads", values, frozenset({DAY + timedelta(days=4)}), frozenset(day for day, _ in values[3:]))
    shown = page(charts=[chart])
    assert shown.texts[shown.texts.index("Downloads: ") + 1] == "2 on 2025-06-04"
    kinds = [value for name, value in shown.attributes if name == "class" and value in BARS]
    assert kinds == ["bar", "bar", "bar", "bar incomplete", "restated incomplete"]
    assert "3 on 2025-06-05, incomplete" in shown.texts
    only = page(charts=[replace(chart, incomplete=frozenset(day for day, _ in values))])
    assert only.texts[only.texts.index("Downloads: ") + 1] == "4 on 2025-06-06, incomplete"


@pytest.mark.parametrize(
    "values", [(), ((DAY, Decimal(0)),), ((DAY, Decimal(-3)), (DAY + timedelta(days=1), Decimal(2)))]
)
def test_a_chart_can_be_empty_zero_or_negative(values: tuple[tuple[date, Decimal], ...]) -> None:
    shown = page(charts=[Chart("Proceeds in USD", values, frozenset())])
    heights = [float(value or 0) for name, value in shown.attributes if name == "height"]
    assert len(heights) == len(values)
    assert all(height > 0 for height in heights)


@given(st.text(min_size=1, max_size=30))
def test_nothing_that_apple_sends_becomes_markup(text: str) -> None:
    hostile = f"<script>{text}</script>"
    error = ItemError(hostile, Verdict.FAILED, f'"><img src=x onerror=alert(1)>{text}', hostile, hostile)
    app = AppSummary("main", "1000000001", Verdict.FAILED, hostile, hostile)
    summary = replace(summarize(PLAN, NOTHING), apps=(app,), errors=(error,))
    shown = page(summary, changes=[{**CHANGE, "table_name": hostile}])
    assert not {"script", "img"} & set(shown.tags)
