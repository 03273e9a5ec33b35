"""Charts show the state of numbers: final, not final, missing, restated, bound."""

import csv
import io
import re

import pytest
from imitation_states import GOOD, LATE
from playwright.sync_api import expect

from appstore_analytics.contract.kpis import KPIS_BY_NAME
from appstore_analytics.rules.date_verdicts import DateVerdict
from tests.e2e.console.conftest import Visiting
from tests.e2e.console.imitation import numbers
from tests.e2e.console.imitation.portfolio import App, Portfolio
from tests.e2e.console.imitation.server import World
from tests.e2e.console.visits import Visit, read_number

PORTFOLIO = Portfolio()


def numbers_of(metric: str, app: App = GOOD) -> numbers.ReportedSeries:
    return numbers.series_of(PORTFOLIO, KPIS_BY_NAME[metric], (app,), 28)


def table_of(visit: Visit) -> list[list[str]]:
    visit.page.get_by_role("button", name="As table").click()
    rows = visit.page.locator(".main-table tbody tr")
    return [[" ".join(cell.split()) for cell in row.locator("th, td").all_inner_texts()] for row in rows.all()]


def spoken_at(visit: Visit, place: int) -> str:
    """What the chart says of a Date, by keyboard."""
    chart = visit.page.locator(".chart[role=slider]").first
    chart.focus()
    visit.press("Home")
    for _ in range(place):
        visit.press("ArrowRight")
    return chart.get_attribute("aria-valuetext") or ""


def test_tile_chart_table_and_file_are_the_same_numbers(visit: Visit) -> None:
    series = numbers_of("total_downloads")
    final = [point for point in series.points if point.is_final]
    visit.open(f"#/apps/{GOOD.id}")
    tile = read_number(visit.text(".tile[aria-pressed=true] .figure"))
    assert tile == series.total.value == sum(point.value for point in final if point.value is not None)

    rows = table_of(visit)
    by_date = {row[0]: row for row in rows}
    assert sum(read_number(row[1]) for row in rows if row[3] != "~ preliminary") == tile
    assert len(rows) == len(series.points)

    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="CSV").click()
    lines = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8"))))
    assert sum(float(line["value"]) for line in lines if line["state"] == "final") == tile

    visit.page.get_by_role("button", name="As chart").click()
    chart = visit.page.locator(".chart[role=slider]").first
    chart.focus()
    visit.press("Home")
    spoken = []
    for _ in rows:
        spoken.append(chart.get_attribute("aria-valuetext") or "")
        visit.press("ArrowRight")
    for sentence in spoken:
        date, rest = re.split(r"(?:, not final)?\. ", sentence, maxsplit=1)
        assert read_number(rest.split(": ")[1].split(".")[0]) == read_number(by_date[date][1])


def test_the_apps_page_and_the_tile_are_the_same_number(visit: Visit) -> None:
    visit.open("#/apps?q=quiet+notes")
    row = visit.text(".apps tbody tr .measure")
    visit.go(f"#/apps/{GOOD.id}")
    visit.see("main h1", GOOD.name)
    visit.settle()
    assert row.startswith(visit.text(".tile[aria-pressed=true] .figure"))


def test_a_date_that_is_not_final_is_in_no_tile_and_is_hatched(visit: Visit) -> None:
    visit.open(f"#/apps/{GOOD.id}")
    assert visit.page.locator(".chart-line.open").first.get_attribute("d")
    expect(visit.page.locator(".tiles ~ .body rect[fill^='url']")).to_have_count(1)
    visit.see(".chart", "not final")
    chart = visit.page.locator(".chart[role=slider]").first
    chart.focus()
    visit.press("End")
    assert "not final" in (chart.get_attribute("aria-valuetext") or "")
    assert "Apple completes it on" in visit.text(".tip")
    assert "▲" not in visit.text(".tip"), "no change of what still grows"
    assert "▼" not in visit.text(".tip")


def test_a_missing_date_is_a_gap_with_its_letter_and_never_zero(visit: Visit) -> None:
    visit.open(f"#/apps/{LATE.id}?metric=impressions")
    assert visit.text(".tile[aria-pressed=true] .beside") == "L 1 Date missing"
    assert visit.all_texts(".chart-gap-letter") == ["L"]
    path = visit.page.locator(".chart-line:not(.open):not(.before)").last.get_attribute("d") or ""
    assert path.count("M") == 2, "the line is interrupted"
    missing = [row for row in table_of(visit) if row[3] == "L missing"]
    assert [row[1] for row in missing] == ["–"]


def test_a_restated_date_shows_old_and_new(visit: Visit) -> None:
    series = numbers_of("sessions")
    restated = [point for point in series.points if point.restated_on]
    visit.open(f"#/apps/{GOOD.id}?metric=sessions")
    expect(visit.page.locator(".chart path.chart-restated")).to_have_count(len(restated))
    first = restated[-1]
    shown = next(row for row in table_of(visit) if row[0].endswith(f"{first.day.day} {first.day:%b}"))
    assert shown[3].startswith("◆ restated, was ")
    assert read_number(shown[3].split("was ")[1]) == round(first.restated_from or 0)


def test_where_the_former_value_is_not_known_the_totals_behind_it_are_told(visit: Visit) -> None:
    points = numbers_of("total_downloads").points
    place = next(number for number, point in enumerate(points) if point.restated_on)
    assert points[place].restated_from is None
    visit.open(f"#/apps/{GOOD.id}")
    restated = [point for point in points if point.restated_on]
    expect(visit.page.locator(".chart path.chart-restated")).to_have_count(len(restated))
    assert "In all of downloads: counts 8,300 → 10,000." in spoken_at(visit, place)


def test_versions_and_notes_are_flags_on_their_days(visit: Visit) -> None:
    points = numbers_of("total_downloads").points
    places = {(points[-1].day - point.day).days + 1: number for number, point in enumerate(points)}
    visit.open(f"#/apps/{GOOD.id}")
    flags = visit.page.locator(".chart path.chart-flag")
    expect(flags, "the note about 4.2.1 stands for the version too").to_have_count(4)
    assert "⚑ 4.2.0 (first sessions: released then or earlier)" in spoken_at(visit, places[26])
    assert "⚑ 4.2.1 in all stores" in spoken_at(visit, places[15])
    assert "⚑ Spring sale" in spoken_at(visit, places[10])
    expect(visit.page.locator(".chart-release-name", has_text="4.3.0")).to_have_count(1)


def test_a_bound_carries_its_sign_everywhere(visit: Visit) -> None:
    visit.open(f"#/apps/{GOOD.id}?metric=active_devices")
    assert visit.text(".tile[aria-pressed=true] .figure").startswith("≤ ")
    assert visit.text(".panel > .foot .sign") == "≤"
    assert all(row[1].startswith("≤ ") for row in table_of(visit) if row[1] != "–")


def test_growth_is_told_without_colour(visit: Visit) -> None:
    visit.open()
    colours = visit.page.evaluate(
        "() => [...document.querySelectorAll('.apps .change')].map((each) => getComputedStyle(each).color)"
    )
    assert len(set(colours)) <= 2, "one for small changes, the ink of numbers for big ones"


def test_a_cell_of_many_apps_names_the_worst_and_how_many(visit: Visit) -> None:
    visit.open()
    row = visit.page.get_by_role("slider", name="downloads")
    row.focus()
    visit.press("End", "ArrowLeft", "ArrowLeft", "ArrowLeft")
    assert visit.text(".tip p:nth-child(2)") == "1 of 70 quarantined, 69 not"
    assert visit.text(".strip-row:nth-child(2) .few") == "68 of 70"


@pytest.mark.parametrize("verdict", [each for each in DateVerdict if each is not DateVerdict.NONE])
def test_letter_word_and_sentence_go_together(visiting: Visiting, verdict: DateVerdict) -> None:
    """In the list of verdicts, which uses the same components as badges and cells."""
    visit = visiting(World())
    visit.open()
    visit.press("?")
    row = visit.page.locator(".verdict-list li").filter(has=visit.page.get_by_text(str(verdict), exact=True))
    mark, word, sentence = (" ".join(text.split()) for text in row.locator(".mark, .word, .soft").all_inner_texts())
    assert word == str(verdict)
    assert len(mark) == 1
    assert len(sentence) > 20


def test_an_unknown_number_is_a_dash_and_not_zero(visit: Visit) -> None:
    visit.open(f"#/apps?q={App(11).id}")
    measures = visit.all_texts(".apps tbody tr .measure")
    assert all(text.startswith("–") for text in measures)


def test_a_tile_without_a_value_says_why_and_nothing_of_a_change(visit: Visit) -> None:
    visit.open(f"#/apps/{App(11).id}")
    assert set(visit.all_texts(".tile .figure")) == {"–"}
    assert set(visit.all_texts(".tile .beside")) == {"no final Date yet"}
