"""A visit to the console in a real browser, which records every error."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from infra.console.browser_files import CONSOLE
from tests.e2e.console.imitation.server import ConsoleServer, World

WIDTHS = (320, 390, 768, 1024, 1440)
# The shell without windows first, which takes less of the processor.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
AXE = CONSOLE / "node_modules" / "axe-core" / "axe.min.js"
# After an answer one frame draws it, and the next one runs the effects, which may ask again.
_CALM_FRAMES = 3
# The page's own requests that have no answer yet. `window.fetch` is all that it asks with; see `Tab.settle`.
_COUNT_REQUESTS = """
(() => {
    const ask = window.fetch;
    window.unanswered = 0;
    window.calmFrames = 0;
    window.fetch = async (...asked) => {
        window.unanswered += 1;
        try {
            const response = await ask(...asked);
            await response.clone().arrayBuffer();
            return response;
        } finally {
            window.unanswered -= 1;
        }
    };
})();
"""
# For an answer of functions that start, or beside other tests on the machine.
_PATIENCE_MS = 60_000
_LOUD = (
    "NO BROWSER: install Chromium (Debian: apt-get install chromium-headless-shell); "
    "the console's pages are NOT tested here."
)


def browser_path() -> str:
    """The path of this machine's Chromium; without one the tests are skipped, or fail if skipping is forbidden."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found:
        return found
    if os.environ.get("BROWSER_TESTS") == "required":
        pytest.fail(_LOUD)
    pytest.skip(_LOUD)


@contextmanager
def started(playwright: Playwright) -> Iterator[Browser]:
    expect.set_options(timeout=_PATIENCE_MS)
    browser = playwright.chromium.launch(executable_path=browser_path(), args=[*ARGUMENTS])
    yield browser
    browser.close()


@dataclass
class Tab:
    """One tab on the console at `url`. Every error of the page fails the test, except expected ones.

    `live_url` is the WebSocket's address if it is another one.
    """

    page: Page
    url: str
    live_url: str = ""
    faults: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def listen(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.faults.append(f"page error: {error}"))
        self.page.on("request", lambda request: self._ask(request.url))
        self.page.on("websocket", lambda socket: self._ask(socket.url))

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning") and not any(each in message.text for each in self.expected):
            self.faults.append(f"{message.type}: {message.text} {message.location.get('url', '')}")

    def _ask(self, url: str) -> None:
        self.requests.append(url)
        of_the_console = (self.url, self.live_url or self.url.replace("http://", "ws://"), "blob:", "data:")
        if not url.startswith(of_the_console):
            self.faults.append(f"request to another host: {url}")

    def open(self, hash_: str = "#/apps", *, heading: str = "main h1") -> None:
        """Go to a page and wait until it has loaded."""
        self.page.goto(self.url + hash_)
        self.page.wait_for_selector(heading)
        self.settle()

    def go(self, hash_: str) -> None:
        """Go to another page like a link."""
        self.page.evaluate("(hash) => { location.hash = hash; }", hash_)
        self.settle()

    def settle(self) -> None:
        """Wait until no request is pending, and until what was answered has been drawn."""
        self.page.evaluate("() => { window.calmFrames = 0; }")
        self.page.wait_for_function(
            """(frames) => {
                const main = document.querySelector('main');
                const isCalm = main && !window.unanswered && !main.querySelector('[aria-busy=true]');
                window.calmFrames = isCalm ? window.calmFrames + 1 : 0;
                return window.calmFrames > frames;
            }""",
            arg=_CALM_FRAMES,
        )

    def text(self, selector: str) -> str:
        """The text of an element with normalized spaces."""
        return " ".join(self.page.inner_text(selector).split())

    def all_texts(self, selector: str) -> list[str]:
        """The same for several elements, which can be parts of a drawing."""
        return [" ".join(text.split()) for text in self.page.locator(selector).all_text_contents()]

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def see(self, selector: str, text: str) -> None:
        """Wait until an element has this text."""
        expect(self.page.locator(selector).first).to_contain_text(text)

    def violations(self, *rules: str) -> list[str]:
        """The violations of these axe rules (or of all), each with its first element."""
        if not self.page.evaluate("() => Boolean(window.axe)"):
            # as a test's tool it bypasses the page's Content-Security-Policy
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
        found = self.page.evaluate(
            "async (options) => (await axe.run(document, options)).violations"
            ".map((each) => `${each.id}: ${each.nodes[0].html.slice(0, 200)} ${each.nodes[0].failureSummary}`)",
            options,
        )
        return list(found)

    def widths(self) -> tuple[int, int]:
        """The widths of the page and of its window. Unequal ones are told after the charts had time to be redrawn."""
        with suppress(PlaywrightTimeout):
            self.page.wait_for_function(
                "() => document.documentElement.scrollWidth === document.documentElement.clientWidth", timeout=5_000
            )
        found = self.page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        return int(found[0]), int(found[1])

    def beyond_the_edge(self) -> str:
        """The innermost element that makes the page wider than its window; not one in a box that scrolls."""
        found = self.page.evaluate("""() => {
            const edge = document.documentElement.clientWidth;
            const scrolls = (one) => getComputedStyle(one).overflowX !== 'visible';
            const beyond = [];
            for (const one of document.querySelectorAll('body *')) {
                let box = one.parentElement;
                while (box !== document.body && !scrolls(box)) box = box.parentElement;
                if (one.getBoundingClientRect().right > edge && box === document.body) beyond.push(one);
            }
            return beyond.at(-1)?.outerHTML.slice(0, 200) ?? '';
        }""")
        return str(found)


@dataclass
class Visit(Tab):
    """A tab on the imitation."""

    server: ConsoleServer = field(kw_only=True)

    @property
    def world(self) -> World:
        return self.server.world


def window_of(browser: Browser, **options: Any) -> BrowserContext:
    """A browser's window, of a person who has never been here."""
    defaults = {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light", "locale": "en-GB"}
    context = browser.new_context(**{**defaults, **options})
    context.set_default_timeout(_PATIENCE_MS)
    context.add_init_script(_COUNT_REQUESTS)
    return context


def context_of(browser: Browser, world: World, **options: Any) -> BrowserContext:
    """A browser's window of a person who was signed in before, or never."""
    context = window_of(browser, **options)
    if world.is_signed_in:
        context.add_init_script("localStorage.setItem('signed-in', 'yes')")
    return context


def read_number(text: str) -> float:
    """A number as a person reads it."""
    return float(re.sub(r"[^\d.−-]", "", text).replace("−", "-"))


def picture_of(tab: Tab, path: Path) -> None:
    """The whole page as a picture."""
    tab.page.screenshot(path=path, full_page=True, animations="disabled")
