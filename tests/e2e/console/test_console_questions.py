"""The questions that people come with: each is answered within less than three clicks from the first page."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from imitation_states import GOOD, LATE
from playwright.sync_api import Locator

from appstore_console.rights import Role
from tests.e2e.console.conftest import Visiting
from tests.e2e.console.imitation.server import World
from tests.e2e.console.visits import Visit

MOST_CLICKS = 2


@dataclass
class Person:
    """Somebody who has opened the first page. What they type is no click."""

    visit: Visit
    clicks: int = field(default=0)

    def click(self, found: Locator) -> None:
        self.clicks += 1
        found.first.click()
        self.visit.settle()

    def link(self, name: str) -> None:
        self.click(self.visit.page.get_by_role("link", name=name))

    def button(self, name: str) -> None:
        self.click(self.visit.page.get_by_role("button", name=name))


def _is_yesterday_complete(person: Person) -> str:
    return person.visit.text(".lead")


def _why_is_this_app_missing(person: Person) -> str:
    person.link("Open app")
    return person.visit.text(".callout.why")


def _did_the_version_help_conversion(person: Person) -> str:
    person.link(GOOD.name)
    person.click(person.visit.page.locator(".tile").filter(has_text="Conversion"))
    return person.visit.text("section:has(.tiles)")


def _what_did_apple_change(person: Person) -> str:
    person.link("Runs")
    person.click(person.visit.page.locator("table.runs tbody a"))
    return person.visit.text("main")


def _who_started_it(person: Person) -> str:
    person.link("Runs")
    return person.visit.text("table.runs thead") + person.visit.text("table.runs tbody")


def _how_many_stay(person: Person) -> str:
    person.link(GOOD.name)
    return person.visit.text("section:has-text('Retention by week of download')")


def _what_would_a_backfill_cost(person: Person) -> str:
    person.link(GOOD.name)
    person.link("Backfill …")
    person.visit.page.fill("dialog [name=start_date]", "2026-01-01")
    person.visit.page.fill("dialog [name=end_date]", "2026-10-31")
    person.visit.press("Enter")
    person.visit.page.wait_for_selector("dialog .plan")
    assert person.visit.world.started == []
    return person.visit.text("dialog .plan")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (_is_yesterday_complete, ("Is yesterday complete?", "final on")),
        (_why_is_this_app_missing, ("Why is it missing?", "Ruled out")),
        (_did_the_version_help_conversion, ("Conversion", "%")),
        (_what_did_apple_change, ("What Apple replaced", "correction of a final Date")),
        (_who_started_it, ("By", "schedule")),
        (_how_many_stay, ("D7", "Oct")),
        (_what_would_a_backfill_cost, ("Apple calls", "US$")),
    ],
)
def test_a_question_is_answered_in_less_than_three_clicks(
    visiting: Visiting, answer: Callable[[Person], str], says: tuple[str, ...]
) -> None:
    visit = visiting(World(role=Role.OPERATOR))
    visit.open()
    assert visit.page.get_by_role("link", name=LATE.name).count() >= 1
    person = Person(visit)
    told = answer(person)
    assert [words for words in says if words not in told] == []
    assert person.clicks <= MOST_CLICKS
