"""check_key: the statement about a key, by the outcome of the call."""

from datetime import UTC, datetime

import pytest

from appstore_analytics.apple.client import AppStoreConnect
from appstore_analytics.contract.errors import (
    AppleUnavailable,
    CallsUnavailable,
    ConfigurationRefused,
    KeyRejected,
    RoleMissing,
)
from appstore_analytics.contract.verdicts import KeyVerdict
from appstore_analytics.steps.check_key import check_key


def refusing(error: Exception) -> AppStoreConnect:
    raise error


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (ConfigurationRefused("The secret holds no API key yet."), KeyVerdict.UNUSABLE),
        (KeyRejected("Apple rejects the key."), KeyVerdict.REJECTED),
        (CallsUnavailable("No calls left.", datetime(2026, 11, 23, 10, 30, tzinfo=UTC)), KeyVerdict.UNKNOWN),
        (AppleUnavailable("Apple did not answer."), KeyVerdict.UNKNOWN),
    ],
)
def test_each_trouble_has_its_verdict_and_its_sentence(error: Exception, verdict: KeyVerdict) -> None:
    told = check_key(lambda: refusing(error))
    assert told["verdict"] == verdict
    assert str(error) in told["sentence"]


def test_a_403_is_not_taken_for_a_wrong_role_alone() -> None:
    told = check_key(lambda: refusing(RoleMissing("use a key with the role Finance")))
    assert told["verdict"] == KeyVerdict.NOT_ADMIN
    assert "not Admin, or an agreement is missing" in told["sentence"]
    assert "Finance" not in told["sentence"]  # which need not be able to list users either
