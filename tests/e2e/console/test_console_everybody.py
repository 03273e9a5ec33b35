"""Accessibility: other colours, no motion, other languages, unusual names."""

import pytest
from imitation_states import GOOD

from tests.e2e.console.conftest import Visiting
from tests.e2e.console.imitation.portfolio import App
from tests.e2e.console.imitation.server import World
from tests.e2e.console.visits import Visit


def test_forced_colours_keep_letters_and_edges(visiting: Visiting) -> None:
    visit = visiting(forced_colors="active")
    visit.open()
    assert "Q" in visit.all_texts(".cell.bad")
    edges = visit.page.evaluate(
        "() => [...document.querySelectorAll('.cell')].map((each) => getComputedStyle(each).borderTopStyle)"
    )
    assert set(edges) == {"solid"}
    said = visit.page.evaluate("() => getComputedStyle(document.querySelector('.cell.good'), '::before').content")
    assert said == '"✓"'


def test_in_grey_the_verdicts_are_still_told_apart(visit: Visit) -> None:
    """Letters, hatching and edges tell all kinds of cells apart without colour."""
    visit.open()
    kinds = visit.page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll('.strip .cell')].map((each) => {
            const style = getComputedStyle(each);
            const hatched = style.backgroundImage !== 'none';
            return [[...each.classList].join(' '), each.innerText + hatched + (style.boxShadow === 'none')];
        }))"""
    )
    plain = {name: look for name, look in kinds.items() if "restated" not in name}
    assert len(set(plain.values())) == len(plain)


def test_nothing_moves_for_those_who_do_not_want_it(visiting: Visiting) -> None:
    visit = visiting(World(is_running=True), reduced_motion="reduce")
    visit.open("#/runs")
    moving = visit.page.evaluate(
        """() => [...document.querySelectorAll('*')].filter((each) => {
            const style = getComputedStyle(each);
            const moves = style.transitionDuration !== '0s' && !['none', 'all'].includes(style.transitionProperty);
            return style.animationName !== 'none' || moves;
        }).length"""
    )
    assert moving == 0


@pytest.mark.parametrize(("locale", "number"), [("de-DE", "19.546"), ("ja-JP", "19,546"), ("en-US", "19,546")])
def test_numbers_are_written_as_the_reader_writes_them(visiting: Visiting, locale: str, number: str) -> None:
    visit = visiting(locale=locale)
    visit.open("#/apps?q=quiet+notes")
    assert visit.text(".apps tbody .measure").startswith(number)
    visit.go(f"#/apps/{GOOD.id}")
    visit.see(".tile[aria-pressed=true] .figure", number)
    page, window = visit.widths()
    assert page == window


@pytest.mark.parametrize("number", [6, 8, 13, 21])
def test_any_name_stays_in_its_place(visiting: Visiting, number: int) -> None:
    """Sixty letters, right-to-left, Japanese, and with markup characters."""
    app = App(number)
    visit = visiting(viewport={"width": 390, "height": 800})
    visit.open(f"#/apps/{app.id}")
    assert visit.text("main h1") == app.name
    visit.go(f"#/apps?q={app.id}")
    visit.page.wait_for_function("() => document.querySelectorAll('.apps tbody tr').length === 1")
    assert visit.text(".apps td.app a") == app.name
    page, window = visit.widths()
    assert page == window
    assert visit.page.locator(".apps td.app b").count() == 0, "a name is text, whatever it looks like"


def test_the_page_can_be_read_from_the_right(visit: Visit) -> None:
    """Pages must work right to left: nothing is positioned by left or right."""
    visit.open()
    visit.page.evaluate("() => { document.documentElement.dir = 'rtl'; }")
    visit.settle()
    for width in (390, 1440):
        visit.page.set_viewport_size({"width": width, "height": 800})
        visit.page.wait_for_timeout(50)
        page, window = visit.widths()
        assert page == window
    brand = visit.page.locator(".brand").bounding_box()
    assert brand
    assert brand["x"] > 1000
