"""The deployed console in a real Chromium: a window for each person, and what people do in it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

from playwright.sync_api import Browser, sync_playwright

from local.console import Invited
from local.deployment import ConsoleDeployment
from local.totp import code
from tests.e2e.console.visits import Tab, started, window_of

PASSWORD = "Harbor-7291-lamp"
"""Whoever is invited chooses this one."""


@dataclass
class Windows:
    """The windows of a browser, each of somebody who has never been here before."""

    browser: Browser
    console: ConsoleDeployment
    tabs: list[Tab] = field(default_factory=list)

    def open(self) -> Tab:
        """A new window, as large as a laptop's."""
        context = window_of(self.browser, permissions=["clipboard-read", "clipboard-write"])
        tab = Tab(context.new_page(), f"{self.console.url}/", self.console.live_url)
        tab.listen()
        self.tabs.append(tab)
        return tab

    @property
    def faults(self) -> list[str]:
        """Whatever a page complained about, and every request to a foreign host."""
        return [fault for tab in self.tabs for fault in tab.faults]


@contextmanager
def windows_on(console: ConsoleDeployment) -> Iterator[Windows]:
    """A browser on the deployed console; at the end nothing may have gone wrong in any window."""
    with sync_playwright() as playwright, started(playwright) as browser:
        windows = Windows(browser, console)
        yield windows
        for tab in windows.tabs:
            tab.page.context.close()
    assert windows.faults == [], windows.faults


def sign_in_first(tab: Tab, invited: Invited, hash_: str = "#/apps") -> None:
    """The steps of somebody who was invited: the password of the e-mail, one of their own, an authenticator's code."""
    page = tab.page
    tab.open(hash_, heading="main form")
    page.fill("[name=email]", invited.email)
    page.fill("[name=password]", invited.temporary_password)
    page.keyboard.press("Enter")
    page.wait_for_selector("[autocomplete=new-password]")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".qr svg")
    page.fill("[name=code]", code(tab.text(".secret"), time.time()))
    page.keyboard.press("Enter")
    page.wait_for_selector(".me")
    tab.settle()


def plan_backfill(tab: Tab, app_name: str, table: str, first: date, last: date) -> None:
    """From the page of runs to the plan, as somebody does it who knows the app's name."""
    page = tab.page
    tab.go("#/runs")
    page.get_by_role("button", name="Start a run").click()
    page.locator("dialog").get_by_role("button", name="Backfill", exact=True).click()
    page.fill("dialog [name=start_date]", first.isoformat())
    page.fill("dialog [name=end_date]", last.isoformat())
    page.locator("dialog [role=combobox]").fill(app_name)
    page.wait_for_selector("dialog [role=option]")
    page.keyboard.press("Enter")
    page.locator("dialog").get_by_role("button", name=table, exact=True).click()
    page.get_by_role("button", name="Show the plan").click()
    page.wait_for_selector("dialog .plan")
