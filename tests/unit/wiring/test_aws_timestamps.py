"""Timestamps of AWS's answers: the same instants as botocore's own parser finds."""

from datetime import UTC, datetime

import pytest
from botocore.utils import parse_timestamp
from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.wiring.aws import aws, read_timestamp

ANY_ACCOUNT = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
FIRST, LAST = datetime(1970, 1, 2), datetime(2100, 1, 1)  # noqa: DTZ001 (hypothesis adds the time zone)
INSTANTS = st.datetimes(FIRST, LAST, timezones=st.just(UTC))


@given(INSTANTS)
def test_any_instant_is_read_as_botocore_reads_it(instant: datetime) -> None:
    iso = instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    http = instant.strftime("%a, %d %b %Y %H:%M:%S GMT")
    numbers = (instant.timestamp(), str(int(instant.timestamp())))
    for text in (iso, iso.replace(".000Z", "Z"), http, instant.isoformat(), *numbers):
        found = read_timestamp(text)
        assert found == parse_timestamp(text)
        assert found.utcoffset() is not None


@pytest.mark.parametrize("text", ["", "Z", "GMT", "yesterday", "2026-13-01T00:00:00Z", "Mon, 99 Nov 2026 12:00:00 GMT"])
def test_what_is_no_timestamp_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (the sentence is the parser's that found it)
        read_timestamp(text)


def test_every_client_of_the_functions_reads_timestamps_so() -> None:
    clients = [aws().client(name, **ANY_ACCOUNT) for name in ("s3", "athena", "stepfunctions")]
    parsers = [client._endpoint._response_parser_factory.create_parser("rest-xml") for client in clients]
    assert {parser._timestamp_parser for parser in parsers} == {read_timestamp}
    assert aws() is aws()
