"""Codes of an authenticator, against the examples of RFC 6238 (appendix B)."""

import base64

import pytest

from local import totp

SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("at", "code"),
    [(59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"), (2e9, "279037")],
)
def test_the_codes_are_those_of_the_standard(at: float, code: str) -> None:
    assert totp.code(SECRET, at) == code


def test_a_key_may_be_typed_in_groups_and_small_letters() -> None:
    grouped = " ".join(SECRET[start : start + 4].lower() for start in range(0, len(SECRET), 4))
    assert totp.code(grouped, 59) == "287082"


@pytest.mark.parametrize("key", ["18!", "0189"])
def test_what_is_no_key_ends_with_one_sentence(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setattr("sys.argv", ["totp", key])
    with pytest.raises(SystemExit, match="This is not the key below the QR code"):
        totp.main()
