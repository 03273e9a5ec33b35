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
from tests.unit.apple.apple_in_process import APP, LATEST, Apple, answering, report_id


def failing(status, code="SOME_ERROR", **headers):
    return json_answer({"errors": [{"status": str(status), "code": code}]}, status, headers)


def page(*ids, following=None):
    links = {"next": following} if following else {}
    return json_answer({"data": [{"type": "apps", "id": each} for each in ids], "links": links})


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


REQUEST = {"accessType": "ONGOING", "stoppedDueToInactivity": False}
INSTANCE = {"granularity": "DAILY", "processingDate": "2026-06-01"}
SEGMENT = {"url": "https://x/s3cr3t", "checksum": "d41d8cd98f00b204e9800998ecf8427e", "sizeInBytes": 1}


def the_instances(client):
    """All of them, or the first refusal as an error: entries of instances are refused one by one."""
    found = client.instances("r1", Granularity.DAILY, LATEST)
    for reason in found.refused.values():
        raise AppleRefused(reason)
    return found.listed


LISTS = {
    "report_requests": (lambda client: client.report_requests(APP, AccessType.ONGOING), REQUEST),
    "reports": (lambda client: client.reports("r"), {"name": "App Downloads Standard"}),
    "instances": (the_instances, INSTANCE),
    "segments": (lambda client: client.segments("i"), SEGMENT),
}


def listing(what, *entries):
    return LISTS[what][0](Apple(answering(json_answer({"data": entries}))).client)


@pytest.mark.parametrize(
    ("what", "changes", "words"),
    [
        ("report_requests", {"accessType": "HOURLY"}, r"e1 with an impossible accessType \(HOURLY\)"),
        ("report_requests", {"accessType": None}, "e1 without accessType"),
        ("report_requests", {"stoppedDueToInactivity": "false"}, r"an impossible stoppedDueToInactivity \(false\)"),
        ("reports", {"name": None}, "e1 without name"),
        ("instances", {"granularity": "HOURLY"}, r"an impossible granularity \(HOURLY\)"),
        ("instances", {"granularity": ["DAILY"]}, r"an impossible granularity\."),
        ("instances", {"processingDate": "yesterday"}, r"an impossible processingDate \(yesterday\)"),
        ("instances", {"processingDate": None}, "without processingDate"),
        ("instances", {"processingDate": "20260601"}, r"an impossible processingDate \(20260601\)"),
        ("instances", {"processingDate": "2026-W23-1"}, r"an impossible processingDate \(2026-W23-1\)"),
        ("instances", {"processingDate": "２０２６-06-01"}, r"an impossible processingDate \(\?{4}-06-01\)"),
        ("instances", {"processingDate": "2026-06-01T00:00:00Z"}, "an impossible processingDate"),
        ("instances", {"processingDate": "2026-06-31"}, "an impossible processingDate"),
        ("segments", {"checksum": 7}, r"an impossible checksum \(7\)"),
        ("segments", {"sizeInBytes": "1"}, r"an impossible sizeInBytes \(1\)"),
        ("segments", {"sizeInBytes": True}, r"an impossible sizeInBytes \(True\)"),
        ("segments", {"url": ["https://x/s3cr3t"]}, r"an impossible url\."),
        ("segments", {"sizeInBytes": -1}, r"an impossible sizeInBytes \(-1\)"),
        ("segments", {"sizeInBytes": 1.0}, r"an impossible sizeInBytes\."),
        ("segments", {"checksum": ""}, r"an impossible checksum \(\)"),
        ("segments", {"checksum": "0" * 64}, "an impossible checksum"),
        ("segments", {"checksum": " d41d8cd98f00b204e9800998ecf8427e"}, "an impossible checksum"),
        ("reports", {"name": 7}, r"an impossible name \(7\)"),
        ("reports", {"name": ["App Downloads Standard"]}, r"an impossible name\."),
        ("report_requests", {"accessType": "ongoing"}, r"an impossible accessType \(ongoing\)"),
        ("report_requests", {"stoppedDueToInactivity": 0}, r"an impossible stoppedDueToInactivity \(0\)"),
        ("instances", {"granularity": "daily"}, r"an impossible granularity \(daily\)"),
        ("instances", {"processingDate": "2019-12-31"}, r"an impossible processingDate \(2019-12-31\)"),
        ("instances", {"processingDate": "2026-06-01\n"}, "an impossible processingDate"),
        ("instances", {"processingDate": "2026‐06‐01"}, "an impossible processingDate"),
        ("instances", {"processingDate": 1.0e9}, "an impossible processingDate"),
        ("instances", {"processingDate": {"day": 1}}, "an impossible processingDate"),
    ],
)
def test_an_entry_that_nobody_knows_is_refused_by_the_attributes_name(what, changes, words):
    entry = {"id": "e1", "attributes": {**LISTS[what][1], **changes}}
    with pytest.raises(AppleRefused, match=words) as raised:
        listing(what, entry)
    assert "s3cr3t" not in str(raised.value)


@pytest.mark.parametrize(
    "identifier", ["..", ".", "a/b", "a b", "A" * 201, "é", "a\n", "%2e%2e", "-a", "a..b", "\ud800"]
)
@pytest.mark.parametrize("what", LISTS)
def test_an_id_that_could_lead_elsewhere_is_refused(what, identifier):
    with pytest.raises(AppleRefused, match="characters that cannot be part of an S3 key"):
        listing(what, {"id": identifier, "attributes": LISTS[what][1]})


@pytest.mark.parametrize("identifier", ["0", "007", "-1", "1.0", "1e9", "１", "1" * 19, " 1", "1\n", "0x1", "\ud800"])
def test_an_app_whose_id_is_no_number_as_apple_writes_it_is_refused(identifier):
    with pytest.raises(AppleRefused, match="an app whose id is not a number"):
        Apple(answering(page(identifier))).client.app_names()


BODIES_THAT_ARE_NO_PAGE = [
    '{"data": []}'.encode("utf-16"),
    b'{"data": [{"id": "1", "size": ' + b"9" * 5000 + b"}]}",
    b'{"data": []} {"data": []}',
    b'{"data": []}\0',
    b'{"data": [{"id": "1"}',
    b'{"data": [{"id": "1}]}',
    b'{"data": {"id": "1"}}',
    b'{"errors": [{"code": "X"}]}',
    b'"data"',
    b"null",
    b"[]",
    b"",
    b"data: []",
    b"{'data': []}",
    b'{"data": [],}',
    b"\xff\xfe",
]


@pytest.mark.parametrize("body", BODIES_THAT_ARE_NO_PAGE, ids=range(len(BODIES_THAT_ARE_NO_PAGE)))
def test_a_body_that_is_no_page_is_no_answer(body):
    with pytest.raises(AppleUnavailable, match="not JSON:API"):
        Apple(answering(Answer(200, body))).client.app_names()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"data": ' + b"[" * 33 + b"]" * 33 + b"}", "nested deeper than 32 levels"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "nested deeper than 32 levels"),
        (b'{"data": [' + b'"a",' * 500_001 + b'"a"]}', "more than 500,000 values"),
        (b'{"data": [' + b"{}," * 300_000 + b"{}]}", "more than 500,000 values"),
        (b'{"data": [' + b"1," * 4_000_000 + b"1]}", "more than 500,000 values"),
        (b" " * ((8 << 20) + 1), "more than 8 MiB"),
    ],
    ids=["lists", "objects", "texts", "many objects", "numbers", "spaces"],
)
def test_json_that_nobody_would_send_is_refused_before_it_is_read(body, words):
    with pytest.raises(AppleRefused, match=words):
        Apple(answering(Answer(200, body))).client.app_names()


def test_brackets_inside_of_texts_are_no_levels_and_a_mark_before_the_json_is_none_of_it():
    body = b'\xef\xbb\xbf{"data": [{"id": "1", "attributes": {"name": "' + b"[{" * 100 + rb"\"[\\" + b'"}}]}'
    assert list(Apple(answering(Answer(200, body))).client.app_names()) == ["1"]


@pytest.mark.parametrize("entry", [None, "e1", {}, {"id": 7}, {"id": ""}])
@pytest.mark.parametrize("what", LISTS)
def test_an_entry_without_an_id_is_refused(what, entry):
    with pytest.raises(AppleRefused, match="without an id"):
        listing(what, entry)


@pytest.mark.parametrize("attributes", [None, [], {}])
@pytest.mark.parametrize("what", ["report_requests", "reports", "instances"])
def test_an_entry_without_attributes_is_refused(what, attributes):
    with pytest.raises(AppleRefused, match="e1 without"):
        listing(what, {"id": "e1", "attributes": attributes})


def test_what_apple_may_leave_out_may_be_missing():
    (request,) = listing("report_requests", {"id": "e1", "attributes": {"accessType": "ONGOING"}})
    assert not request.is_stopped
    (segment,) = listing("segments", {"id": "e1", "attributes": {"url": "https://x"}})
    assert (segment.checksum, segment.size_bytes) == (None, None)
    with pytest.raises(AppleUnavailable, match="without a URL"):
        listing("segments", {"id": "e1", "attributes": {}})


@pytest.mark.parametrize("what", ["report_requests", "instances", "segments"])
def test_an_entry_that_is_listed_twice_is_one_unless_the_two_contradict_each_other(what):
    attributes = LISTS[what][1]
    first, again = ({"id": "e1", "attributes": {**attributes, **more}} for more in ({}, {"url": "https://x/later"}))
    assert len(listing(what, first, again, {**first, "id": "e2"})) == 2
    other = {"stoppedDueToInactivity": True, "processingDate": "2026-06-02", "sizeInBytes": 2}
    with pytest.raises(AppleRefused, match="e1 twice, and not the same"):
        listing(what, first, {"id": "e1", "attributes": attributes | other})


def instance(identifier, processing_date, granularity="DAILY"):
    return {"id": identifier, "attributes": {"granularity": granularity, "processingDate": processing_date}}


IMPOSSIBLE_DAYS = [
    "9999-12-31",
    "2027-01-01",
    "0001-01-01",
    "20260601",
    "2026-W23-1",
    "2026-152",
    "2026-06-31",
    "2026-6-1",
    "2026-06-01T00:00:00Z",
    "\uff12\uff10\uff12\uff16-06-01",
    "2026-06-01 ",
    "",
    20260601,
    True,
    ["2026-06-01"],
]


@pytest.mark.parametrize("day", IMPOSSIBLE_DAYS)
def test_an_instance_with_an_impossible_processing_date_is_refused_by_name_and_no_other(day):
    entries = [instance("good", "2026-06-01"), instance("bad", day), instance("newest", LATEST.isoformat())]
    client = Apple(answering(json_answer({"data": entries}))).client
    found = client.instances("r1", Granularity.DAILY, LATEST)
    assert [each.id for each in found.listed] == ["good", "newest"]
    assert list(found.refused) == ["bad"]
    assert found.refused["bad"].startswith("App Store Connect sent bad with an impossible processingDate")


def test_every_entry_that_cannot_be_right_is_refused_alone():
    entries = [
        instance("a", "2026-06-01"),
        None,
        instance("b", "2026-06-02"),
        instance("b", "2026-06-03"),
        instance("../c", "2026-06-04"),
        {"id": 7},
        instance("d", "2026-06-05", "HOURLY"),
        instance("e", "2026-06-06", "WEEKLY"),
        instance("a", "2026-06-01"),
        instance("f", "2026-06-07"),
    ]
    found = Apple(answering(json_answer({"data": entries}))).client.instances("r1", Granularity.DAILY, LATEST)
    assert [each.id for each in found.listed] == ["a", "f"]
    assert list(found.refused) == ["entry 2", "b", "../c", "entry 6", "d"]


def test_a_list_of_an_app_without_end_costs_five_calls():
    pages = [json_answer({"data": [], "links": {"next": f"{APPLE_URL}/v1/x?cursor={n}"}}) for n in range(9)]
    for what in ("report_requests", "reports", "instances"):
        apple = Apple(answering(*pages))
        with pytest.raises(AppleRefused, match="more than 5 pages"):
            LISTS[what][0](apple.client)
        assert len(apple.wire.calls) == 5


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
