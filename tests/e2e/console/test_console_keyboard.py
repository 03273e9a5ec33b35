"""Everything works by keyboard alone, and the focus is where a person expects it."""

from imitation_states import GOOD
from playwright.sync_api import expect

from tests.e2e.console.visits import Visit


def focused(visit: Visit) -> str:
    text: str = visit.page.evaluate(
        "() => ((e) => e.getAttribute('aria-label') || e.innerText || e.tagName)(document.activeElement)"
    )
    return " ".join(text.split())


def tab_to(visit: Visit, name: str, most: int = 120) -> None:
    for _ in range(most):
        if focused(visit).startswith(name):
            return
        visit.press("Tab")
    raise AssertionError(f"{name} is not reached by {most} Tabs")


def test_from_the_start_to_a_copied_query(visit: Visit) -> None:
    """Home, an app, a Date in a strip, its SQL: without a mouse."""
    visit.open()
    visit.press("Tab")
    assert focused(visit) == "Skip to content"
    visit.press("Enter")
    tab_to(visit, "downloads: complete until")
    visit.press("ArrowLeft", "ArrowLeft", "ArrowLeft")
    visit.see(".tip", "downloads · ")
    tab_to(visit, "Polar Notes")
    visit.press("Enter")
    visit.see("main h1", "Polar Notes")
    tab_to(visit, "Copy as Athena SQL: Downloads")
    visit.press("Enter")
    expect(visit.page.locator("dialog[open] pre")).to_be_visible()
    tab_to(visit, "Copy SQL")
    visit.press("Escape")
    expect(visit.page.locator("dialog")).to_have_count(0)
    assert focused(visit).startswith("Copy as Athena SQL: Downloads"), "the focus returns to what opened it"


def test_a_plan_and_cancel(visit: Visit) -> None:
    visit.open("#/runs")
    visit.press("n")
    visit.page.wait_for_selector("dialog[open]")
    assert focused(visit) == "Daily"
    tab_to(visit, "Show the plan")
    visit.press("Enter")
    visit.page.wait_for_selector("dialog .plan")
    assert focused(visit).startswith("Start daily")
    visit.press("Escape")
    expect(visit.page.locator("dialog")).to_have_count(0)
    assert visit.world.started == []


def test_letters_go_and_do_nothing_inside_fields(visit: Visit) -> None:
    visit.open()
    visit.press("g", "r")
    visit.see("main h1", "Runs")
    visit.press("g", "a")
    visit.see("main h1", "apps are complete until")
    visit.press("/")
    visit.page.keyboard.type("grtn")
    visit.settle()
    assert visit.page.input_value("[data-filter]") == "grtn"
    assert "#/apps" in visit.page.url
    visit.press("Escape")


def test_c_compares_and_t_changes_the_theme(visit: Visit) -> None:
    visit.open(f"#/apps/{GOOD.id}")
    assert visit.page.locator(".chart-line.before").count() > 0
    visit.press("c")
    expect(visit.page.locator(".chart .chart-line.before")).to_have_count(0)
    visit.press("t")
    assert visit.page.evaluate("() => document.documentElement.dataset.theme") == "dark"
    visit.page.reload()
    visit.page.wait_for_selector("main h1")
    assert visit.page.evaluate("() => document.documentElement.dataset.theme") == "dark"


def test_tabs_move_with_the_arrow_keys(visit: Visit) -> None:
    visit.open(f"#/apps/{GOOD.id}")
    visit.page.get_by_role("tab", name="Source").focus()
    visit.press("ArrowRight")
    assert focused(visit) == "Territory"
    visit.see(".bar-list", "United States")


def test_a_chart_is_one_stop_and_is_read_date_by_date(visit: Visit) -> None:
    visit.open(f"#/apps/{GOOD.id}")
    chart = visit.page.locator(".chart[role=slider]").first
    chart.focus()
    visit.press("Home")
    first = chart.get_attribute("aria-valuetext")
    visit.press("ArrowRight")
    assert chart.get_attribute("aria-valuetext") != first
    assert chart.get_attribute("aria-valuenow") == "2"
    visit.press("Escape")
    expect(visit.page.locator(".tip")).to_have_count(0)
    assert chart.locator("[tabindex='0'], a, button").count() == 0


def test_a_new_page_takes_the_focus(visit: Visit) -> None:
    visit.open()
    visit.page.get_by_role("link", name="Polar Notes").click()
    visit.see("main h1", "Polar Notes")
    assert visit.page.evaluate("() => document.activeElement.id") == "main"
