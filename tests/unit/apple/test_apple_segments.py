import gzip
import itertools
import traceback

import pytest
import requests

from appstore_analytics.apple.entries import Segment
from appstore_analytics.apple.segments import SegmentStore
from appstore_analytics.contract.errors import AppleRefused, AppleUnavailable, DownloadBroken, SegmentUrlExpired
from local.apple import mount
from local.apple.http import Answer
from tests.unit.apple.apple_in_process import STORAGE_URL, answering

SIGNED = f"{STORAGE_URL}/a.gz?Signature=s3cr3t"


def download(wire, url=SIGNED, *, allow_loopback=False):
    session = requests.Session()
    mount(session, wire, "https://", "http://")
    store = SegmentStore(session, (".amazonaws.com",), allow_loopback=allow_loopback)
    return b"".join(store.chunks(Segment("s", url, None, None)))


def test_the_signed_url_is_not_shown():
    assert "s3cr3t" not in repr(Segment("s", SIGNED, None, None))


def test_no_authorization_is_sent_even_with_a_netrc(tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password word\n")
    monkeypatch.setenv("NETRC", str(netrc))
    wire = answering(Answer(200, b"rows"))
    assert download(wire) == b"rows"
    assert wire.authorizations == [None]


def test_content_encoding_is_not_decoded():
    packed = gzip.compress(b"rows")
    assert download(answering(Answer(200, packed, {"Content-Encoding": "gzip"}))) == packed


@pytest.mark.parametrize(
    "url",
    [
        "https://evil-amazonaws.com/a",
        "https://amazonaws.com.evil.example/a",
        "https://x.amazonaws.com@evil.example/a",
        "https://evil.example\\@x.amazonaws.com/a",
        "https://evil.example#.amazonaws.com",
        "http://x.amazonaws.com/a",
        "http://127.0.0.1/a",
        "https://[bad",
        "file:///a",
    ],
)
def test_an_address_that_is_not_allowed_is_never_asked(url):
    wire = answering(Answer(200, b"rows"))
    with pytest.raises(AppleRefused):
        download(wire, url)
    assert wire.calls == []


def test_loopback_is_asked_only_when_allowed():
    assert download(answering(Answer(200, b"rows")), "http://127.0.0.1:8080/a", allow_loopback=True) == b"rows"


def test_a_host_that_drips_is_given_up(monkeypatch):
    seconds = itertools.count(step=100)
    monkeypatch.setattr("appstore_analytics.apple.segments.monotonic", lambda: next(seconds))
    assert len(download(answering(Answer(200, bytes(2 << 20))))) == 2 << 20
    with pytest.raises(DownloadBroken, match="longer than 240 seconds"):
        download(answering(Answer(200, bytes(4 << 20))))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(302, b"", {"Location": f"{STORAGE_URL}/b"}), AppleRefused),
        (Answer(400), AppleRefused),
        (Answer(403), SegmentUrlExpired),
        (Answer(404), SegmentUrlExpired),
        (Answer(410), SegmentUrlExpired),
        (Answer(503), AppleUnavailable),
        (Answer(200, b"rows", cut=True), DownloadBroken),
        (requests.ConnectionError(f"lost {SIGNED}"), DownloadBroken),
    ],
)
def test_each_failure_is_its_error_and_hides_the_url(answer, error):
    wire = answering(answer)
    with pytest.raises(error) as raised:
        download(wire)
    assert len(wire.calls) == 1
    assert "s3cr3t" not in "".join(traceback.format_exception(raised.value))
