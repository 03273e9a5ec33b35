import jwt
import pytest

from local.apple import ApiRole
from local.apple.keys import fresh_key


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "somebody-else"},
        {"iss": "another-issuer"},
        {"exp": None},
        {"kid": "UNKNOWN123"},
    ],
)
def test_a_token_with_a_wrong_claim_is_not_authorized(client, changes):
    client.sign_in(client.world.admin_key, **changes)
    answer = client.get("/v1/apps")
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["code"] == "NOT_AUTHORIZED"


def test_without_a_token_nothing_is_answered(client):
    del client.session.headers["Authorization"]
    assert client.get("/v1/apps").status_code == 401


def test_a_token_signed_by_another_key_is_not_authorized(client):
    key = client.world.admin_key
    stranger = fresh_key(ApiRole.ADMIN, key.issuer_id)
    now = int(client.clock())
    body = {"iss": key.issuer_id, "iat": now, "exp": now + 60, "aud": "appstoreconnect-v1"}
    forged = jwt.encode(body, stranger.private_key_pem, "ES256", {"kid": key.key_id})
    client.session.headers["Authorization"] = f"Bearer {forged}"
    answer = client.get("/v1/apps")
    assert answer.status_code == 401
    assert forged not in answer.text


def test_a_token_for_more_than_twenty_minutes_is_not_authorized(client):
    client.sign_in(client.world.admin_key, exp=int(client.clock()) + 1201)
    assert client.get("/v1/apps").status_code == 401


def test_a_token_expires_by_the_wall_clock_also_after_it_was_accepted(client):
    assert client.get("/v1/apps").status_code == 200
    client.clock.seconds += 1201
    assert client.get("/v1/apps").status_code == 401


def test_a_token_from_the_future_is_not_authorized(client):
    client.sign_in(client.world.admin_key)
    client.clock.seconds -= 3600
    assert client.get("/v1/apps").status_code == 401


def test_a_revoked_key_is_not_authorized(client):
    assert client.get("/v1/apps").status_code == 200
    client.world.keys.revoke(client.world.admin_key.key_id)
    assert client.get("/v1/apps").status_code == 401


def test_an_individual_key_says_sub_user_and_no_issuer(client):
    key = client.world.keys.register(ApiRole.ADMIN, individual=True)
    client.sign_in(key)
    assert client.get("/v1/apps").status_code == 200
    client.sign_in(key, iss=client.world.keys.issuer_id)
    assert client.get("/v1/apps").status_code == 401


@pytest.mark.parametrize("role", [ApiRole.SALES_AND_REPORTS, ApiRole.FINANCE])
def test_a_reader_key_lists_but_neither_creates_nor_deletes(client, role):
    request_id = client.created()
    client.sign_in(client.world.keys.register(role))
    assert client.get(f"/v1/analyticsReportRequests/{request_id}/reports").status_code == 200
    refused = client.create(app_id="1000000002")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (403, "FORBIDDEN_ERROR")
    address = f"https://api.appstoreconnect.apple.com/v1/analyticsReportRequests/{request_id}"
    assert client.session.delete(address).status_code == 403


def test_a_developer_key_sees_no_analytics(client):
    client.sign_in(client.world.keys.register(ApiRole.DEVELOPER))
    assert client.get("/v1/apps/1000000001/analyticsReportRequests").status_code == 403


def test_an_app_can_be_forbidden_with_all_that_hangs_on_it(client):
    request_id = client.created()
    client.world.advance(1)
    report_id = client.report_id(request_id, "App Opt In")
    (instance_id,) = client.instances(request_id, "App Opt In").values()
    client.world.forbidden_app_ids.add("1000000001")
    for path in (
        f"analyticsReportRequests/{request_id}",
        f"analyticsReportRequests/{request_id}/reports",
        f"analyticsReports/{report_id}/instances",
        f"analyticsReportInstances/{instance_id}/segments",
    ):
        assert client.get(f"/v1/{path}").status_code == 403
    address = f"https://api.appstoreconnect.apple.com/v1/analyticsReportRequests/{request_id}"
    assert client.session.delete(address).status_code == 403


def test_a_forbidden_app_can_have_no_request_and_others_are_free(client):
    client.world.forbidden_app_ids.add("1000000002")
    assert client.get("/v1/apps/1000000002/analyticsReportRequests").status_code == 403
    assert client.create(app_id="1000000002").status_code == 403
    assert client.get("/v1/apps/1000000001/analyticsReportRequests").status_code == 200


def test_a_token_with_a_scope_reads_but_answers_405_to_a_post(client):
    client.sign_in(client.world.admin_key, scope=["GET /v1/apps"])
    assert client.get("/v1/apps").status_code == 200
    assert client.create().status_code == 405


def test_every_answer_tells_what_is_left_of_the_hour(start):
    client = start(calls_per_hour=3)
    assert client.get("/v1/apps").headers["X-Rate-Limit"] == "user-hour-lim:3;user-hour-rem:2;"
    assert client.create(app_id="9").headers["X-Rate-Limit"] == "user-hour-lim:3;user-hour-rem:1;"


def test_the_hour_is_rolling_and_belongs_to_the_key(start):
    client = start(calls_per_hour=2)
    assert client.get("/v1/apps").status_code == 200
    client.clock.seconds += 600
    assert client.get("/v1/apps").status_code == 200
    refused = client.get("/v1/apps")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert refused.headers["X-Rate-Limit"] == "user-hour-lim:2;user-hour-rem:0;"
    assert "Retry-After" not in refused.headers
    client.sign_in(client.world.keys.register(ApiRole.FINANCE))
    assert client.get("/v1/apps").status_code == 200
    client.clock.seconds += 3001
    client.sign_in(client.world.admin_key)
    assert [client.get("/v1/apps").status_code for _ in range(2)] == [200, 429]


def test_a_key_may_be_throttled_for_a_minute_after_so_many_calls_whatever_its_hour_says(start):
    client = start(calls_before_rest=2)
    client.clock.seconds += 0.5

    def asked(times):
        return [client.get("/v1/apps").status_code for _ in range(times)]

    assert asked(4) == [200, 200, 429, 429]
    client.clock.seconds += 59
    assert asked(1) == [429]  # and does not restart the minute
    client.clock.seconds += 1
    assert asked(3) == [200, 200, 429]
    client.sign_in(client.world.keys.register(ApiRole.FINANCE))
    assert asked(1) == [200]
