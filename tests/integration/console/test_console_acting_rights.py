"""The rights of acting routes, refusals, and their entries in the audit log."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from acting import Office, Somebody, new_office
from api_asking import pipeline_after
from migrated import Migrated

from appstore_console.rights import Role
from appstore_console.routes.acting import ACTING
from local.aws.server import EmbeddedAws
from tests.integration.pipeline_in_process import APP, Pipeline

OTHER = "1000000002"
NOBODY = "f" * 32
ID = "00000000-0000-0000-0000-000000000000"
_numbers = itertools.count()

ROUTES: dict[str, tuple[str, str, Any, str]] = {
    "live_ticket": ("POST", "/live-tickets", None, "viewer"),
    "keep_view": ("POST", "/views", {"name": "Mine", "page": "apps", "state": ""}, "viewer"),
    "change_view": ("PATCH", f"/views/{ID}", {"name": "Yours"}, "viewer"),
    "delete_view": ("DELETE", f"/views/{ID}", None, "viewer"),
    "subscribe": ("POST", "/subscriptions", {}, "viewer"),
    "unsubscribe": ("DELETE", f"/subscriptions/{ID}", None, "viewer"),
    "annotate": ("POST", "/annotations", {"app_id": APP, "day": "2025-06-02", "text": "A note"}, "operator"),
    "change_annotation": ("PATCH", f"/annotations/{ID}", {"text": "Another"}, "operator"),
    "delete_annotation": ("DELETE", f"/annotations/{ID}", None, "operator"),
    "plan_run": ("POST", "/plans", {"operation": "reprocess", "arguments": {"app_ids": [APP]}}, "operator"),
    "start_run": ("POST", "/runs", {"plan_id": "abc"}, "operator"),
    "users": ("GET", "/users", None, "admin"),
    "user": ("GET", f"/users/{NOBODY}", None, "admin"),
    "invite_user": ("POST", "/users", {"email": "new@example.com", "role": "viewer"}, "admin"),
    "change_user": ("PATCH", f"/users/{NOBODY}", {"role": "viewer"}, "admin"),
    "delete_user": ("DELETE", f"/users/{NOBODY}", None, "admin"),
    "invite_again": ("POST", f"/users/{NOBODY}/invitation", None, "admin"),
    "reset_second_factor": ("DELETE", f"/users/{NOBODY}/second-factor", None, "admin"),
    "grants": ("GET", "/grants", None, "admin"),
    "grant_apps": ("POST", "/grants", {"user_id": NOBODY, "app_ids": [APP]}, "admin"),
    "revoke_grant": ("DELETE", f"/grants/{ID}", None, "admin"),
    "audit": ("GET", "/audit", None, "admin"),
}
"""Every acting route with the lowest role that has its right, listed independently of the code."""

ORDER = ("viewer", "operator", "admin")
MAY = {name: ORDER[ORDER.index(least) :] for name, (_, _, _, least) in ROUTES.items()}


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    with pipeline_after(2, rows_per_date=4) as pipeline:
        yield pipeline


@pytest.fixture
def office(pipeline: Pipeline, cluster: Migrated, embedded_aws: EmbeddedAws) -> Iterator[Office]:
    office = new_office(pipeline, cluster, embedded_aws, f"office-{next(_numbers)}")
    yield office
    office.close()


def asked(somebody: Somebody, name: str) -> Any:
    method, address, body, _ = ROUTES[name]
    if method == "GET":
        return somebody.get(address)
    return {"POST": somebody.post, "PATCH": somebody.patch}.get(method, lambda *_: somebody.delete(address))(
        address, body
    )


def away(cluster: Migrated) -> Migrated:
    """The same database at a port without a listener."""
    return replace(cluster, address="127.0.0.1:1")


def test_the_matrix_has_every_acting_route() -> None:
    assert {endpoint.name for endpoint in ACTING} == set(ROUTES)


@pytest.mark.parametrize("role", [None, *Role])
def test_each_role_may_what_the_matrix_says_and_nothing_else(office: Office, role: Role | None) -> None:
    somebody = office.somebody(office.person("ada@example.com", role), "admin", "operator", "viewer")
    for name in ROUTES:
        answer = asked(somebody, name)
        if role in MAY[name]:
            assert answer.status not in (401, 403), (name, answer.text)
            assert answer.status < 500, (name, answer.text)
        else:
            assert answer.status == 403, name
            assert office.rows("audit")[-1]["outcome"] == "refused"
            assert office.rows("audit")[-1]["action"] == name


def test_every_refusal_and_every_action_is_in_the_log_with_who_and_what(office: Office) -> None:
    admin = office.somebody(office.person("root@example.com", Role.ADMIN))
    viewer = office.somebody(office.person("ada@example.com", Role.VIEWER))
    viewer.post("/plans", {"operation": "daily"})
    viewer.post("/views", {"name": "Mine", "page": "apps", "state": "q=1"})
    viewer.post("/views", {"name": "Mine", "page": "apps", "state": ""})
    log = admin.get("/audit").json["entries"]
    assert [(each["who"], each["action"], each["target"], each["outcome"]) for each in log] == [
        ("ada@example.com", "keep_view", "/views", "refused"),
        ("ada@example.com", "keep_view", "/views", "done"),
        ("ada@example.com", "plan_run", "/plans", "refused"),
    ]
    assert "You already have a view with this name" in log[0]["detail"]
    assert '"state":"q=1"' in log[1]["detail"]
    assert "needs the role operator" in log[2]["detail"]
    assert [row["outcome"] for row in office.rows("audit")] == [
        "refused",
        "attempted",
        "done",
        "attempted",
        "refused",
    ]


def test_an_action_that_nobody_could_end_stays_attempted(office: Office) -> None:
    admin = office.somebody(office.person("root@example.com", Role.ADMIN))
    data = office.data()
    writer = office.somebody(admin.user_id, api=office.api(replace(data, audit=Silent(data.audit))))
    writer.post("/views", {"name": "Mine", "page": "apps", "state": ""})
    assert [each["outcome"] for each in admin.get("/audit?outcome=attempted").json["entries"]] == ["attempted"]


def test_the_log_is_read_in_pages_newest_first_and_by_person(office: Office) -> None:
    admin = office.somebody(office.person("root@example.com", Role.ADMIN))
    viewer = office.somebody(office.person("ada@example.com", Role.VIEWER))
    for number in range(5):
        viewer.post("/views", {"name": f"View {number}", "page": "apps", "state": ""})
    found, cursor = [], ""
    for _ in range(3):
        page = admin.get(f"/audit?limit=2&user_id={viewer.user_id}{cursor}").json
        found += [each["entry_id"] for each in page["entries"]]
        cursor = f"&cursor={page['next']}"
    assert len(found) == len(set(found)) == 5
    assert page["next"] == ""
    assert admin.get(f"/audit?user_id={admin.user_id}").json["entries"] == []


@pytest.mark.parametrize("cursor", ["x", "bm90aGluZw", "MjAyNS0wNi0wMiB4"])
def test_a_cursor_of_nothing_is_refused_by_name(office: Office, cursor: str) -> None:
    answer = office.somebody(office.person("root@example.com", Role.ADMIN)).get(f"/audit?cursor={cursor}")
    assert (answer.status, answer.json["field"]) == (400, "cursor")


def test_no_function_may_change_or_delete_what_was_logged(office: Office) -> None:
    office.somebody(office.person("ada@example.com", Role.VIEWER)).post("/plans", {})
    database = office.cluster.database("console_act")
    for statement in ("UPDATE console.audit SET who = 'eve'", "DELETE FROM console.audit"):
        with pytest.raises(Exception, match="permission denied"):
            database.run(lambda connection, statement=statement: connection.run(statement))  # type: ignore[misc]
    database.close()


def test_without_postgresql_every_action_is_refused_and_a_refusal_stays_one(office: Office, pipeline: Pipeline) -> None:
    admin_id, viewer_id = (office.person(f"{role}@example.com", role) for role in (Role.ADMIN, Role.VIEWER))
    api = office.api(office.data(cluster=away(office.cluster)))
    admin, viewer = office.somebody(admin_id, api=api), office.somebody(viewer_id, api=api)
    for name, (method, _, _, _) in ROUTES.items():
        if method != "GET" and name != "live_ticket":
            answer = asked(admin, name)
            assert (answer.status, "audited" in answer.json["detail"]) == (503, True), name
    assert viewer.post("/plans", {"operation": "daily"}).status == 403
    assert viewer.post("/live-tickets").status == 201
    assert office.accounts.get(admin_id).role is Role.ADMIN
    assert office.rows("audit") == []


def test_a_token_of_yesterday_gives_what_cognito_says_today(office: Office) -> None:
    office.person("root@example.com", Role.ADMIN)
    user_id = office.person("ada@example.com", Role.ADMIN)
    ada = office.somebody(user_id, "admin")
    assert ada.get("/users").status == 200
    office.accounts.change(user_id, Role.VIEWER)
    assert ada.get("/users").status == 403
    office.accounts.change(user_id, is_enabled=False)
    assert ada.post("/live-tickets").status == 401
    office.accounts.delete(user_id)
    assert ada.post("/live-tickets").status == 401


def test_whoever_invokes_the_function_itself_acts_as_an_admin_under_their_arn(office: Office) -> None:
    arn = "arn:aws:iam::123456789012:user/root"
    somebody = office.somebody("")
    context = {"http": {"method": "POST", "path": "/api/v1/users"}, "stage": "$default"}
    event = {
        "version": "2.0",
        "rawPath": "/api/v1/users",
        "headers": {},
        "body": '{"email": "ada@example.com", "role": "admin"}',
        "requestContext": {**context, "authorizer": {"iam": {"userArn": arn}}},
    }
    assert somebody.answer(event).status == 201
    assert {row["who"] for row in office.rows("audit")} == {arn}
    jwt = {"jwt": {"claims": {}}, "iam": {"userArn": arn}}
    forged = {**event, "requestContext": {**context, "authorizer": jwt}}
    assert somebody.answer(forged).status == 401


class Silent:
    """An audit log whose second row is never written, as if the function died."""

    def __init__(self, stored: Any) -> None:
        self.attempt, self.refuse = stored.attempt, stored.refuse

    def end(self, *_: Any) -> None:
        """Nothing."""
