import gzip
import itertools
import json
import traceback

import pytest
import requests

from appstore_analytics.apple.entries import Conflict
from appstore_analytics.apple.rate_limit import RateLimit
from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.contract.errors import (
    AppleRefused,
    AppleUnavailable,
    CallsUnavailable,
    KeyDoubted,
    NotFound,
    RoleMissing,
)
from local.apple import Fault, FaultKind
from local.apple.adapter import APPLE_URL
from local.apple.http import Answer, json_answer
from local.apple.keys import ApiRole
from tests.unit.apple.answers_of_apple import page
from tests.unit.apple.apple_in_process import APP, LATEST, Apple, answering, report_id


def failing(status, code="SOME_ERROR", **headers):
    return json_answer({"errors": [{"status": str(status), "code": code}]}, status, headers)


def calls_of(client):
    return [
        client.app_names,
        lambda: client.create_report_request(APP, AccessType.ONGOING),
        lambda: client.delete_report_request("r"),
    ]


def test_a_report_request_is_created_once_found_and_read_down_to_its_segments():
    apple = Apple()
    client = apple.client
    made = client.create_report_request(APP, AccessType.ONGOING)
    assert client.create_report_request(APP, AccessType.ONGOING) == Conflict("STATE_ERROR")
    assert client.report_requests(APP, AccessType.ONGOING) == (made,)
    assert client.report_requests(APP, AccessType.ONE_TIME_SNAPSHOT) == ()
    apple.world.advance(1)
    found = report_id(client, made.id)
    (instance,) = client.instances(found, Granularity.DAILY, LATEST).listed
    assert instance.processing_date == apple.world.today
    assert all(segment.url not in repr(segment) for segment in client.segments(instance.id))
    assert apple.calls.limits[0] == RateLimit(3499, hour_limit=3500)


def test_deleting_a_missing_report_request_is_fine():
    apple = Apple()
    apple.client.delete_report_request("gone")
    assert apple.wire.methods == ["DELETE"]


def test_every_page_is_read_and_next_is_followed_verbatim():
    query = "cursor=a%2Fb+c~&limit=200"
    wire = answering(page("1", following=f"{APPLE_URL}/v1/apps?{query}"), page("2"))
    assert Apple(wire).client.app_names() == {"1": "", "2": ""}
    assert wire.queries[1] == query


def test_a_page_that_links_to_itself_is_refused():
    apple = Apple()
    apple.world.faults.order(Fault(FaultKind.SELF_LINK, times=None))
    with pytest.raises(AppleRefused, match="itself"):
        apple.client.app_names()
    assert len(apple.wire.calls) <= 2


@pytest.mark.parametrize(
    "start",
    [
        "https://evil.example",
        "http://api.appstoreconnect.apple.com",
        APPLE_URL + ".evil",
        APPLE_URL + ":8443",
        APPLE_URL + ":x",
        APPLE_URL.replace("//", "//user@"),
        "//evil.example",
    ],
)
def test_no_token_follows_a_next_link_to_another_host(start):
    apple = Apple(answering(page("1", following=f"{start}/v1/apps")))
    with pytest.raises(AppleRefused, match="another host"):
        apple.client.app_names()
    assert (len(apple.wire.calls), apple.elsewhere.calls) == (1, [])


def test_a_redirect_is_not_followed():
    apple = Apple()
    apple.world.faults.order(Fault(FaultKind.REDIRECT))
    with pytest.raises(AppleRefused, match="302"):
        apple.client.app_names()
    assert apple.elsewhere.calls == []


def test_a_list_without_end_stops_before_it_has_used_up_the_quota():
    wire = answering(*(page(str(number), following=f"{APPLE_URL}/v1/apps?cursor={number}") for number in range(1, 501)))
    with pytest.raises(AppleRefused, match="more than 100 pages of v1/apps"):
        Apple(wire).client.app_names()
    assert len(wire.calls) == 100


@pytest.mark.parametrize("links", [["next"], "next", {"next": {"href": "x"}}, {"next": 7}, {"next": "https://["}])
def test_a_next_link_that_is_no_address_is_refused(links):
    apple = Apple(answering(json_answer({"data": [], "links": links})))
    with pytest.raises(AppleRefused, match=r"links\.next"):
        apple.client.app_names()


@pytest.mark.parametrize(
    "following",
    ["/v1/apps?cursor=2", "?cursor=2", f"{APPLE_URL.upper()}/v1/apps?cursor=2", f"{APPLE_URL}:443/v1/apps?cursor=2",
     f" {APPLE_URL}/v1/apps?cursor=2\n"],
)  # fmt: skip
def test_a_next_link_may_leave_out_or_spell_apples_host_as_it_likes(following):
    wire = answering(page("1", following=following), page("2"))
    assert set(Apple(wire).client.app_names()) == {"1", "2"}
    assert (wire.calls[1]["PATH_INFO"], wire.queries[1]) == ("/v1/apps", "cursor=2")


@pytest.mark.parametrize("links", [None, {}, [], {"next": None}, {"next": ""}, {"next": " "}])
def test_a_page_without_a_next_link_is_the_last(links):
    wire = answering(json_answer({"data": [{"type": "apps", "id": "1"}], "links": links}))
    assert set(Apple(wire).client.app_names()) == {"1"}
    assert len(wire.calls) == 1


@pytest.mark.parametrize("code", ["STATE_ERROR", "STATE_ERROR.ENTITY_STATE_INVALID", "ENTITY_ERROR"])
def test_a_409_tells_by_its_code_that_the_request_exists(code):
    client = Apple(answering(failing(409, code))).client
    assert client.create_report_request(APP, AccessType.ONGOING).says_it_exists


@pytest.mark.parametrize("code", ["ENTITY_ERROR.RELATIONSHIP.INVALID", "ENTITY_ERROR.ATTRIBUTE.INVALID", "OTHER"])
def test_a_409_with_another_code_means_something_else(code):
    assert Apple(answering(failing(409, code))).client.create_report_request(APP, AccessType.ONGOING) == Conflict(code)
    assert not Conflict(code).says_it_exists


def test_an_app_that_apple_does_not_know_is_named_with_what_to_do():
    with pytest.raises(NotFound) as unknown:
        Apple(answering(failing(404, "NOT_FOUND"))).client.report_requests("123", AccessType.ONGOING)
    assert str(unknown.value).startswith("Apple does not know app 123: remove it from accounts in cdk.json if")
    assert "the account that it moved to" in str(unknown.value)
    assert str(unknown.value).endswith("the next run continues with it.")


@pytest.mark.parametrize(
    ("code", "words", "other"),
    [
        ("FORBIDDEN_ERROR", "role Admin, Finance or Sales and Reports", "agreement"),
        ("FORBIDDEN.REQUIRED_AGREEMENTS_MISSING_OR_EXPIRED", "account holder must accept", "role"),
        ("FORBIDDEN", "either an agreement is missing or has expired.*or the API key needs the role Admin", "nothing"),
        ("FORBIDDEN_ERROR.SOMETHING_NEW", "either an agreement .* or the API key needs", "nothing"),
        ("FORBIDDEN.SOMETHING_NEW", "either an agreement .* or the API key needs", "nothing"),
    ],
)
def test_a_403_names_the_causes_that_its_code_leaves_open(code, words, other):
    with pytest.raises(RoleMissing, match=words) as refused:
        Apple(answering(failing(403, code))).client.app_names()
    assert other not in str(refused.value)


def test_an_app_that_is_listed_twice_is_one():
    assert Apple(answering(page("1", "2", "1"))).client.app_names() == {"1": "", "2": ""}


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (failing(400), AppleRefused, "400 SOME_ERROR"),
        (failing(403, "FORBIDDEN_ERROR"), RoleMissing, "role"),
        (failing(403, "FORBIDDEN.REQUIRED_AGREEMENTS_MISSING_OR_EXPIRED"), RoleMissing, "agreement"),
        (failing(404), NotFound, "SOME_ERROR"),
        (failing(409), AppleRefused, "409"),
        (failing(422), AppleRefused, "422"),
        *((failing(status), AppleRefused, str(status)) for status in (300, 402, 405, 406, 410, 413, 418, 451)),
        *((failing(status), AppleUnavailable, str(status)) for status in (408, 421, 425, 501, 502, 504, 507)),
        (Answer(422, b'{"errors": [{"code": null}]}'), AppleRefused, "422 Unprocessable Entity"),
        (Answer(422, b'{"errors": [{"code": ["A"]}]}'), AppleRefused, "422 Unprocessable Entity"),
        (Answer(422, b'{"errors": [{"code": ""}]}'), AppleRefused, "422 Unprocessable Entity"),
        (Answer(422, b'{"errors": {}}'), AppleRefused, "422 Unprocessable Entity"),
        (Answer(422, b'{"errors": []}'), AppleRefused, "422 Unprocessable Entity"),
        (failing(500), AppleUnavailable, "500"),
        (Answer(503, b"<html>"), AppleUnavailable, "503"),
        (requests.Timeout("late"), AppleUnavailable, "Timeout"),
        (Answer(200, b"<html>"), AppleUnavailable, "not JSON:API"),
        (json_answer({"data": None}), AppleUnavailable, "not JSON:API"),
        (json_answer([]), AppleUnavailable, "not JSON:API"),  # type: ignore[arg-type]
    ],
)
def test_each_answer_is_the_error_that_says_what_to_do_next(answer, error, words):
    apple = Apple(answering(answer))
    with pytest.raises(error, match=words):
        apple.client.app_names()
    assert len(apple.wire.calls) == apple.calls.taken == 1


def test_an_answer_that_drips_is_given_up(monkeypatch):
    seconds = itertools.count(step=20)
    monkeypatch.setattr("appstore_analytics.apple.client.monotonic", lambda: next(seconds))
    names = ["x" * 40_000] * 2  # two pieces: one arrives after 20 seconds, the other after 40
    data = [{"type": "apps", "id": str(number), "name": name} for number, name in enumerate(names, start=1)]
    assert Apple(answering(json_answer({"data": data[:1]}))).client.app_names() == {"1": ""}
    with pytest.raises(AppleUnavailable, match="longer than 35 seconds"):
        Apple(answering(json_answer({"data": data}))).client.app_names()


def test_a_packed_answer_is_unpacked_and_one_that_cannot_be_is_no_answer():
    body = json.dumps({"data": [{"type": "apps", "id": "1"}]}).encode()
    encoding = {"Content-Encoding": "gzip"}
    assert Apple(answering(Answer(200, gzip.compress(body), encoding))).client.app_names() == {"1": ""}
    with pytest.raises(AppleUnavailable, match="did not answer GET"):
        Apple(answering(Answer(200, body, encoding))).client.app_names()


def test_a_token_that_ended_on_the_way_is_renewed_once():
    wire = answering(failing(401), page("1"))
    assert Apple(wire).client.app_names() == {"1": ""}
    first, second = wire.authorizations
    assert first != second


def test_a_key_is_doubted_after_one_renewal():
    apple = Apple()
    apple.world.keys.revoke(apple.key.key_id)
    with pytest.raises(KeyDoubted, match="NOT_AUTHORIZED"):
        apple.client.app_names()
    assert len(apple.wire.calls) == 2


def test_a_reader_may_not_create():
    apple = Apple()
    apple.sign_in(apple.world.keys.register(ApiRole.FINANCE, individual=True))
    assert APP in apple.client.app_names()
    with pytest.raises(RoleMissing, match="Admin"):
        apple.client.create_report_request(APP, AccessType.ONGOING)


def test_a_429_goes_to_the_call_budget_with_its_limits():
    apple = Apple()
    apple.world.faults.order(Fault(FaultKind.STATUS, status=429, retry_after_seconds=30, minute_header=True))
    with pytest.raises(CallsUnavailable):
        apple.client.app_names()
    assert apple.calls.refusals == [RateLimit(None, 0, 30)]
    assert apple.calls.limits == []


@pytest.mark.parametrize(
    "fault", [Fault(FaultKind.STATUS), Fault(FaultKind.RESET), Fault(FaultKind.STATUS, status=429)]
)
@pytest.mark.parametrize("number", [1, 2])
def test_post_and_delete_are_sent_exactly_once(fault, number):
    apple = Apple()
    apple.world.faults.order(fault)
    with pytest.raises((AppleUnavailable, CallsUnavailable)):
        calls_of(apple.client)[number]()
    assert len(apple.wire.calls) == 1


@pytest.mark.parametrize("status", [401, 403, 422, 500, None])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_no_error_holds_the_token_or_the_key(status, number):
    apple = Apple()
    bearer = apple.tokens.bearer()
    apple.wire.application = answering(failing(status) if status else requests.ConnectionError(f"lost {bearer}"))
    with pytest.raises((AppleRefused, AppleUnavailable, KeyDoubted, RoleMissing)) as raised:
        calls_of(apple.client)[number]()
    said = "".join(traceback.format_exception(raised.value)) + repr(raised.value)
    assert bearer not in said
    assert not any(line in said for line in apple.key.private_key_pem.splitlines())
    assert json.dumps(bearer) not in repr(apple.client)


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ({"name": "Tiny Chess"}, "Tiny Chess"),
        ({"name": "  Größe\t 大 \n"}, "Größe 大"),
        ({"name": "\x1b[31mred\u202e"}, "[31mred"),
        ({"name": "x" * 500}, "x" * 60),
        ({"name": None}, ""),
        ({"name": 7}, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_a_name_is_shown_as_far_as_it_can_be_and_never_costs_its_app(attributes, name):
    entry = {"type": "apps", "id": "1", "attributes": attributes}
    assert Apple(answering(json_answer({"data": [entry]}))).client.app_names() == {"1": name}


def test_the_names_of_many_apps_are_asked_by_the_page():
    apple = Apple()
    known = tuple(apple.world.apps)
    names = apple.client.app_names((*known, *map(str, range(1, 400))))
    assert names == {app_id: app.name for app_id, app in apple.world.apps.items()}
    assert len(apple.wire.calls) == 3


def test_versions_are_those_that_are_or_were_on_sale():
    apple = Apple()
    found = {version.number: version for version in apple.client.versions(APP)}
    assert sorted(found) == ["3.9.12", "4.0", "4.1.3", "4.2.0"]
    assert [number for number, version in found.items() if version.is_on_sale] == ["4.2.0"]
    (query,) = apple.wire.queries
    assert "filter%5BappVersionState%5D=READY_FOR_DISTRIBUTION%2CREPLACED_WITH_NEW_VERSION" in query


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("platform", "WATCH_OS"), ("platform", None), ("versionString", 7), ("appVersionState", "IN_REVIEW")],
)
def test_a_version_that_cannot_be_right_is_refused_by_its_attribute(attribute, value):
    attributes = {"platform": "IOS", "versionString": "1.0", "appVersionState": "READY_FOR_DISTRIBUTION"}
    entry = {"type": "appStoreVersions", "id": "v-1", "attributes": {**attributes, attribute: value}}
    body = json.dumps({"data": [entry]}).encode()
    with pytest.raises(AppleRefused, match=rf"App Store Connect sent v-1 with(out| an impossible) {attribute}"):
        Apple(answering(Answer(200, body))).client.versions(APP)
