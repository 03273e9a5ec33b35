"""The entries of Apple's lists: what is read, and what is refused by its attribute's name."""

import pytest

from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.contract.errors import (
    AppleRefused,
    AppleUnavailable,
)
from local.apple.adapter import APPLE_URL
from local.apple.http import Answer, json_answer
from tests.unit.apple.answers_of_apple import instance, page
from tests.unit.apple.apple_in_process import APP, LATEST, Apple, answering

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
