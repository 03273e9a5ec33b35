import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
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
from appstore_analytics.report.instructions import Instructions
from appstore_analytics.report.markup import run_page
from appstore_analytics.report.restated_dates import RestatedDates
from appstore_analytics.report.summary import AppSummary, ItemError, RunSummary, summarize

ROOT = Path(__file__).resolve().parents[3]
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
BARS = {"bar", "restated", "bar preliminary", "restated preliminary"}
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
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(markup.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.elements.append((tag, dict(attrs)))

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
    repository_url: str = "",
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
        instructions=Instructions(repository_url),
    )
    return Page(markup)


def chart(values: tuple[tuple[date, Decimal | None], ...], **more: Any) -> Chart:
    return Chart("Total downloads", "", "No updates.", values, **more)


def bars(shown: Page) -> list[str | None]:
    """The classes of the bars; the fills have the first two and more."""
    kinds = [value for name, value in shown.attributes if name == "class" and value in BARS]
    return kinds[2:]


def landed(app_id: str, verdict: Verdict) -> ItemRecord:
    event = {"app_id": app_id, "vintage": "2025-06-01/ONGOING/1"}
    return ItemRecord(f"LAND#{app_id}", event, verdict, facts={"table": "downloads", "processing_date": "2025-06-01"})


def test_the_page_needs_nothing_else_and_runs_nothing() -> None:
    shown = page(changes=[CHANGE], charts=[chart(((DAY, Decimal(1)),))])
    assert not {"script", "link", "img", "iframe", "object"} & set(shown.tags)
    assert not {name for name, _ in shown.attributes} & {"src", "onclick"}
    assert [value for name, value in shown.attributes if name == "href"] == ["index.html"]
    assert ("name", "viewport") in shown.attributes
    assert shown.attributes[shown.attributes.index(("name", "referrer")) + 1] == ("content", "no-referrer")


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


def test_a_chart_has_a_bar_for_every_number_and_fills_those_that_were_restated() -> None:
    numbers = (Decimal(0), Decimal(1), None, Decimal(3), Decimal(4))
    values = tuple((DAY + timedelta(days=number), value) for number, value in enumerate(numbers))
    shown = page(charts=[chart(values, restated=frozenset({DAY}))])
    assert bars(shown) == ["restated", "bar", "bar", "bar"]
    assert shown.texts[shown.texts.index("Total downloads: ") + 1] == "4 on Friday 2025-06-06"
    assert "No updates." in shown.texts


def test_preliminary_dates_are_hatched_and_the_newest_final_one_heads_the_chart() -> None:
    values = tuple((DAY + timedelta(days=number), Decimal(number)) for number in range(5))
    last = DAY + timedelta(days=4)
    drawn = chart(values, restated=frozenset({last}), preliminary=frozenset(day for day, _ in values[3:]))
    shown = page(charts=[drawn])
    assert shown.texts[shown.texts.index("Total downloads: ") + 1] == "2 on Wednesday 2025-06-04"
    assert bars(shown) == ["bar", "bar", "bar", "bar preliminary", "restated preliminary"]
    assert ".bar.preliminary { fill: url(#bar-hatch); }" in shown.text
    assert {("id", "bar-hatch"), ("id", "restated-hatch")} <= set(shown.attributes)
    assert "3 on Thursday 2025-06-05, preliminary" in shown.texts
    only = page(charts=[replace(drawn, preliminary=frozenset(day for day, _ in values))])
    assert only.texts[only.texts.index("Total downloads: ") + 1] == "4 on Friday 2025-06-06, preliminary"


def test_a_week_is_compared_with_the_week_before_and_not_with_other_weekdays() -> None:
    def told(*numbers: int | None, preliminary: int = 0) -> str:
        days = [DAY + timedelta(days=number) for number in range(len(numbers))]
        values = tuple(zip(days, [None if each is None else Decimal(each) for each in numbers], strict=True))
        return ", ".join(chart(values, preliminary=frozenset(days[len(days) - preliminary :])).headline)

    before, after = [10] * 5 + [40, 40], [11] * 5 + [44, 44]
    assert told(*before, *after) == "143 in the 7 Dates to 2025-06-15, +10.0 % on the 7 before"
    assert told(*before, *after, 999, 999, preliminary=2) == told(*before, *after)
    assert told(*after) == "143 in the 7 Dates to 2025-06-08"
    assert told(*[0] * 7, *after) == "143 in the 7 Dates to 2025-06-15"
    assert told(*before[:6], None, *after) == "143 in the 7 Dates to 2025-06-15"
    assert told(*before, *after[:6], None) == "139 in the 7 Dates to 2025-06-14"
    assert told(*before[:6]) == "40 on Saturday 2025-06-07"


@pytest.mark.parametrize(
    "values", [(), ((DAY, Decimal(0)),), ((DAY, Decimal(-3)), (DAY + timedelta(days=1), Decimal(2)))]
)
def test_a_chart_can_be_empty_zero_or_negative(values: tuple[tuple[date, Decimal], ...]) -> None:
    shown = page(charts=[replace(chart(values), unit="USD")])
    heights = [float(value or 0) for name, value in shown.attributes if name == "height"]
    drawn = heights[7:]  # after the fills
    assert len(drawn) == len(values)
    assert all(height > 0 for height in drawn)
    assert (" USD on " in shown.text) == bool(values)


def test_dates_whose_kpis_are_not_built_are_counted() -> None:
    values = ((DAY, None), (DAY + timedelta(days=1), Decimal(2)))
    assert "KPIs not built yet for 1 Date: the daily runs build them." in page(charts=[chart(values, not_built=1)]).text
    assert "not built" not in page(charts=[chart(values)]).text


def test_unknown_columns_are_listed_by_table() -> None:
    summary = replace(summarize(PLAN, NOTHING), unknown_columns={"downloads": ["colour", "size"]})
    shown = page(summary)
    assert shown.texts[shown.texts.index("colour, size") - 1] == "downloads"
    assert "does not know" not in page().text


def test_each_verdict_leads_to_what_to_do_about_it() -> None:
    error = ItemError("LAND#1", Verdict.QUARANTINED, "A column is gone.", "downloads")
    records = {**NOTHING, MapName.LAND: (landed("1000000001", Verdict.QUARANTINED),)}
    skips = {"downloads": {"1000000001": ["2025-05-28"]}}
    summary = replace(
        summarize(PLAN, records), errors=(error,), unknown_columns={"downloads": ["size"]}, skipped_dates=skips
    )
    shown = page(summary, records, repository_url="https://git.example.com/apps/analytics")
    linked = {value for name, value in shown.attributes if name == "href"} - {"index.html"}
    place = "https://git.example.com/apps/analytics/blob/HEAD/docs/operations.md#"
    assert {str(each).removeprefix(place) for each in linked} == {
        "quarantined",
        "verdicts",
        "a-new-column-a-new-report",
        "dates-without-a-row",
    }
    assert [value for name, value in shown.attributes if name == "rel"].count("noreferrer") == len(
        [value for name, value in shown.attributes if name == "href"]
    )


def test_every_linked_chapter_exists() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    chapters = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", chapter.lower()).replace(" ", "-") for chapter in chapters}
    told = Instructions("https://git.example.com/apps/analytics")
    links = [*(told.of_verdict(verdict) for verdict in Verdict), told.of_new_column, told.of_skipped_date]
    assert {link.partition("#")[2] for link in links} <= anchors
    rows = set(re.findall(r"`([a-z ]+)`", "".join(re.findall(r"^\| `[^|]*\|", text, re.MULTILINE))))
    assert {str(verdict) for verdict in Verdict} <= rows


def test_every_table_has_a_caption_and_says_what_its_heads_are_of() -> None:
    records = {**NOTHING, MapName.LAND: (landed("1000000001", Verdict.QUARANTINED),)}
    skips = {"downloads": {"1000000001": ["2025-05-28"]}}
    summary = replace(summarize(PLAN, records), unknown_columns={"downloads": ["size"]}, skipped_dates=skips)
    shown = page(summary, records, changes=[CHANGE])
    assert shown.tags.count("table") == shown.tags.count("caption") == 4
    heads = [attributes for tag, attributes in shown.elements if tag == "th"]
    assert {attributes.get("scope") for attributes in heads} == {"row", "col"}
    scrolling = [attributes for _, attributes in shown.elements if attributes.get("class") == "scroll"]
    assert len(scrolling) == 4
    assert all(each["tabindex"] == "0" and each["aria-label"] for each in scrolling)
    assert shown.text.count("scrolls sideways") == 1, "of these tables only the replaced Dates have many columns"


@given(st.text(min_size=1, max_size=30))
def test_nothing_that_apple_sends_becomes_markup(text: str) -> None:
    hostile = f"<script>{text}</script>"
    error = ItemError(hostile, Verdict.FAILED, f'"><img src=x onerror=alert(1)>{text}', hostile, hostile)
    app = AppSummary("main", "1000000001", Verdict.FAILED, hostile, hostile)
    summary = replace(summarize(PLAN, NOTHING), apps=(app,), errors=(error,))
    shown = page(summary, changes=[{**CHANGE, "table_name": hostile}])
    assert not {"script", "img"} & set(shown.tags)
