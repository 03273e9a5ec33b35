import gzip
import hashlib
from datetime import date

import pytest

from appstore_analytics.contract.catalogue import REPORTS_BY_NAME
from appstore_analytics.contract.catalogue.definition import Granularity
from local.apple.model import Series
from local.apple.truth import newest_vintages

DOWNLOADS = "App Downloads Standard"


@pytest.fixture
def instance_id(client):
    request_id = client.created()
    client.world.advance(1)
    return client.instances(request_id, DOWNLOADS)["2026-06-02"]


def test_checksum_and_size_are_those_of_the_compressed_bytes(client, instance_id):
    for segment in client.segments(instance_id):
        content = client.download(segment["url"]).content
        assert hashlib.md5(content, usedforsecurity=False).hexdigest() == segment["checksum"]
        assert len(content) == segment["sizeInBytes"]


def test_a_segment_url_refuses_an_authorization_header(client, instance_id):
    answer = client.session.get(client.segments(instance_id)[0]["url"])
    assert answer.status_code == 400
    assert "<Code>InvalidArgument</Code>" in answer.text


def test_a_segment_url_dies_after_five_minutes_and_is_listed_anew(client, instance_id):
    url = client.segments(instance_id)[0]["url"]
    client.clock.seconds += 299
    assert client.download(url).status_code == 200
    client.clock.seconds += 2
    answer = client.download(url)
    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "application/xml")
    assert "Request has expired" in answer.text
    assert client.download(client.segments(instance_id)[0]["url"]).status_code == 200


def test_a_changed_segment_url_is_refused(client, instance_id):
    url = client.segments(instance_id)[0]["url"]
    assert "SignatureDoesNotMatch" in client.download(url.replace("Expires=", "Expires=9")).text
    assert client.download(url.replace(".txt.gz", "0.txt.gz")).status_code == 403
    assert client.download(url.replace(instance_id, "another")).status_code == 403


def test_segments_can_live_on_another_host(start):
    client = start(segment_base_url="https://files.example.com")
    request_id = client.created()
    client.world.advance(1)
    segments = client.segments(client.instances(request_id, DOWNLOADS)["2026-06-02"])
    assert segments[0]["url"].startswith("https://files.example.com/segments/")


def test_downloads_take_nothing_from_the_hourly_calls(client, instance_id):
    url = client.segments(instance_id)[0]["url"]
    assert "X-Rate-Limit" not in client.download(url).headers


def test_every_segment_has_its_own_header_and_together_they_are_the_instance(start):
    whole, pieces = start(segments_per_instance=1), start(segments_per_instance=3)
    tables = []
    for client in (whole, pieces):
        request_id = client.created()
        client.world.advance(1)
        tables.append(client.lines(client.instances(request_id, DOWNLOADS)["2026-06-02"]))
    assert tables[0][0] == tables[1][0]
    assert sorted(tables[0]) == sorted(tables[1])
    request_id = pieces.world.requests_of("1000000001")[0].id
    assert len(pieces.segments(pieces.instances(request_id, DOWNLOADS)["2026-06-02"])) == 3


def test_the_header_is_apples_and_every_row_has_as_many_fields(client, instance_id):
    header, *rows = client.lines(instance_id)
    assert header == [column.header for column in REPORTS_BY_NAME[DOWNLOADS].columns]
    assert {len(row) for row in rows} == {len(header)}


def test_app_crashes_expanded_is_comma_separated(client):
    request_id = client.created()
    client.world.advance(1)
    instance_id = client.instances(request_id, "App Crashes Expanded")["2026-06-02"]
    header, *rows = client.lines(instance_id, separator=",")
    assert header == [column.header for column in REPORTS_BY_NAME["App Crashes Expanded"].columns]
    assert {len(row) for row in rows} == {len(header)}


def test_the_date_column_has_the_name_of_its_report(client):
    request_id = client.created()
    client.world.advance(1)
    for name, column in [
        ("App Store Subscription Event Report Standard", "Event Date"),
        ("Platform App Installs", "Install Day"),
    ]:
        assert column in client.lines(client.instances(request_id, name)["2026-06-02"])[0]


def test_the_same_seed_gives_the_same_bytes(start, client, instance_id):
    other = start()
    other.created()
    other.world.advance(1)
    request_id = other.world.requests_of("1000000001")[0].id
    same = other.instances(request_id, DOWNLOADS)["2026-06-02"]
    assert same == instance_id
    assert [each["checksum"] for each in other.segments(same)] == [
        each["checksum"] for each in client.segments(instance_id)
    ]
    assert gzip.decompress(other.download(other.segments(same)[0]["url"]).content)


def test_an_instance_is_sent_as_the_file_that_it_was_given(start, tmp_path):
    client = start(missing_share=1.0)
    path = tmp_path / "segment.txt.gz"
    path.write_bytes(gzip.compress(b"Date\tCounts\n2026-06-01\t3\n"))
    client.world.send_file(Series(client.app_id, DOWNLOADS, Granularity.DAILY), date(2026, 6, 3), path)
    request_id = client.created()
    client.world.advance(3)
    instances = client.instances(request_id, DOWNLOADS)
    assert list(instances) == ["2026-06-03"]  # all others are missing
    (segment,) = client.segments(instances["2026-06-03"])
    answer = client.download(segment["url"])
    assert answer.content == path.read_bytes()
    assert segment["sizeInBytes"] == path.stat().st_size
    assert segment["checksum"] == hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    assert answer.headers["ETag"] == f'"{segment["checksum"]}"'
    with pytest.raises(ValueError, match="are in a file"):  # so that no expected result counts rows that were not sent
        newest_vintages(client.world, DOWNLOADS)
