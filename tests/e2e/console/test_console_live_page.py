"""The page updates by itself. If it cannot, it says so, keeps its figures and starts nothing."""

import pytest
from imitation_states import BACKFILL, GOOD
from playwright.sync_api import expect

from tests.e2e.console.conftest import Visiting
from tests.e2e.console.imitation.portfolio import Portfolio
from tests.e2e.console.imitation.server import World
from tests.e2e.console.visits import Visit

_503 = ["503 (Service Unavailable)", "WebSocket connection"]


def state_of(visit: Visit) -> str:
    return visit.page.locator(".live").get_attribute("data-state") or ""


def until(visit: Visit, state: str) -> None:
    expect(visit.page.locator(".live")).to_have_attribute("data-state", state)


def test_a_nudge_makes_the_page_ask_again(visit: Visit) -> None:
    visit.open()
    until(visit, "live")
    visit.see("main h1", "three apps need attention.")
    visit.world.portfolio = Portfolio(is_well=True)
    visit.server.nudge()
    visit.see("main h1", "nothing needs attention.")


def test_the_socket_is_opened_with_a_ticket_and_no_token_in_an_address(visit: Visit) -> None:
    visit.open()
    until(visit, "live")
    sockets = [url for url in visit.requests if url.endswith("/live")]
    assert len(sockets) == 1
    assert not any("token" in url or "ticket=" in url for url in visit.requests)
    assert "POST live-tickets" in visit.world.asked


def test_a_cut_socket_is_opened_again(visit: Visit) -> None:
    visit.open()
    until(visit, "live")
    visit.world.asked.clear()
    visit.server.cut()
    until(visit, "asking")
    until(visit, "live")
    assert visit.world.asked.count("POST live-tickets") >= 1
    visit.world.portfolio = Portfolio(is_well=True)
    visit.server.nudge()
    visit.see("main h1", "nothing needs attention.")


def test_without_a_socket_the_page_asks_every_five_seconds_during_a_run(visiting: Visiting) -> None:
    visit = visiting(World(is_live=False, is_running=True))
    visit.expected.append("WebSocket connection")
    visit.page.clock.install()
    visit.open()
    until(visit, "asking")
    visit.see(".live", "Every 5 s")
    visit.world.portfolio = Portfolio(is_well=True)
    visit.page.clock.run_for(8_000)
    visit.see("main h1", "nothing needs attention.")


def test_a_hidden_tab_asks_nothing(visiting: Visiting) -> None:
    visit = visiting(World(is_live=False, is_running=True))
    visit.expected.append("WebSocket connection")
    visit.page.clock.install()
    visit.open()
    until(visit, "asking")
    visit.page.evaluate("() => Object.defineProperty(document, 'visibilityState', { value: 'hidden' })")
    visit.settle()
    visit.world.asked.clear()
    visit.page.clock.run_for(20_000)
    assert [asked for asked in visit.world.asked if asked.startswith("GET")] == []


def test_an_outage_keeps_the_figures_and_tells_their_age(visiting: Visiting) -> None:
    visit = visiting()
    visit.expected += _503
    visit.page.clock.install()
    visit.open()
    until(visit, "live")
    visit.world.outage, visit.world.is_live = 503, False
    visit.server.cut()
    visit.page.clock.run_for(3_000)
    visit.server.nudge()
    visit.page.clock.run_for(70_000)
    until(visit, "off")
    visit.see(".stale", "The server has not answered since 10:24 UTC.")
    visit.see("main h1", "apps are complete until"), "what is known stays"
    visit.world.outage, visit.world.is_live = 0, True
    # at once: a click waits until the button rests, and meanwhile the page may try again by itself
    visit.page.get_by_role("button", name="Try now").dispatch_event("click")
    expect(visit.page.locator(".stale")).to_have_count(0)
    visit.page.clock.run_for(3_000)
    until(visit, "live")


def test_actions_wait_while_nothing_answers(visiting: Visiting) -> None:
    visit = visiting()
    visit.expected += _503
    visit.page.clock.install()
    visit.open("#/runs")
    visit.world.outage, visit.world.is_live = 503, False
    visit.server.cut()
    visit.page.clock.run_for(90_000)
    until(visit, "off")
    start = visit.page.get_by_role("button", name="Start a run")
    expect(start).to_have_attribute("aria-disabled", "true")
    start.hover()
    visit.see(".tip", "Disabled until the server answers again")


def test_a_lost_answer_never_starts_a_run_twice(visit: Visit) -> None:
    """The start arrived but its answer was lost: confirming the same plan again returns the same run."""
    visit.expected += _503
    visit.open(BACKFILL)
    visit.page.get_by_role("button", name="Show the plan").click()
    visit.page.wait_for_selector("dialog .plan")
    visit.page.route("**/api/v1/runs", lambda route: (route.fetch(), route.fulfill(status=503))[-1])
    visit.page.get_by_role("button", name="Start backfill").click()
    visit.see("dialog [role=alert]", "did not get an answer")
    visit.page.unroute("**/api/v1/runs")
    visit.page.get_by_role("button", name="Start backfill").click()
    expect(visit.page.locator("dialog")).to_have_count(0)
    assert len(set(visit.world.started)) == 1


def test_an_expired_token_is_renewed_without_a_word(visit: Visit) -> None:
    visit.open()
    visit.world.asked.clear()
    visit.page.evaluate(
        "() => { performance.now = ((real) => () => real() + 7_200_000)(performance.now.bind(performance)); }"
    )
    visit.go(f"#/apps/{GOOD.id}")
    visit.see("main h1", GOOD.name)


def test_whoever_is_signed_out_elsewhere_signs_in_again_and_stays_where_they_were(visit: Visit) -> None:
    visit.expected += ["401"]
    visit.open("#/runs?operation=daily")
    visit.world.is_signed_in = False
    visit.page.evaluate(
        "() => { performance.now = ((real) => () => real() + 7_200_000)(performance.now.bind(performance)); }"
    )
    visit.server.nudge()
    visit.see("main h1", "Sign in")
    assert visit.page.url.endswith("#/runs?operation=daily")


@pytest.mark.parametrize("ahead", [-3600, 3600])
def test_a_clock_that_is_an_hour_off_changes_nothing(visiting: Visiting, ahead: int) -> None:
    """The server's clock counts, not the laptop's."""
    visit = visiting(World(clock_ahead=ahead))
    visit.open()
    visit.see(".live .as-of", "11:24 UTC" if ahead > 0 else "09:24 UTC")
    visit.see("main h1", "Today’s run succeeded")


def test_a_laptop_that_slept_looks_at_once(visiting: Visiting) -> None:
    visit = visiting()
    visit.page.clock.install()
    visit.open()
    until(visit, "live")
    visit.world.portfolio = Portfolio(is_well=True)
    visit.page.clock.fast_forward(7_200_000)
    visit.page.clock.run_for(2_000)
    visit.see("main h1", "nothing needs attention.")


def test_a_page_that_opens_during_an_outage_comes_by_itself(visiting: Visiting) -> None:
    visit = visiting(World(outage=503))
    visit.expected += _503
    visit.open()
    visit.see("main h1", "The console’s server does not answer. Your data is not affected.")
    visit.see("main", "Trying again in")
    visit.world.outage = 0
    visit.see("main h1", "apps are complete until")


def test_nothing_jumps_while_an_answer_is_awaited(visiting: Visiting) -> None:
    """A frame appears after 400 ms, never a spinner; before that nothing."""
    visit = visiting(World(delay=0.9))
    visit.page.goto(visit.server.url + "#/apps")
    visit.page.wait_for_selector(".invisible .ghost", state="attached")
    visit.page.wait_for_function("() => document.querySelector('.ghost') && !document.querySelector('.invisible')")
    visit.see("main h1", "apps are complete until")
