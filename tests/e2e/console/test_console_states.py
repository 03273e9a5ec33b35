"""Every page and state, in both themes and at every width: complete, accessible, and without errors."""

import pytest
from imitation_states import STATES, State
from playwright.sync_api import expect

from tests.e2e.console.conftest import Visiting
from tests.e2e.console.visits import WIDTHS, Visit


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_a_page_is_whole(visiting: Visiting, state: State) -> None:
    """One visit for all checks: a page is opened once and inspected in every way."""
    visit = visiting(state.world())
    state.open(visit)
    expect(visit.page.locator("h1")).to_have_count(1)
    assert visit.page.title().endswith("App Store Analytics")
    assert _doubled_ids(visit) == []
    assert visit.violations() == []
    visit.page.emulate_media(color_scheme="dark")
    assert visit.violations("color-contrast") == []
    assert list(_too_wide(visit)) == []
    assert list(_too_wide_at_double_size(visit)) == []


def _doubled_ids(visit: Visit) -> list[str]:
    ids: list[str] = visit.page.evaluate("() => [...document.querySelectorAll('[id]')].map((element) => element.id)")
    return sorted({each for each in ids if ids.count(each) > 1})


def _too_wide(visit: Visit) -> list[str]:
    found = []
    for width in WIDTHS:
        visit.page.set_viewport_size({"width": width, "height": 800})
        visit.settle()
        page, window = visit.widths()
        if page != window:
            found.append(f"{page} px at {width}: {visit.beyond_the_edge()}")
    return found


def _too_wide_at_double_size(visit: Visit) -> list[str]:
    """Zoom halves the window's size; some people enlarge only the text instead."""
    visit.page.set_viewport_size({"width": 640, "height": 512})
    visit.page.evaluate("() => { document.documentElement.style.fontSize = '200%'; }")
    visit.settle()
    page, window = visit.widths()
    return [] if page == window else [f"{page} px at 640 with text of 200 %: {visit.beyond_the_edge()}"]
