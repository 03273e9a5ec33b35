import functools
import gzip
import hashlib
import io

import pytest
import requests

from appstore_analytics.contract.catalogue import REPORTS_BY_NAME
from local.apple import Fault, FaultKind
from local.apple.faults import FILE_KINDS
from local.apple.files import NEW_HEADER

APPLE = "https://api.appstoreconnect.apple.com"
DOWNLOADS = "App Downloads Standard"
HEADER = [column.header for column in REPORTS_BY_NAME[DOWNLOADS].columns]
SEGMENTS_LIST = "GET /v1/analyticsReportInstances/.*/segments"


@pytest.fixture
def instance_id(client):
    request_id = client.created()
    client.world.advance(1)
    return client.instances(request_id, DOWNLOADS)["2026-06-02"]


def order(client, kind, **settings):
    client.world.faults.order(Fault(kind, **settings))


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "NOT_AUTHORIZED"),
        (403, "FORBIDDEN_ERROR"),
        (404, "NOT_FOUND"),
        (429, "RATE_LIMIT_EXCEEDED"),
        (500, "UNEXPECTED_ERROR"),
        (503, "UNEXPECTED_ERROR"),
    ],
)
def test_a_status_is_answered_as_often_as_ordered(client, status, code):
    order(client, FaultKind.STATUS, status=status, route="GET /v1/apps$", times=2)
    answers = [client.get("/v1/apps") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 200]
    assert answers[0].json()["errors"][0]["code"] == code


def test_two_faults_happen_one_after_the_other(client):
    order(client, FaultKind.STATUS, status=500)
    order(client, FaultKind.STATUS, status=429)
    assert [client.get("/v1/apps").status_code for _ in range(3)] == [500, 429, 200]


def test_a_429_may_carry_retry_after_or_only_the_minute(client):
    order(client, FaultKind.STATUS, status=429, retry_after_seconds=7)
    order(client, FaultKind.STATUS, status=429, minute_header=True, route="GET /v1/apps/")
    with_time = client.get("/v1/apps")
    assert with_time.headers["Retry-After"] == "7"
    only_minute = client.get("/v1/apps/1000000001/analyticsReportRequests")
    assert only_minute.headers["X-Rate-Limit"] == "user-minute-lim:350;user-minute-rem:0;"
    assert "Retry-After" not in only_minute.headers


def test_a_fault_keeps_to_its_route_app_and_report(client, instance_id):
    order(client, FaultKind.STATUS, report="App Crashes", route=SEGMENTS_LIST, times=None)
    order(client, FaultKind.STATUS, app_id="1000000002", times=None)
    order(client, FaultKind.STATUS, processing_date="2026-06-01", times=None)
    assert client.segments(instance_id)
    crashes = client.instances(client.world.requests_of("1000000001")[0].id, "App Crashes")["2026-06-02"]
    assert client.get(f"/v1/analyticsReportInstances/{crashes}/segments").status_code == 503
    assert client.get("/v1/apps/1000000002/analyticsReportRequests").status_code == 503
    assert client.create(app_id="1000000002").status_code == 503


def test_a_fault_of_half_probability_happens_about_half_the_time_and_the_same_way_again(start):
    runs = []
    for client in (start(), start()):
        order(client, FaultKind.STATUS, probability=0.5, times=None)
        runs.append([client.get("/v1/apps").status_code for _ in range(60)])
    assert 15 < runs[0].count(503) < 45
    assert runs[0] == runs[1]


def test_a_delay_is_a_time_out_for_a_client_without_so_much_patience(client):
    order(client, FaultKind.DELAY, seconds=2.5, times=3)
    with pytest.raises(requests.ReadTimeout):
        client.session.get(f"{APPLE}/v1/apps", timeout=(5, 2))
    assert client.session.get(f"{APPLE}/v1/apps", timeout=3).status_code == 200
    assert client.get("/v1/apps").status_code == 200


def test_a_request_is_created_although_the_client_no_longer_waits(client):
    order(client, FaultKind.DELAY, seconds=60, route="^POST")
    client.session.request = functools.partial(client.session.request, timeout=30)
    with pytest.raises(requests.ReadTimeout):
        client.create()
    assert client.create().status_code == 409


def test_an_expired_token_stays_expired_and_a_fresh_one_is_accepted(client):
    order(client, FaultKind.TOKEN_EXPIRED)
    assert [client.get("/v1/apps").status_code for _ in range(2)] == [401, 401]
    client.sign_in(client.world.admin_key)
    assert client.get("/v1/apps").status_code == 200


def test_a_reset_is_a_connection_error(client):
    order(client, FaultKind.RESET)
    with pytest.raises(requests.ConnectionError):
        client.get("/v1/apps")
    assert client.world.statistics.by_route() == {"GET /v1/apps": {"reset": 1}}


def test_an_answer_can_be_lost_after_the_request_was_created(client):
    order(client, FaultKind.RESET, route="^POST", after_effect=True)
    with pytest.raises(requests.ConnectionError):
        client.create()
    assert len(client.data("/v1/apps/1000000001/analyticsReportRequests")) == 1
    assert client.create().status_code == 409


def test_a_reset_before_the_effect_creates_nothing(client):
    order(client, FaultKind.RESET, route="^POST")
    with pytest.raises(requests.ConnectionError):
        client.create()
    assert client.create().status_code == 201


def test_a_truncated_body_is_noticed_by_its_length(client, instance_id):
    url = client.segments(instance_id)[0]["url"]
    order(client, FaultKind.TRUNCATED_BODY, route="GET /segments/")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        client.download(url)
    assert client.download(url).status_code == 200


def test_the_store_of_segments_fails_in_xml(client, instance_id):
    url = client.segments(instance_id)[0]["url"]
    order(client, FaultKind.STATUS, route="GET /segments/", report=DOWNLOADS)
    answer = client.download(url)
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/xml")
    assert "<Code>SlowDown</Code>" in answer.text


def test_a_file_without_app_ids_cannot_name_another_app(client):
    request_id = client.created()
    client.world.advance(1)
    expanded = client.instances(request_id, "App Crashes Expanded")["2026-06-02"]
    right = client.segments(expanded)[0]["checksum"]
    order(client, FaultKind.OTHER_APP, route=SEGMENTS_LIST)
    assert client.segments(expanded)[0]["checksum"] == right


def test_a_ghost_is_a_conflict_that_no_list_shows(client):
    order(client, FaultKind.GHOST, route="^POST", times=None)
    assert client.create().json()["errors"][0]["detail"] == "You already have such an entity"
    assert client.data("/v1/apps/1000000001/analyticsReportRequests") == []


def test_a_redirect_points_to_another_host(client, instance_id):
    order(client, FaultKind.REDIRECT, route="GET /segments/")
    url = client.segments(instance_id)[0]["url"]
    answer = client.session.get(url, headers={"Authorization": None}, allow_redirects=False)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("https://files.example.net/")


def test_a_page_can_link_to_itself_and_hold_an_entry_twice(client, instance_id):
    report = client.report_id(client.world.requests_of("1000000001")[0].id, DOWNLOADS)
    order(client, FaultKind.SELF_LINK, route="/instances$")
    order(client, FaultKind.DUPLICATE, route="/instances$")
    body = client.get(f"/v1/analyticsReports/{report}/instances").json()
    assert body["links"]["next"] == body["links"]["self"]
    assert [each["id"] for each in body["data"]] == [instance_id, instance_id]


def test_a_link_can_be_expired_already(client, instance_id):
    order(client, FaultKind.EXPIRED_URL, route=SEGMENTS_LIST)
    answer = client.download(client.segments(instance_id)[0]["url"])
    assert (answer.status_code, "Request has expired" in answer.text) == (403, True)
    assert client.download(client.segments(instance_id)[0]["url"]).status_code == 200


def test_checksum_size_and_host_can_be_wrong(client, instance_id):
    right = client.segments(instance_id)[0]
    for kind in (FaultKind.WRONG_CHECKSUM, FaultKind.WRONG_SIZE, FaultKind.FOREIGN_HOST):
        order(client, kind, route=SEGMENTS_LIST)
    wrong = client.segments(instance_id)[0]
    assert wrong["checksum"] != right["checksum"]
    assert wrong["sizeInBytes"] == right["sizeInBytes"] + 1
    assert wrong["url"].startswith("https://files.example.net/")


def test_a_corrupt_gzip_has_the_listed_checksum_and_does_not_unpack(client, instance_id):
    order(client, FaultKind.CORRUPT_GZIP, route=SEGMENTS_LIST)
    segment = client.segments(instance_id)[0]
    content = client.download(segment["url"]).content
    assert hashlib.md5(content, usedforsecurity=False).hexdigest() == segment["checksum"]
    with pytest.raises(gzip.BadGzipFile):
        gzip.decompress(content)


def test_a_gzip_bomb_is_small_has_the_listed_checksum_and_does_not_end(client, instance_id):
    order(client, FaultKind.GZIP_BOMB, route=SEGMENTS_LIST)
    segment = client.segments(instance_id)[0]
    content = client.download(segment["url"]).content
    assert hashlib.md5(content, usedforsecurity=False).hexdigest() == segment["checksum"]
    assert len(content) < 2 << 20
    with gzip.open(io.BytesIO(content)) as file:
        assert len(file.read(64 << 20)) == 64 << 20


def test_a_file_can_skip_a_date(start):
    client = start(segments_per_instance=1, dates_per_instance=3)
    request_id = client.created()
    client.world.advance(1)
    instance_id = client.instances(request_id, DOWNLOADS)["2026-06-02"]
    order(client, FaultKind.DATE_SKIPPED, route=SEGMENTS_LIST)
    assert [*client.rows_by_date(instance_id)] == ["2026-05-30", "2026-06-01"]
    assert [*client.rows_by_date(instance_id)] == ["2026-05-30", "2026-05-31", "2026-06-01"]


@pytest.mark.parametrize(
    ("kind", "column", "header"),
    [
        (FaultKind.HEADER_RENAMED, "", [*HEADER[:-1], "Counts Total"]),
        (FaultKind.HEADER_RENAMED, "Device", [f"{each} Total" if each == "Device" else each for each in HEADER]),
        (FaultKind.HEADER_REMOVED, "", HEADER[:-1]),
        (FaultKind.HEADER_ADDED, "", [HEADER[0], NEW_HEADER, *HEADER[1:]]),
        (FaultKind.HEADER_REORDERED, "", HEADER[::-1]),
    ],
)
def test_headers_drift_once_and_rows_go_with_them(start, kind, column, header):
    client = start(segments_per_instance=1)
    request_id = client.created()
    client.world.advance(1)
    instance_id = client.instances(request_id, DOWNLOADS)["2026-06-02"]
    order(client, kind, column=column, route=SEGMENTS_LIST)
    drifted, *rows = client.lines(instance_id)
    assert drifted == header
    assert {len(row) for row in rows} == {len(header)}
    assert client.lines(instance_id)[0] == HEADER


def test_rows_can_be_short_foreign_or_dated_the_american_way(start):
    client = start(segments_per_instance=1)
    request_id = client.created()
    client.world.advance(1)
    instance_id = client.instances(request_id, DOWNLOADS)["2026-06-02"]
    order(client, FaultKind.SHORT_ROW, route=SEGMENTS_LIST)
    assert len(client.lines(instance_id)[-1]) == len(HEADER) - 1
    order(client, FaultKind.OTHER_APP, route=SEGMENTS_LIST)
    assert {row[2] for row in client.lines(instance_id)[1:]} == {"1000000001", "1005000001"}
    order(client, FaultKind.US_DATES, route=SEGMENTS_LIST)
    assert client.lines(instance_id)[1][0] == "05/30/2026"


def test_faults_of_one_file_happen_together(start):
    client = start(segments_per_instance=1)
    request_id = client.created()
    client.world.advance(1)
    instance_id = client.instances(request_id, DOWNLOADS)["2026-06-02"]
    for kind in 2 * sorted(FILE_KINDS - {FaultKind.CORRUPT_GZIP, FaultKind.GZIP_BOMB}):
        order(client, kind, route=SEGMENTS_LIST)
    header, first, *others = client.lines(instance_id)
    assert header == ["Counts Total", *HEADER[-2:0:-1], NEW_HEADER, "Date"]
    assert (first[-1], "1005000001" in first) == ("05/30/2026", True)
    assert len(others[-1]) == len(header) - 1


def test_cleared_faults_happen_no_more(client):
    order(client, FaultKind.STATUS, times=None)
    assert client.get("/v1/apps").status_code == 503
    client.world.faults.clear()
    assert client.get("/v1/apps").status_code == 200
