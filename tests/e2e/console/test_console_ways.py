"""Complete tasks of users, from the first click to the last."""

import pytest
from imitation_states import BACKFILL, GOOD, LATE
from playwright.sync_api import expect

from appstore_console.rights import Role
from tests.e2e.console.conftest import Visiting
from tests.e2e.console.imitation.portfolio import App, Portfolio
from tests.e2e.console.imitation.runs import FAILED_RUN, running_line
from tests.e2e.console.imitation.server import CODE, NEW_PASSWORD, PASSWORD, World
from tests.e2e.console.visits import Visit


def test_somebody_invited_signs_in_and_out(visiting: Visiting) -> None:
    """The temporary password, a password of their own, a second factor; afterwards no trace of them remains."""
    visit = visiting(World(is_signed_in=False, first_step="new_password"))
    page = visit.page
    visit.open("#/apps/1000000001?metric=proceeds", heading="main form")
    page.fill("[name=email]", "on.call@example.com")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("[autocomplete=new-password]")
    page.fill("[name=password]", NEW_PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".qr svg")
    assert visit.text(".secret") == "JBSW Y3DP EHPK 3PXP"
    page.fill("[name=code]", CODE)
    page.keyboard.press("Enter")
    visit.see("main h1", "Quiet Notes")
    assert "metric=proceeds" in page.url, "the address that was asked for"
    assert page.evaluate("() => JSON.stringify({ ...localStorage, ...sessionStorage })") == '{"signed-in":"yes"}'
    page.locator(".me").click()
    page.get_by_role("button", name="Sign out").click()
    visit.see("main h1", "Sign in")
    assert page.evaluate("() => JSON.stringify({ ...localStorage, ...sessionStorage })") == "{}"


def test_a_wrong_code_says_so_and_lets_try_again(visiting: Visiting) -> None:
    visit = visiting(World(is_signed_in=False))
    visit.expected.append("401")
    visit.open("#/apps", heading="main form")
    visit.page.fill("[name=email]", "on.call@example.com")
    visit.page.fill("[name=password]", NEW_PASSWORD)
    visit.press("Enter")
    visit.page.wait_for_selector(".code")
    visit.page.fill("[name=code]", "000000")
    visit.press("Enter")
    visit.see("[role=alert]", "That code was not accepted.")
    visit.page.fill("[name=code]", CODE)
    visit.press("Enter")
    visit.see("main h1", "apps are complete until")


def test_a_forgotten_password_never_tells_who_has_an_account(visiting: Visiting) -> None:
    visit = visiting(World(is_signed_in=False))
    visit.open("#/apps", heading="main form")
    visit.page.get_by_role("button", name="Forgot the password?").click()
    visit.page.fill("[name=email]", "nobody@example.com")
    visit.press("Enter")
    visit.see("main", "if an account has this address")
    visit.page.fill("[name=code]", "123456")
    visit.page.fill("[name=password]", NEW_PASSWORD)
    visit.press("Enter")
    visit.see("main", "The password was changed: sign in with the new one.")


def test_why_an_app_is_missing_takes_two_clicks(visit: Visit) -> None:
    visit.open()
    visit.page.get_by_role("link", name="Open app").first.click()
    visit.see("main h1", LATE.name)
    why = visit.text(".callout")
    assert why.startswith("Why is it missing? engagement of 23 Nov: Apple’s newest file")
    assert "Ruled out: no run was refused, nothing is in quarantine and the report request is live." in why
    assert "Apple keeps it until 29 Dec." in why
    visit.page.locator(".callout a").click()
    visit.page.wait_for_selector("dialog")
    assert visit.page.input_value("[name=start_date]") == "2026-11-23"
    visit.see("dialog .chip", LATE.id)


def test_a_plan_is_shown_cancelled_and_confirmed_once(visit: Visit) -> None:
    visit.open(BACKFILL)
    visit.page.get_by_role("button", name="Show the plan").click()
    visit.page.wait_for_selector("dialog .plan")
    plan = visit.text("dialog .plan")
    assert "Apple calls 2,914 of 3,395 calls this hour are used ≈ 702" in plan
    assert "US$ 0.37" in plan
    visit.press("Escape")
    expect(visit.page.locator("dialog")).to_have_count(0)
    assert "start=" not in visit.page.url
    assert visit.world.started == []

    visit.go(BACKFILL)
    visit.page.get_by_role("button", name="Show the plan").click()
    start = visit.page.get_by_role("button", name="Start backfill: ≈ 702 calls, ≈ 236 k rows, US$ 0.37")
    start.dblclick()
    visit.see("main h1", "Daily, Sun 29 Nov")
    assert len(visit.world.started) == 1


def test_a_rollback_wants_to_be_typed(visit: Visit) -> None:
    visit.open(f"#/runs/{FAILED_RUN}")
    visit.page.get_by_role("link", name="Roll back …").click()
    visit.page.get_by_role("button", name="Show the plan").click()
    button = visit.page.get_by_role("button", name="Roll back 18 Dates")
    expect(button).to_be_disabled()
    expect(visit.page.get_by_label("Type 18 Dates to continue")).to_be_focused()
    visit.page.keyboard.type("18 Dates")
    button.click()
    expect(visit.page.locator("dialog")).to_have_count(0)
    assert len(visit.world.started) == 1


def test_a_refused_plan_says_why_and_starts_nothing(visit: Visit) -> None:
    visit.expected.append("409")
    visit.open("#/runs?start=daily")
    visit.page.get_by_role("button", name="Show the plan").click()
    visit.page.wait_for_selector("dialog .plan")
    visit.world.outage, visit.world.outage_of = 409, "runs"
    visit.page.get_by_role("button", name="Start daily").click()
    visit.see("dialog [role=alert]", "The console did not get an answer")
    assert visit.world.started == []


def test_a_viewer_is_invited_with_one_app_and_sees_one_app(visiting: Visiting) -> None:
    admin = visiting(World(role=Role.ADMIN))
    admin.open("#/users")
    admin.page.get_by_role("button", name="Invite").click()
    admin.page.fill("dialog [type=email]", "partner@example.com")
    admin.page.get_by_label("Only these apps").first.check()
    admin.page.locator("dialog [role=combobox]").fill("quiet notes")
    admin.page.wait_for_selector("dialog [role=option]")
    admin.press("Enter")
    admin.page.get_by_role("button", name="Invite as viewer of one app").click()
    expect(admin.page.locator("dialog")).to_have_count(0)
    assert admin.world.invited == [
        {"method": "POST", "path": "users", "email": "partner@example.com", "role": "viewer", "app_ids": [GOOD.id]}
    ]
    admin.settle()  # the page reads the list again, still as the admin

    viewer = visiting(World(role=Role.VIEWER, app_ids=(GOOD.id,)))
    viewer.expected += ["404", "403"]
    viewer.open()
    assert viewer.all_texts(".apps tbody td.app a") == [GOOD.name]
    viewer.go(f"#/apps/{LATE.id}")
    viewer.see("main h1", "There is no apps/")
    viewer.go("#/users")
    viewer.see("main h1", "Your role does not include this page.")
    assert "Users" not in viewer.text("header nav")


def test_a_role_is_changed_and_the_last_admin_stays(visiting: Visiting) -> None:
    visit = visiting(World(role=Role.ADMIN))
    visit.open("#/users")
    visit.page.get_by_label("Role of growth@example.com").select_option("operator")
    expect(visit.page.get_by_label("Role of lead@example.com")).to_be_disabled()
    visit.settle()
    assert visit.world.invited[0]["role"] == "operator"
    row = visit.page.get_by_role("row", name="lead@example.com")
    expect(row).to_contain_text("the last admin stays")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_what_a_role_may_not_do_is_absent_or_says_why(visiting: Visiting, role: Role) -> None:
    visit = visiting(World(role=role))
    visit.open()
    plans = visit.page.get_by_role("link", name="Plan a backfill")
    expect(plans).to_have_count(1 if role is Role.OPERATOR else 0)
    visit.go("#/runs")
    visit.see("main h1", "Runs")
    start = visit.page.get_by_role("button", name="Start a run")
    assert start.get_attribute("aria-disabled") == (None if role is Role.OPERATOR else "true")
    visit.press("n")
    expect(visit.page.locator("dialog")).to_have_count(1 if role is Role.OPERATOR else 0)


def test_a_run_is_followed_to_its_end(visiting: Visiting) -> None:
    visit = visiting(World(is_running=True))
    visit.open(f"#/runs/{running_line().run_id}")
    visit.see(".badge", "running")
    visit.see(".top nav", "▶ 74 %")
    assert visit.text(".stage[data-state=running]").startswith("▶ Land running 312 of 421 files")
    assert "One app has failed so far." in visit.text(".sentence")
    before = visit.text(".sentence b")
    visit.page.wait_for_function("(text) => document.querySelector('.sentence b').innerText !== text", arg=before)
    visit.world.is_running = False
    visit.expected.append("404")
    visit.server.nudge()
    visit.page.wait_for_function("() => !document.querySelector('.top .count.running')")


def test_the_sql_of_a_chart_is_copied(visiting: Visiting) -> None:
    visit = visiting(permissions=["clipboard-read", "clipboard-write"])
    visit.open(f"#/apps/{GOOD.id}")
    visit.page.get_by_role("button", name="Copy as Athena SQL: Downloads").first.click()
    shown = visit.page.inner_text("dialog pre")
    visit.page.get_by_role("button", name="Copy SQL").click()
    visit.see("dialog", "Copied")
    assert visit.page.evaluate("() => navigator.clipboard.readText()") == shown
    assert shown.startswith("SELECT dt")


def test_a_row_of_a_breakdown_filters_the_whole_page(visit: Visit) -> None:
    visit.open(f"#/apps/{GOOD.id}")
    whole = visit.text(".tile[aria-pressed=true] .figure")
    visit.page.get_by_role("tab", name="Territory").click()
    visit.page.get_by_role("button", name="Germany").click()
    visit.see(".title", "Territory: Germany")
    visit.settle()
    assert visit.text(".tile[aria-pressed=true] .figure") != whole
    assert "where=territory%3ADE" in visit.page.url
    visit.page.get_by_role("button", name="Remove the filter").click()
    visit.see(".tile[aria-pressed=true] .figure", whole)


def test_a_run_that_somebody_else_starts_appears(visit: Visit) -> None:
    visit.open("#/runs")
    expect(visit.page.locator(".runs .badge.family-running")).to_have_count(0)
    visit.world.is_running = True
    visit.server.nudge()
    visit.page.wait_for_selector(".runs .badge.family-running")
    visit.see(".sentence", "A daily run is under way.")


def test_an_app_is_found_by_name_and_by_id(visit: Visit) -> None:
    visit.open("#/runs")
    visit.press("Control+k")
    visit.page.keyboard.type("polar b")
    visit.page.wait_for_function("() => document.querySelectorAll('dialog [role=option]').length === 1")
    visit.press("Enter")
    visit.see("main h1", "Polar Budget")
    visit.press("Control+k")
    visit.page.keyboard.type(App(33).id)
    visit.see("dialog [role=option]", App(33).name)


def test_the_first_day_says_what_comes_and_when(visiting: Visiting) -> None:
    visit = visiting(World(Portfolio(is_first_day=True)))
    visit.open()
    assert "Nothing is wrong, and there is nothing to do." in visit.text(".lead")
    assert visit.all_texts(".steps b") == ["Deployed", "Registered", "First reports", "First final Date", "History"]
    assert visit.text(".apps tbody tr:first-child .verdict") == "… not ready"
