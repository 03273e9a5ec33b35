"""A person's own data, and people with their grants: through the API, in a real PostgreSQL."""

import itertools
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from acting import Office, Somebody, new_office
from api_asking import Answer, pipeline_after
from migrated import Migrated

from appstore_console import tickets
from appstore_console.database.views import MOST_VIEWS
from appstore_console.people import State
from appstore_console.rights import Role
from appstore_console.tickets import Holder
from appstore_console.user_ids import user_id_of
from local.aws.server import EmbeddedAws
from tests.aws_in_process import in_threads
from tests.integration.pipeline_in_process import APP, Pipeline

OTHER = "1000000002"
INJECTED = "'; DROP TABLE console.views; -- \" $1 :name %s \\"
_numbers = itertools.count()


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    with pipeline_after(1, rows_per_date=4) as pipeline:
        yield pipeline


@pytest.fixture
def office(pipeline: Pipeline, cluster: Migrated, embedded_aws: EmbeddedAws) -> Iterator[Office]:
    office = new_office(pipeline, cluster, embedded_aws, f"own-{next(_numbers)}")
    yield office
    office.close()


@pytest.fixture
def ada(office: Office) -> Somebody:
    return office.somebody(office.person("ada@example.com", Role.VIEWER))


@pytest.fixture
def admin(office: Office) -> Somebody:
    return office.somebody(office.person("root@example.com", Role.ADMIN), "admin")


# Views


def view(somebody: Somebody, name: str = "Mine", state: str = "q=1") -> Any:
    return somebody.post("/views", {"name": name, "page": "apps", "state": state})


def test_a_view_is_kept_changed_and_deleted_by_its_owner(ada: Somebody) -> None:
    kept = view(ada)
    assert (kept.status, kept.json["name"], kept.json["state"]) == (201, "Mine", "q=1")
    address = f"/views/{kept.json['view_id']}"
    changed = ada.patch(address, {"name": "Ours"})
    assert (changed.status, changed.json["name"], changed.json["state"]) == (200, "Ours", "q=1")
    assert [each["name"] for each in ada.get("/views").json["views"]] == ["Ours"]
    assert ada.delete(address).status == 204
    assert ada.delete(address).status == 404
    assert ada.get("/views").json["views"] == []


def test_two_views_of_one_person_have_two_names_and_two_people_may_choose_the_same(
    ada: Somebody, admin: Somebody
) -> None:
    first, second = view(ada), view(ada, "Second")
    again, renamed = view(ada), ada.patch(f"/views/{second.json['view_id']}", {"name": "Mine"})
    assert (first.status, again.status, renamed.status) == (201, 409, 409)
    assert again.json["detail"] == "You already have a view with this name: choose another name, or change that view."
    assert view(admin).status == 201


def test_somebody_elses_view_is_as_one_that_is_not_there(ada: Somebody, admin: Somebody) -> None:
    view_id = view(ada).json["view_id"]
    for answer in (admin.patch(f"/views/{view_id}", {"name": "Eve"}), admin.delete(f"/views/{view_id}")):
        assert answer.status == 404
    assert admin.get("/views").json["views"] == []
    assert [each["name"] for each in ada.get("/views").json["views"]] == ["Mine"]


def test_words_that_look_like_sql_are_words(ada: Somebody, office: Office) -> None:
    kept = view(ada, INJECTED, INJECTED)
    assert (kept.status, kept.json["name"], kept.json["state"]) == (201, INJECTED.strip(), INJECTED)
    for place in ("'%20OR%20'1'='1", "%27;DROP%20TABLE%20console.views", "x"):
        assert ada.delete(f"/views/{place}").status == 404
    assert len(office.rows("views")) == 1


def test_nobody_fills_the_database_with_views(ada: Somebody, office: Office) -> None:
    stored = office.data().views
    for number in range(MOST_VIEWS):
        stored.add(ada.user_id, f"View {number}", "apps", "")
    answer = view(ada)
    assert (answer.status, str(MOST_VIEWS) in answer.json["detail"]) == (409, True)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"page": "apps", "state": ""}, "name"),
        ({"name": "", "page": "apps", "state": ""}, "name"),
        ({"name": "a\u0000b", "page": "apps", "state": ""}, "name"),
        ({"name": "Mine", "page": "apps", "state": "", "user_id": "eve"}, "user_id"),
        ({"name": "Mine", "page": "users", "state": ""}, "page"),
    ],
)
def test_a_body_that_is_wrong_names_the_field_and_keeps_nothing(
    ada: Somebody, office: Office, body: dict[str, Any], field: str
) -> None:
    answer = ada.post("/views", body)
    assert (answer.status, answer.json["field"]) == (400, field), answer.text
    assert office.rows("views") == []
    assert office.rows("audit")[-1]["outcome"] == "refused"


# Annotations


def test_an_annotation_is_seen_by_whoever_sees_its_app(office: Office, ada: Somebody) -> None:
    olga = office.somebody(office.person("olga@example.com", Role.OPERATOR))
    limited = office.somebody(office.person("lim@example.com", Role.OPERATOR, APP), "operator", "limited")
    of_app, of_other, of_all = (
        olga.post("/annotations", {"app_id": app_id, "day": "2025-06-02", "text": f"About {app_id}"})
        for app_id in (APP, OTHER, None)
    )
    assert (of_app.status, of_other.status, of_all.status) == (201, 201, 201), of_app.text
    assert of_app.json["written_by"] == "olga@example.com"
    assert len(ada.get("/annotations").json["annotations"]) == 3
    assert {each["app_id"] for each in limited.get("/annotations").json["annotations"]} == {APP, None}
    assert ada.get("/annotations?from=2025-06-03").json["annotations"] == []
    assert ada.get("/annotations?from=2025-06-03&to=2025-06-02").json["field"] == "from"
    hidden = limited.patch(f"/annotations/{of_other.json['annotation_id']}", {"text": "Eve"})
    assert hidden.status == 404
    assert limited.delete(f"/annotations/{of_all.json['annotation_id']}").status == 403
    assert limited.post("/annotations", {"day": "2025-06-02", "text": "All"}).json["field"] == "app_id"
    assert limited.post("/annotations", {"app_id": OTHER, "day": "2025-06-02", "text": "Eve"}).status == 404
    changed = limited.patch(f"/annotations/{of_app.json['annotation_id']}", {"day": "2025-06-01"})
    assert (changed.status, changed.json["day"], changed.json["text"]) == (200, "2025-06-01", f"About {APP}")
    assert olga.delete(f"/annotations/{of_other.json['annotation_id']}").status == 204
    assert len(office.rows("annotations")) == 2


# Subscriptions and tickets


def test_a_digest_is_subscribed_to_once_and_ended_by_its_owner_or_an_admin(
    ada: Somebody, admin: Somebody, office: Office
) -> None:
    first, second = ada.post("/subscriptions", {}), ada.post("/subscriptions", {"app_ids": [APP]})
    assert (first.status, second.status) == (201, 201), first.text
    assert first.json["subscription_id"] == second.json["subscription_id"]
    assert (first.json["app_ids"], second.json["app_ids"]) == (None, [APP])
    assert ada.post("/subscriptions", {"channel": "slack", "app_ids": [APP]}).status == 403
    assert admin.post("/subscriptions", {"channel": "slack"}).json["field"] == "app_ids"
    channel = admin.post("/subscriptions", {"channel": "slack", "app_ids": [APP]})
    assert len(ada.get("/subscriptions").json["subscriptions"]) == 1
    assert len(admin.get("/subscriptions").json["subscriptions"]) == 2
    assert ada.delete(f"/subscriptions/{channel.json['subscription_id']}").status == 404
    assert admin.delete(f"/subscriptions/{first.json['subscription_id']}").status == 204
    assert [row["channel"] for row in office.rows("subscriptions")] == ["slack"]


def test_an_installation_without_digests_says_so(ada: Somebody, office: Office) -> None:
    office.has_digests = False
    answer = office.somebody(ada.user_id).post("/subscriptions", {})
    assert (answer.status, "console_digests" in answer.json["detail"]) == (409, True)


def test_a_ticket_opens_one_connection_for_what_its_holder_sees(office: Office, ada: Somebody) -> None:
    limited = office.somebody(office.person("lim@example.com", Role.VIEWER, APP))
    for somebody, app_ids in ((ada, None), (limited, (APP,))):
        answer = somebody.post("/live-tickets")
        assert (answer.status, answer.json["url"]) == (201, "wss://live.example.com/live")
        expires_at = office.pipeline.clock() + timedelta(seconds=30)
        assert answer.json["expires_at"] == expires_at.isoformat()
        redeemed = [tickets.redeem(office.table, office.pipeline.clock, answer.json["ticket"]) for _ in range(2)]
        assert redeemed == [Holder(somebody.user_id, app_ids), None]
        assert answer.json["ticket"] not in json.dumps(office.rows("audit"), default=str)


# People


def test_an_admin_invites_limits_and_deletes_somebody(admin: Somebody, office: Office) -> None:
    invited = admin.post("/users", {"email": "Lim@example.com", "role": "viewer", "app_ids": [APP]})
    assert invited.status == 201, invited.text
    user_id = user_id_of("lim@example.com")
    assert (invited.json["user_id"], invited.json["is_limited"], invited.json["app_ids"]) == (user_id, True, [APP])
    assert admin.post("/users", {"email": "lim@example.com", "role": "admin"}).status == 409
    assert admin.get(f"/users/{user_id}").json["app_ids"] == [APP]
    assert admin.post("/grants", {"user_id": user_id, "app_ids": [OTHER]}).status == 201
    assert [each["app_id"] for each in admin.get(f"/grants?user_id={user_id}").json["grants"]] == [APP, OTHER]
    lifted = admin.patch(f"/users/{user_id}", {"app_ids": None})
    assert (lifted.status, lifted.json["is_limited"], lifted.json["app_ids"]) == (200, False, None)
    assert admin.post("/grants", {"user_id": user_id, "app_ids": [OTHER]}).status == 409
    assert office.rows("grants") == []
    admin.patch(f"/users/{user_id}", {"app_ids": [APP]})
    office.data().views.add(user_id, "Mine", "apps", "")
    assert admin.delete(f"/users/{user_id}").status == 204
    assert (office.rows("grants"), office.rows("views")) == ([], [])
    assert admin.delete(f"/users/{user_id}").status == 404
    again = admin.post("/users", {"email": "lim@example.com", "role": "viewer", "app_ids": []})
    assert again.json["app_ids"] == []


def test_everybody_is_listed_with_their_apps_and_what_they_did_last(admin: Somebody, office: Office) -> None:
    limited = office.person("lim@example.com", Role.VIEWER, OTHER, APP)
    office.somebody(limited).post("/views", {})
    people = {each["email"]: each for each in admin.get("/users").json["people"]}
    assert people["lim@example.com"]["app_ids"] == [APP, OTHER]
    assert people["lim@example.com"]["last_action_at"] is not None
    assert people["root@example.com"]["app_ids"] is None
    assert people["root@example.com"]["role"] == "admin"


def test_a_grant_that_is_taken_away_signs_its_person_out(admin: Somebody, office: Office) -> None:
    signed_out = []
    office.accounts.sign_out = signed_out.append  # type: ignore[method-assign]
    limited = office.person("lim@example.com", Role.VIEWER, APP, OTHER)
    grant_id = admin.get(f"/grants?user_id={limited}").json["grants"][0]["grant_id"]
    assert admin.delete(f"/grants/{grant_id}").status == 204
    assert admin.delete(f"/grants/{grant_id}").status == 404
    assert signed_out == [limited]
    admin.patch(f"/users/{limited}", {"app_ids": [OTHER, APP]})
    assert signed_out == [limited]
    admin.patch(f"/users/{limited}", {"app_ids": []})
    assert signed_out == [limited, limited]


def test_an_app_that_is_not_fetched_is_granted_to_nobody(admin: Somebody, office: Office) -> None:
    limited = office.person("lim@example.com", Role.VIEWER, is_limited=True)
    for answer in (
        admin.post("/grants", {"user_id": limited, "app_ids": ["1000000999"]}),
        admin.post("/users", {"email": "new@example.com", "role": "viewer", "app_ids": ["1000000999"]}),
        admin.patch(f"/users/{limited}", {"app_ids": ["1000000999"]}),
    ):
        assert answer.status == 404
    assert office.rows("grants") == []


@pytest.mark.parametrize("user_id", ["x", "F" * 32, "f" * 32, "a" * 150])
def test_an_id_of_nobody_is_not_there(admin: Somebody, user_id: str) -> None:
    for answer in each_route_of(admin, user_id):
        assert (answer.status, answer.json["detail"]) == (404, "There is no such person, or you cannot see it.")


def test_what_cannot_be_an_id_is_no_address(admin: Somebody) -> None:
    for answer in each_route_of(admin, "%27%20OR%20%271"):
        assert (answer.status, answer.json["detail"].split(":")[0]) == (404, "There is no such path")


def each_route_of(admin: Somebody, user_id: str) -> tuple[Answer, ...]:
    return (
        admin.get(f"/users/{user_id}"),
        admin.patch(f"/users/{user_id}", {"role": "admin"}),
        admin.delete(f"/users/{user_id}"),
        admin.post(f"/users/{user_id}/invitation"),
        admin.delete(f"/users/{user_id}/second-factor"),
    )


def test_the_last_admin_stays_one_also_when_two_take_the_role_from_each_other(admin: Somebody, office: Office) -> None:
    other = office.somebody(office.person("ruth@example.com", Role.ADMIN), "admin")
    answers = in_threads(
        lambda number: (admin, other)[number].patch(f"/users/{(other, admin)[number].user_id}", {"role": "viewer"}),
        2,
    )
    assert sorted(answer.status for answer in answers)[0] == 200, answers
    left = [each for each in office.accounts.all() if each.role is Role.ADMIN and each.state is State.ACTIVE]
    assert len(left) == 1
    alone = office.somebody(left[0].user_id, "admin")
    for answer in (
        alone.patch(f"/users/{alone.user_id}", {"role": "operator"}),
        alone.patch(f"/users/{alone.user_id}", {"is_enabled": False}),
        alone.delete(f"/users/{alone.user_id}"),
    ):
        assert (answer.status, "last admin" in answer.json["detail"]) == (409, True)
