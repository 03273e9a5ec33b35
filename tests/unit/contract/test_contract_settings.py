from dataclasses import fields
from typing import Any

import pytest

from appstore_analytics.contract import settings
from appstore_analytics.contract.errors import ConfigurationRefused
from appstore_analytics.contract.names import Database, Names
from appstore_analytics.contract.settings import DownloadSegmentsSettings, Settings, VerifyTableSettings

EVERY_CLASS = pytest.mark.parametrize(
    "kind", [each for each in vars(settings).values() if isinstance(each, type) and issubclass(each, Settings)]
)
SAMPLES: dict[Any, Any] = {
    str: '["a", 1]',
    bool: False,
    tuple[str, ...]: ("a.example.com", ".example.com"),
    dict[Database, str]: Names("studio").databases,
}


def sample(kind: type[Settings]) -> Settings:
    return kind(**{field.name: SAMPLES[field.type] for field in fields(kind)})


@EVERY_CLASS
def test_what_the_template_writes_is_what_the_lambda_reads(kind: type[Settings]) -> None:
    environment = sample(kind).to_environment()
    assert set(environment) == {field.name.upper() for field in fields(kind)}
    assert all(isinstance(value, str) for value in environment.values())
    assert kind.from_environment({**environment, "AWS_REGION": "eu-central-1"}) == sample(kind)


@EVERY_CLASS
def test_a_missing_variable_is_named(kind: type[Settings]) -> None:
    environment = sample(kind).to_environment()
    for missing in environment:
        with pytest.raises(ConfigurationRefused, match=f"The environment variable {missing} is missing: deploy again"):
            kind.from_environment({name: value for name, value in environment.items() if name != missing})


@pytest.mark.parametrize("variable", ["SEGMENT_HOSTS", "ALLOW_LOOPBACK"])
def test_a_variable_that_is_no_json_is_named(variable: str) -> None:
    environment = sample(DownloadSegmentsSettings).to_environment()
    with pytest.raises(ConfigurationRefused, match=f"^The environment variable {variable} is not JSON: deploy again"):
        DownloadSegmentsSettings.from_environment({**environment, variable: "[.example.com"})


def test_text_stands_as_it_is_and_everything_else_as_json() -> None:
    written = DownloadSegmentsSettings(
        registry_table="registry",
        lake_bucket="lake",
        apple_base_url="https://apple.example.com",
        api_key_secret_prefix="keys/",
        raw_bucket="raw",
        segment_hosts=(".example.com",),
        allow_loopback=True,
    ).to_environment()
    assert (written["RAW_BUCKET"], written["SEGMENT_HOSTS"], written["ALLOW_LOOPBACK"]) == (
        "raw",
        '[".example.com"]',
        "true",
    )


def test_a_lambda_reads_its_own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = VerifyTableSettings("registry", "lake", "workgroup", Names().databases)
    for name, value in expected.to_environment().items():
        monkeypatch.setenv(name, value)
    assert VerifyTableSettings.from_environment() == expected
