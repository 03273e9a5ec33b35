"""Every page in each of its states, with the world that shows it."""

from collections.abc import Callable
from dataclasses import dataclass

from appstore_console.rights import Role
from tests.e2e.console.imitation.portfolio import App, Portfolio
from tests.e2e.console.imitation.runs import FAILED_RUN, NEWEST_RUN, running_line
from tests.e2e.console.imitation.server import NEW_PASSWORD, PASSWORD, World
from tests.e2e.console.visits import Visit


def _nothing(visit: Visit) -> None:
    """The page as it opens."""


@dataclass(frozen=True)
class State:
    """A page in a world; `then` runs after it has loaded, `expected` lists errors that the browser may report.

    With `turns_the_clock` the page's clock can be moved forward.
    """

    name: str
    hash: str
    world: Callable[[], World] = World
    then: Callable[[Visit], None] = _nothing
    expected: tuple[str, ...] = ()
    heading: str = "main h1"
    has_widths: bool = True
    turns_the_clock: bool = False

    def open(self, visit: Visit) -> None:
        visit.expected += self.expected
        if self.turns_the_clock:
            visit.page.clock.install()
        visit.open(self.hash, heading=self.heading)
        self.then(visit)


def _sql(visit: Visit) -> None:
    visit.page.locator("button.sql").first.click()
    visit.page.wait_for_selector("dialog pre")


def _plan(visit: Visit) -> None:
    visit.page.get_by_role("button", name="Show the plan").click()
    visit.page.wait_for_selector("dialog .plan")


def _press(key: str, wait_for: str) -> Callable[[Visit], None]:
    def pressed(visit: Visit) -> None:
        visit.press(key)
        visit.page.wait_for_selector(wait_for)
        visit.settle()

    return pressed


def _click(name: str, wait_for: str) -> Callable[[Visit], None]:
    def clicked(visit: Visit) -> None:
        visit.page.get_by_role("button", name=name, exact=True).first.click()
        visit.page.wait_for_selector(wait_for)

    return clicked


def _whole_page(visit: Visit) -> None:
    """Also load what is far below."""
    for panel in visit.page.locator("main .panel").all():
        panel.scroll_into_view_if_needed()
    visit.page.wait_for_selector(".retention td")
    visit.page.wait_for_selector(".chart-layer")
    visit.page.evaluate("() => scrollTo(0, 0)")
    visit.settle()


def _step(address: str, password: str, wait_for: str) -> Callable[[Visit], None]:
    def stepped(visit: Visit) -> None:
        visit.page.fill("[name=email]", address)
        visit.page.fill("[name=password]", password)
        visit.page.get_by_role("button", name="Sign in").click()
        visit.page.wait_for_selector(wait_for)

    return stepped


def _lose(visit: Visit) -> None:
    visit.world.is_live = False
    visit.world.outage = 503
    visit.server.cut()
    visit.page.clock.run_for(70_000)
    visit.page.wait_for_selector(".stale")


def signed_out(first_step: str) -> Callable[[], World]:
    return lambda: World(is_signed_in=False, first_step=first_step)


GOOD, LATE = App(0), App(9)
_RUN = running_line().run_id
_503, _404, _403 = ("503 (Service Unavailable)",), ("404 (Not Found)",), ("403 (Forbidden)",)
_ADDRESS = "on.call@example.com"
BACKFILL = (
    f"#/runs?start=backfill&app_ids={GOOD.id}+{LATE.id}&reports=engagement&start_date=2026-01-01&end_date=2026-10-31"
)

STATES = (
    State("apps", "#/apps"),
    State("apps-well", "#/apps", lambda: World(Portfolio(is_well=True))),
    State("apps-first-day", "#/apps", lambda: World(Portfolio(is_first_day=True))),
    State("apps-nothing-found", "#/apps?q=harbourless"),
    State("apps-one", "#/apps", lambda: World(app_ids=(GOOD.id,))),
    State("apps-keys", "#/apps", then=_press("?", "dialog .keys")),
    State("apps-find", "#/apps", then=_press("Control+k", "dialog .hits a")),
    State("apps-person", "#/apps", then=lambda visit: visit.page.locator(".me").click()),
    State("app", f"#/apps/{GOOD.id}", then=_whole_page),
    State("app-late", f"#/apps/{LATE.id}?metric=impressions", then=_whole_page),
    State("app-not-ready", f"#/apps/{App(11).id}"),
    State("app-long-name", f"#/apps/{App(6).id}"),
    State("app-right-to-left", f"#/apps/{App(8).id}?by=territory"),
    State("app-filtered", f"#/apps/{GOOD.id}?where=territory:DE&days=90&compare=off"),
    State("app-table", f"#/apps/{GOOD.id}", then=_click("As table", ".main-table")),
    State("app-sql", f"#/apps/{GOOD.id}", then=_sql),
    State("app-not-there", "#/apps/99", expected=_404),
    State("run-running", f"#/runs/{_RUN}", lambda: World(is_running=True)),
    State("run-failed", f"#/runs/{FAILED_RUN}?show=all"),
    State("run-well", f"#/runs/{NEWEST_RUN}"),
    State("run-not-there", "#/runs/20200101T000000000Z", expected=_404),
    State("runs", "#/runs"),
    State("runs-viewer", "#/runs", lambda: World(role=Role.VIEWER)),
    State("runs-filtered", "#/runs?operation=refetch"),
    State("start-daily", "#/runs?start=daily"),
    State("start-backfill", BACKFILL),
    State("start-reprocess", f"#/runs?start=reprocess&run_id={FAILED_RUN}"),
    State("plan-backfill", BACKFILL, then=_plan),
    State("plan-rollback", f"#/runs?start=rollback&run_id={FAILED_RUN}", then=_plan),
    State("users", "#/users", lambda: World(role=Role.ADMIN)),
    State("users-invite", "#/users", lambda: World(role=Role.ADMIN), then=_click("Invite", "dialog")),
    State("users-apps", "#/users", lambda: World(role=Role.ADMIN), then=_click("12 apps", "dialog .chip")),
    State("users-forbidden", "#/users", lambda: World(role=Role.VIEWER), expected=_403),
    State("no-such-page", "#/nothing"),
    State("down", "#/apps", lambda: World(outage=503), expected=_503),
    State("panel-down", "#/apps", lambda: World(outage=503, outage_of="tables"), expected=_503),
    State("reconnecting", "#/apps", then=_lose, expected=_503, turns_the_clock=True),
    State("login", "#/apps", signed_out("totp"), heading="main form"),
    State("login-new-password", "#/", signed_out("new_password"), _step(_ADDRESS, PASSWORD, "[minlength]")),
    State("login-enrol", "#/", signed_out("enrol_totp"), _step(_ADDRESS, NEW_PASSWORD, ".qr")),
    State("login-code", "#/", signed_out("totp"), _step(_ADDRESS, NEW_PASSWORD, ".code")),
    State("login-wrong", "#/", signed_out("totp"), _step(_ADDRESS, "wrong", "[role=alert]"), expected=("401",)),
    State("login-forgot", "#/", signed_out("totp"), _click("Forgot the password?", "[name=email]")),
)  # fmt: skip
