"""`put-key`: the stored key is one that the functions can read; anything else is refused without showing it."""

import io
import json
import sys
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from appstore_analytics.answers.errors import Refused
from appstore_analytics.apple.keys import ApiKey
from local.apple.keys import ApiRole, fresh_key
from operations.put_key import key_id_of, put_key, read_key_file, secret_text

ISSUER = "00000000-0000-0000-0000-000000000000"
SECRET = "appstore-analytics/main"


@pytest.fixture
def pem() -> str:
    return fresh_key(ApiRole.ADMIN, issuer_id=None).private_key_pem


@pytest.mark.parametrize(("issuer_id", "kind"), [(ISSUER, "team key"), (None, "individual key")])
def test_the_functions_read_the_key_that_was_stored(pem: str, tmp_path: Path, issuer_id: str | None, kind: str) -> None:
    file = tmp_path / "AuthKey_ABC1234567.p8"
    file.write_text(pem)
    with mock_aws():
        secrets = boto3.client("secretsmanager", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        secrets.create_secret(Name=SECRET)
        key_id = key_id_of(str(file), None)
        text = secret_text(key_id, issuer_id, read_key_file(str(file)), str(file))
        stored = put_key(secrets, SECRET, text, key_id, issuer_id)
        read = ApiKey.from_secret(secrets.get_secret_value(SecretId=SECRET)["SecretString"], SECRET)
    assert (read.key_id, read.issuer_id) == ("ABC1234567", issuer_id)
    assert (stored.secret, stored.key_id, stored.kind) == (SECRET, "ABC1234567", kind)
    assert pem.splitlines()[1] not in repr(stored)


def test_the_key_comes_through_standard_input(pem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbf" + pem.encode())))
    assert read_key_file("-") == pem


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "missing"),
        (b"-----BEGIN PRIVATE KEY-----\nMIGH", "cut off"),
        (b"\xff\xfe\x00", "not text"),
        (b"A" * 20_000, "too long"),
        (b"AuthKey_ABC1234567.p8", "name of a file"),
    ],
)
def test_what_is_no_key_is_refused_by_what_it_is(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "key.p8"
    file.write_bytes(content)
    with pytest.raises(Refused, match=words) as refused:
        secret_text("ABC1234567", ISSUER, read_key_file(str(file)), str(file))
    assert "othing was stored" in str(refused.value)
    assert "MIGH" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"AuthKey_X\.p8 cannot be read"):
        read_key_file(str(tmp_path / "AuthKey_X.p8"))


def test_the_key_id_is_taken_from_apples_file_name_and_must_not_contradict_it() -> None:
    assert key_id_of("downloads/AuthKey_ABC1234567.p8", None) == "ABC1234567"
    assert key_id_of("-", "ABC1234567") == "ABC1234567"
    with pytest.raises(Refused, match="has the key id ABC1234567: give the right one"):
        key_id_of("AuthKey_ABC1234567.p8", "XYZ7654321")
    with pytest.raises(Refused, match="--key-id is missing"):
        key_id_of("key.p8", None)


def test_a_key_id_or_issuer_that_apple_never_writes_is_refused(pem: str) -> None:
    with pytest.raises(Refused, match="key_id"):
        secret_text("ABC 123", ISSUER, pem, "key.p8")
    assert json.loads(secret_text("ABC1234567", None, pem, "key.p8"))["issuer_id"] == ""
