"""The pictures of the console in docs/pictures: `python -m docs.pictures`, about a minute.

The console's own pages in Chromium, with the invented apps of its browser tests (tests/e2e/console/imitation). Their
date is fixed, so a picture changes only if the console does; or the font, which is Inter (`fonts-inter` in Debian).
"""

import argparse
import html
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from appstore_console.digest.restated import RestatedMeasure, RestatedTable
from appstore_console.digest.weekly import DAYS, Week, WeekLine, monday_of
from appstore_console.digest.words import subject_of, text_of
from appstore_console.rights import Role
from appstore_console.schemas.requests import AppsParameters
from tests.e2e.console.imitation import looks, numbers
from tests.e2e.console.imitation.portfolio import TODAY, App, Portfolio
from tests.e2e.console.imitation.runs import running_line
from tests.e2e.console.imitation.server import World, serve
from tests.e2e.console.visits import Visit, context_of, started

FOLDER = Path(__file__).resolve().parent / "pictures"
LARGEST_BYTES = 150_000
"""Of one picture, so that a clone stays small."""

_WIDE, _PHONE = (1280, 860), (390, 844)
_PATIENCE_MS = 60_000
_APP = App(0)
_BACKFILL = f"#/runs?start=backfill&app_ids={_APP.id}&reports=engagement&start_date=2026-02-02&end_date=2026-11-19"
_RESTATED = RestatedTable(
    _APP.name,
    "downloads",
    (TODAY - timedelta(days=23), TODAY - timedelta(days=13)),
    (RestatedMeasure("counts", 8_300, 10_000),),
)
_MAIL_STYLE = "body { font: 14px/1.5 monospace; margin: 24px; color: #1d2129; background: #fff } h1 { font-size: 15px }"


def _as_it_opens(_: Visit) -> None:
    """Nothing more."""


def _plan(visit: Visit) -> None:
    visit.page.get_by_role("button", name="Show the plan").click()
    visit.page.wait_for_selector("dialog .plan")


@dataclass(frozen=True, slots=True)
class Picture:
    """A page in a window of this size; `then` is done after it has loaded."""

    name: str
    page: str
    size: tuple[int, int] = _WIDE
    scheme: str = "light"
    world: Callable[[], World] = field(default=World)
    then: Callable[[Visit], None] = _as_it_opens

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return FOLDER / f"{self.name}.png"


PICTURES = (
    Picture("console-apps", "#/apps"),
    Picture("console-app", f"#/apps/{_APP.id}", scheme="dark"),
    Picture("console-run", f"#/runs/{running_line().run_id}", world=lambda: World(is_running=True)),
    Picture("console-plan", _BACKFILL, scheme="dark", then=_plan),
    Picture("console-users", "#/users", world=lambda: World(role=Role.ADMIN)),
    Picture("console-phone", "#/apps", size=_PHONE, scheme="dark"),
)
DIGEST = Picture("console-digest", "", size=(900, 400))


def main(words: Sequence[str] | None = None) -> None:
    """Make all pictures, or those that are named."""
    known = {picture.name: picture for picture in (*PICTURES, DIGEST)}
    parser = argparse.ArgumentParser(prog="python -m docs.pictures", description=__doc__, allow_abbrev=False)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these of {', '.join(known)}")
    names = parser.parse_args(words).names or list(known)
    with sync_playwright() as playwright, started(playwright) as browser:
        for name in names:
            picture = known[name]
            with _mail(browser) if picture is DIGEST else _opened(browser, picture) as page:
                png = small(page.screenshot(animations="disabled"))
            picture.path.write_bytes(png)
            sys.stdout.write(f"{picture.path.name}: {len(png) / 1e3:.0f} kB\n")


def small(png: bytes) -> bytes:
    """The same picture with a palette of 256 colours. MAXCOVERAGE keeps rare ones, such as a single green dot."""
    written = io.BytesIO()
    colours = Image.open(io.BytesIO(png)).convert("RGB").quantize(method=Image.Quantize.MAXCOVERAGE)
    colours.save(written, "PNG", optimize=True)
    return written.getvalue()


@contextmanager
def _opened(browser: Browser, picture: Picture) -> Iterator[Page]:
    width, height = picture.size
    with serve(picture.world()) as server:
        options = {"viewport": {"width": width, "height": height}, "color_scheme": picture.scheme}
        context = context_of(browser, server.world, **options)
        context.set_default_timeout(_PATIENCE_MS)
        visit = Visit(context.new_page(), server.url, server=server)
        visit.open(picture.page)
        picture.then(visit)
        visit.settle()
        yield visit.page
        context.close()


@contextmanager
def _mail(browser: Browser) -> Iterator[Page]:
    """The weekly e-mail, which is plain text, as a mail program shows it."""
    week = week_of(Portfolio())
    width, height = DIGEST.size
    page = browser.new_page(viewport={"width": width, "height": height})
    shown = html.escape(text_of(week, "https://console.example.com/"))
    wrapped = f"<pre style='white-space: pre-wrap'>{shown}</pre>"
    page.set_content(f"<style>{_MAIL_STYLE}</style><h1>{html.escape(subject_of(week))}</h1>{wrapped}")
    page.set_viewport_size(
        {"width": width, "height": page.evaluate("() => document.documentElement.offsetHeight + 48")}
    )
    yield page
    page.close()


def week_of(portfolio: Portfolio) -> Week:
    """The week of the invented apps."""
    query = {"metrics": ",".join(AppsParameters().metrics), "days": str(DAYS)}
    report = numbers.report(portfolio, query)
    told = {kpi.name: kpi for kpi in report.kpis}
    lines = tuple(WeekLine(told[one.kpi].title, told[one.kpi].unit, one.total) for one in report.series)
    return Week(monday_of(TODAY), len(portfolio.apps), lines, (_RESTATED,), looks.attention(portfolio))


if __name__ == "__main__":
    main()
