"""The cost of a visit, its requests, and the Back button."""

from collections import Counter

from imitation_states import GOOD
from playwright.sync_api import expect

from infra.console.browser_files import browser_files
from tests.e2e.console.conftest import Visiting
from tests.e2e.console.imitation.portfolio import Portfolio
from tests.e2e.console.imitation.server import World
from tests.e2e.console.visits import Visit

MOST_REQUESTS = 8
MOST_ROWS = 60


def test_a_first_visit_asks_for_few_files(visiting: Visiting) -> None:
    visit = visiting(World(is_signed_in=False))
    visit.open("#/apps", heading="main form")
    assert len(visit.requests) <= MOST_REQUESTS
    assert {url.removeprefix(visit.server.url) for url in visit.requests} - {"#/apps"} <= {
        "",
        *(path for path in browser_files() if path != "index.html"),
    }


def test_one_page_asks_each_question_once(visit: Visit) -> None:
    visit.open(f"#/apps/{GOOD.id}")
    questions = Counter(url for url in visit.requests if "/api/v1/" in url)
    assert [url for url, times in questions.items() if times > 1 and "live" not in url] == []


def test_a_thousand_apps_are_one_page_of_rows(visiting: Visiting) -> None:
    visit = visiting(World(Portfolio(1000)))
    visit.open()
    rows = visit.page.locator("main tr")
    assert rows.count() <= MOST_ROWS
    visit.see(".panel:has(.apps) .foot", "1–50 of 1,000 apps")
    visit.page.get_by_role("button", name="Next").click()
    visit.see(".panel:has(.apps) .foot", "51–100 of 1,000 apps")
    assert rows.count() <= MOST_ROWS


def test_back_restores_the_page_and_the_place(visit: Visit) -> None:
    visit.open("#/apps?sort=name")
    visit.page.mouse.wheel(0, 900)
    visit.page.wait_for_function("() => scrollY > 500")
    visit.page.wait_for_timeout(100)
    before = visit.page.evaluate("() => scrollY")
    visit.page.get_by_role("link", name="Harbour Garden").click()
    visit.see("main h1", "Harbour Garden")
    assert visit.page.evaluate("() => scrollY") == 0
    visit.page.go_back()
    visit.see("main h1", "apps are complete until")
    visit.page.wait_for_function("(top) => Math.abs(scrollY - top) < 3", arg=before)
    assert "sort=name" in visit.page.url


def test_what_is_chosen_stands_in_the_address(visit: Visit) -> None:
    visit.open()
    visit.page.get_by_role("button", name="Impressions").click()
    visit.settle()
    visit.page.get_by_role("button", name="late").click()
    visit.settle()
    assert "sort=-impressions" in visit.page.url
    assert "verdict=late" in visit.page.url
    visit.page.reload()
    visit.page.wait_for_selector(".apps tbody tr")
    expect(visit.page.locator(".apps tbody tr")).to_have_count(1)
    expect(visit.page.locator("th[aria-sort=descending]")).to_contain_text("Impressions")


def test_an_address_that_is_typed_is_followed(visit: Visit) -> None:
    visit.open()
    visit.page.evaluate("() => { location.hash = '#/runs'; }")
    visit.see("main h1", "Runs")
    visit.page.go_back()
    visit.see("main h1", "apps are complete until")


def test_nothing_of_apples_becomes_markup(visit: Visit) -> None:
    visit.open(f"#/apps?q={'1000000022'}")
    expect(visit.page.locator(".apps td.app b")).to_have_count(0)
    assert "<b>Fast</b>" in visit.text(".apps td.app a")


def test_the_policy_holds_against_what_a_page_might_be_made_to_do(visit: Visit) -> None:
    """The browser itself refuses an inline style, an inline script and a request to another host."""
    visit.expected += ["Content Security Policy", "Trusted", "Refused"]
    visit.open()
    broken = visit.page.evaluate(
        """async () => {
            const found = [];
            document.addEventListener('securitypolicyviolation', (event) => found.push(event.effectiveDirective));
            const script = document.createElement('script');
            try { script.textContent = 'window.owned = 1'; document.body.append(script); } catch { found.push('typed') }
            const image = new Image(); image.src = 'https://elsewhere.example/x.png';
            const element = document.createElement('p');
            element.setAttribute('style', 'color: red');
            document.body.append(element);
            await new Promise((done) => setTimeout(done, 200));
            return { found, owned: window.owned ?? 0, red: element.style.color };
        }"""
    )
    visit.faults.clear()
    assert broken["owned"] == 0
    assert broken["red"] == ""
    assert "img-src" in broken["found"]
