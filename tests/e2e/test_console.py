"""The web console beside the pipeline: through the real gateway, and in a browser with the data of real runs."""

import base64
import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from console_browser import Browser, mailed
from deployed import DAY, ENGAGEMENT, Deployed, app, name_of, report_of
from playwright.sync_api import expect
from websockets.exceptions import InvalidStatus

from local.apple.faults import Fault, FaultKind
from local.console import invite
from local.deployment import ConsoleDeployment
from operations.console_api import ConsoleApi
from tests.e2e.console.visits import Tab, read_number
from tests.e2e.console.windows import PASSWORD, Windows, plan_backfill, sign_in_first, windows_on

pytestmark = pytest.mark.leaves_data_stale

ME = "/api/v1/me"
APPS = (WELL, BROKEN) = app(20), app(21)
CREATE = "POST /v1/analyticsReportRequests"
SEGMENTS = "GET /v1/analyticsReportInstances/.*/segments"
HISTORY = 20
"""The Dates of the backfill begin so many days ago; no daily instance of the scenario has them."""


@pytest.fixture(scope="module", autouse=True)
def today(deployed: Deployed) -> date:
    """Three days of daily runs up to today, before the API is first asked: it keeps a list of apps for a minute.

    In the last run a file of one app cannot be read.
    """
    world, day = deployed.world, datetime.now(UTC).date()
    deployed.begin(day - DAY * 2)
    for number in range(2):
        world.move_to(day - DAY * (2 - number))
        assert deployed.daily(f"console-{number}", APPS).status == "SUCCEEDED"
    world.move_to(day)
    world.faults.order(Fault(FaultKind.CORRUPT_GZIP, SEGMENTS, app_id=BROKEN, report=ENGAGEMENT))
    third = deployed.daily("console-2", APPS)
    world.faults.clear()
    assert report_of(third)["apps_by_verdict"] == {"verified": [WELL], "quarantined": [BROKEN]}
    deployed.invoke("check_freshness", {})
    return day


@pytest.fixture(scope="module")
def admin(deployed: Deployed, console: ConsoleDeployment) -> Browser:
    """An admin after their first sign-in."""
    browser = Browser(deployed.aws, console)
    browser.sign_in_first(invite(deployed.aws, console, "ada@example.com", "admin"))
    return browser


def test_who_is_invited_signs_in_and_the_api_knows_them(admin: Browser) -> None:
    status, me, _ = admin.ask("GET", ME)
    assert (status, me["role"], me["is_limited"]) == (200, "admin", False)


def test_the_session_outlives_the_page_and_ends_with_signing_out(admin: Browser) -> None:
    tab = replace(admin, access_token="", cookies={})
    tab.sign_in()
    tab.take_token(tab.step("refresh"))
    assert tab.ask("GET", ME)[0] == 200
    kept = dict(tab.cookies)
    assert tab.ask("POST", "/auth/sign-out")[0] == 204
    assert tab.cookies == {}
    tab.cookies = kept
    assert tab.ask("POST", "/auth/refresh")[0] == 401


def test_the_page_comes_with_a_policy_and_no_other_site_may_use_the_login(admin: Browser) -> None:
    status, page, headers = Browser(admin.aws, admin.console).ask("GET", "/")
    assert (status, page[:15].lower()) == (200, b"<!doctype html>")
    assert "unsafe" not in headers["content-security-policy"]
    assert "access-control-allow-origin" not in headers
    foreign = {"Content-Type": "application/json", "Origin": "https://example.com"}
    assert admin.ask("POST", "/auth/refresh", {}, foreign)[0] == 403


def test_what_has_not_changed_is_not_sent_again_by_the_gateway(admin: Browser) -> None:
    status, _, headers = admin.ask("GET", "/api/v1/health")
    assert status == 200
    known = {"X-Requested-With": "console", "If-None-Match": headers["etag"]}
    assert admin.ask("GET", "/api/v1/health", headers=known)[:2] == (304, b"")


def _claims(token: str) -> dict[str, Any]:
    return dict(json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==")))


def _altered(token: str, **changes: str) -> str:
    head, _, signature = token.split(".")
    return ".".join((head, _encoded({**_claims(token), **changes}), signature))


def _unsigned(token: str) -> str:
    return ".".join((_encoded({"alg": "none", "typ": "JWT"}), token.split(".")[1], ""))


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_no_token_a_forged_one_and_one_without_a_signature_are_refused_by_the_gateway(admin: Browser) -> None:
    forged = _altered(admin.access_token, username="somebody-else")
    for token in ("", "no-token", forged, _unsigned(admin.access_token)):
        browser = replace(admin, access_token=token)
        assert browser.ask("GET", ME)[0] == 401
        assert browser.ask("POST", "/api/v1/plans", {})[0] == 401
        assert browser.ask("GET", "/api/v1/users")[0] == 401


def test_a_token_of_another_pool_is_refused(admin: Browser) -> None:
    cognito = admin.aws.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="another")["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="another", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]["ClientId"]
    cognito.admin_create_user(UserPoolId=pool, Username="ada", MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool, Username="ada", Password=PASSWORD, Permanent=True)
    result = cognito.initiate_auth(
        ClientId=client,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ada", "PASSWORD": PASSWORD},
    )["AuthenticationResult"]
    assert replace(admin, access_token=result["AccessToken"]).ask("GET", ME)[0] == 401


def _signed_in_at_cognito(admin: Browser) -> dict[str, str]:
    """All tokens of a sign-in, of which the console's own answers have the access token alone."""
    cognito, client = admin.aws.client("cognito-idp"), {"ClientId": admin.console.client}
    asked = cognito.initiate_auth(
        AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": admin.email, "PASSWORD": PASSWORD}, **client
    )
    answers = {"USERNAME": admin.email, "SOFTWARE_TOKEN_MFA_CODE": admin.code()}
    told = cognito.respond_to_auth_challenge(
        ChallengeName=asked["ChallengeName"], Session=asked["Session"], ChallengeResponses=answers, **client
    )
    return dict(told["AuthenticationResult"])


def test_an_id_token_is_refused_where_an_access_token_is_asked_for(admin: Browser) -> None:
    tokens = _signed_in_at_cognito(admin)
    assert replace(admin, access_token=tokens["AccessToken"]).ask("GET", ME)[0] == 200
    for method, path in (("GET", ME), ("POST", "/api/v1/plans")):
        assert replace(admin, access_token=tokens["IdToken"]).ask(method, path, None)[0] in (401, 403)


def test_an_access_token_is_refused_once_it_has_expired(admin: Browser) -> None:
    """Tokens of this moment that are valid for minus ten minutes, which Cognito's own API would not take."""
    cognito = admin.aws.client("cognito-idp")
    client = {"UserPoolId": admin.console.user_pool, "ClientId": admin.console.client}

    def in_the_past(params: dict[str, Any], **_: Any) -> None:
        params["body"] = json.dumps({**json.loads(params["body"]), "AccessTokenValidity": -10}).encode()

    cognito.meta.events.register("before-call.cognito-idp.UpdateUserPoolClient", in_the_past)
    cognito.update_user_pool_client(AccessTokenValidity=10, **client)
    cognito.meta.events.unregister("before-call.cognito-idp.UpdateUserPoolClient", in_the_past)
    try:
        late = _signed_in_at_cognito(admin)["AccessToken"]
    finally:
        cognito.update_user_pool_client(AccessTokenValidity=10, **client)
    assert _claims(late)["exp"] < _claims(late)["iat"]
    assert replace(admin, access_token=late).ask("GET", ME)[0] == 401
    assert replace(admin, access_token=late).ask("POST", "/api/v1/plans", {})[0] == 401


def test_a_viewer_is_refused_what_is_for_admins_and_the_log_has_it(deployed: Deployed, admin: Browser) -> None:
    viewer = Browser(deployed.aws, admin.console)
    viewer.sign_in_first(invite(deployed.aws, admin.console, "vera@example.com", "viewer"))
    assert viewer.ask("GET", "/api/v1/users")[0] == 403
    _, log, _ = admin.ask("GET", "/api/v1/audit")
    assert ("vera@example.com", "refused") in {(entry["who"], entry["outcome"]) for entry in log["entries"]}


def test_rights_in_aws_do_what_an_admin_does_and_the_log_has_the_arn(deployed: Deployed, admin: Browser) -> None:
    outputs = {"ConsoleActFunction": admin.console.act_function, "ConsoleUrl": admin.console.url}
    arn = "arn:aws:iam::000000000000:user/harbor"
    api = ConsoleApi(deployed.aws.client("lambda"), outputs, arn)
    otto = api.ask("POST", "/users", {"email": "otto@example.com", "role": "viewer"})
    assert api.ask("PATCH", f"/users/{otto['user_id']}", {"role": "operator"})["role"] == "operator"
    assert "otto@example.com" in {person["email"] for person in admin.ask("GET", "/api/v1/users")[1]["people"]}
    assert arn in {entry["who"] for entry in admin.ask("GET", "/api/v1/audit")[1]["entries"]}


def test_a_run_with_news_nudges_the_page_and_a_ticket_opens_one_connection(deployed: Deployed, admin: Browser) -> None:
    status, ticket, _ = admin.ask("POST", "/api/v1/live-tickets", {})
    assert (status, ticket["url"]) == (201, admin.console.live_url)
    registry = deployed.aws.table(deployed.deployment.registry_table)
    with admin.listening(ticket["ticket"]) as live:
        registry.put_item(Item={"pk": "RUN#20260602T100000.000Z-harbor", "sk": "NOTE#1"})
        assert json.loads(live.recv(timeout=20)) == {"run": "20260602T100000.000Z-harbor"}
        with pytest.raises(InvalidStatus), admin.listening(ticket["ticket"]):
            pass


# In a browser


@pytest.fixture(scope="module")
def windows(console: ConsoleDeployment) -> Iterator[Windows]:
    with windows_on(console) as windows:
        yield windows


@pytest.fixture(scope="module")
def operator(deployed: Deployed, today: date, windows: Windows) -> Tab:
    """An operator's window, signed in from the page that was asked for."""
    tab = windows.open()
    sign_in_first(tab, invite(deployed.aws, windows.console, "olga@example.com", "operator"), f"#/apps/{WELL}")
    return tab


def test_somebody_invited_signs_in_and_is_where_they_wanted_to_be(operator: Tab) -> None:
    operator.see("main h1", name_of(WELL))
    assert operator.page.evaluate("() => JSON.stringify({ ...localStorage })") == '{"signed-in":"yes"}'
    operator.see(".live", "Live")


def test_why_an_app_is_missing_takes_two_clicks(operator: Tab) -> None:
    operator.go("#/apps")
    need = operator.page.locator(".needs li").filter(has_text=name_of(BROKEN)).first
    expect(need).to_contain_text("engagement")
    need.get_by_role("link", name="Open app").click()
    operator.see("main h1", name_of(BROKEN))
    operator.see(".callout.why", "Why is it missing? engagement")
    operator.see(".badge", "quarantined")


def test_tile_chart_table_file_and_athena_are_the_same_numbers(deployed: Deployed, operator: Tab) -> None:
    operator.go(f"#/apps/{WELL}")
    operator.see("main h1", name_of(WELL))
    operator.settle()
    tile = read_number(operator.text(".tile[aria-pressed=true] .figure"))

    operator.page.get_by_role("button", name="As table").click()
    rows = operator.page.locator(".main-table tbody tr")
    shown = {
        str(row.locator("time").get_attribute("datetime")): row.locator("td").first.inner_text() for row in rows.all()
    }
    with operator.page.expect_download() as download:
        operator.page.get_by_role("button", name="CSV").click()
    lines = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8"))))
    in_file = {line["dt"]: float(line["value"]) for line in lines if line["value"]}
    operator.page.get_by_role("button", name="Copy as Athena SQL: Downloads").first.click()
    operator.page.get_by_role("button", name="Copy SQL").click()
    operator.see("dialog", "Copied")
    sql = operator.page.evaluate("() => navigator.clipboard.readText()")
    operator.press("Escape")
    in_athena = {str(day): float(str(value)) for day, value in deployed.rows(sql)}

    assert in_file == in_athena
    assert {day: read_number(text) for day, text in shown.items() if text != "–"} == in_athena
    assert sum(float(line["value"]) for line in lines if line["is_final"] == "True") == tile > 0

    operator.page.get_by_role("button", name="As chart").click()
    chart = operator.page.locator(".chart[role=slider]").first
    chart.focus()
    operator.press("Home")
    spoken = []
    for _ in shown:
        spoken.append(chart.get_attribute("aria-valuetext") or "")
        operator.press("ArrowRight")
    drawn = [read_number(found[1]) for text in spoken if (found := re.search(r"Downloads: ([\d,]+)", text))]
    assert drawn == [in_athena[day] for day in sorted(in_athena)]


def test_a_backfill_is_planned_cancelled_confirmed_and_followed_to_its_end(
    deployed: Deployed, operator: Tab, today: date
) -> None:
    first, last = today - DAY * HISTORY, today - DAY * (HISTORY - 2)
    runs = sum(1 for _ in deployed.pipeline.executions())
    plan_backfill(operator, name_of(WELL), "engagement", first, last)
    operator.press("Escape")
    expect(operator.page.locator("dialog")).to_have_count(0)
    assert sum(1 for _ in deployed.pipeline.executions()) == runs

    plan_backfill(operator, name_of(WELL), "engagement", first, last)
    created = deployed.calls(CREATE)
    with deployed.showing(APPS):
        operator.page.get_by_role("button", name="Start backfill").dblclick()
        operator.see("main h1", "Backfill")
        operator.see(".title .badge", "running")
        operator.see(".stage[data-state=done]", "Register")
        deployed.world.move_to(today + DAY)  # when Apple has built the snapshot
        operator.see(".title .badge", "succeeded")
    assert deployed.calls(CREATE) == created + 1
    assert sum(1 for _ in deployed.pipeline.executions()) == runs + 1
    assert [day for _, day, _ in sorted(deployed.counted("engagement", [WELL], f"dt <= DATE '{last}'"))] == [
        first + DAY * number for number in range(3)
    ]


def test_a_run_that_somebody_else_starts_appears_and_ends_on_the_page(
    deployed: Deployed, operator: Tab, admin: Browser
) -> None:
    operator.go("#/runs")
    newest = operator.page.locator("table.runs tbody tr").first
    _, plan, _ = admin.ask("POST", "/api/v1/plans", {"operation": "daily", "arguments": {}})
    with deployed.showing(APPS):
        status, _, _ = admin.ask("POST", "/api/v1/runs", {"plan_id": plan["plan_id"]})
        assert status in (201, 202)
        expect(newest).to_contain_text("running")
        expect(newest).to_contain_text("ada")
        expect(newest).not_to_contain_text("running")


def test_a_viewer_is_invited_with_one_app_and_sees_one_app(deployed: Deployed, today: date, windows: Windows) -> None:
    admin, viewer = windows.open(), windows.open()
    sign_in_first(admin, invite(deployed.aws, windows.console, "anna@example.com", "admin"), "#/users")
    admin.page.get_by_role("button", name="Invite").click()
    admin.page.fill("dialog [type=email]", "victor@example.com")
    admin.page.get_by_label("Only these apps").first.check()
    admin.page.locator("dialog [role=combobox]").fill(name_of(WELL))
    admin.page.wait_for_selector("dialog [role=option]")
    admin.press("Enter")
    admin.page.get_by_role("button", name="Invite as viewer of one app").click()
    expect(admin.page.get_by_role("row", name="victor@example.com")).to_contain_text("invited")

    sign_in_first(viewer, mailed(deployed.aws, windows.console, "victor@example.com"))
    assert viewer.all_texts(".apps tbody td.app a") == [name_of(WELL)]
    assert "Users" not in viewer.text("header nav")
    assert name_of(BROKEN) not in viewer.text("main")
    viewer.expected += ["404", "403"]
    viewer.go(f"#/apps/{BROKEN}")
    viewer.see("main h1", "There is no")
    viewer.go("#/users")
    viewer.see("main h1", "Your role does not include this page.")


@pytest.mark.parametrize("page", ["#/apps", f"#/apps/{BROKEN}", "#/runs", "#/runs/newest", "#/runs?start=backfill"])
def test_everybody_can_use_the_pages_with_real_data(operator: Tab, page: str) -> None:
    operator.go(page)
    operator.page.wait_for_selector("main h1")
    operator.settle()
    assert operator.violations() == []
