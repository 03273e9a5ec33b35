"""The settings in each function's environment: the template writes and the function reads the same class."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self, get_args, get_origin

from appstore_analytics.contract.errors import ConfigurationRefused
from appstore_analytics.contract.names import Database


@dataclass(frozen=True, slots=True)
class Environment:
    """Fields become upper-case variables: strings unchanged, everything else as JSON."""

    def to_environment(self) -> dict[str, str]:
        """The variables for the template."""
        values = {field.name.upper(): getattr(self, field.name) for field in fields(self)}
        return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """The settings of this function; ConfigurationRefused names a variable that is missing or invalid."""
        environment = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        for field in fields(cls):
            text = environment.get(field.name.upper())
            if text is None:
                raise ConfigurationRefused(f"The environment variable {field.name.upper()} is missing: deploy again.")
            values[field.name] = text if field.type is str else _parsed(field.name.upper(), text, field.type)
        return cls(**values)


def _parsed(name: str, text: str, kind: Any) -> Any:
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        raise ConfigurationRefused(f"The environment variable {name} is not JSON: deploy again.") from None
    return tuple(value) if get_origin(kind) is tuple and get_args(kind) else value


@dataclass(frozen=True, slots=True)
class Settings(Environment):
    """For functions that work on the registry and the lake."""

    registry_table: str
    lake_bucket: str


@dataclass(frozen=True, slots=True)
class AppleSettings(Settings):
    """For functions that call App Store Connect. The secret of an API key is `<prefix><key name>`."""

    apple_base_url: str
    api_key_secret_prefix: str


@dataclass(frozen=True, slots=True)
class PlanRunSettings(AppleSettings):
    """plan_run lists the apps of accounts that name none."""


@dataclass(frozen=True, slots=True)
class PlanItemsSettings(Settings):
    """plan_items needs the registry and the lake only."""


@dataclass(frozen=True, slots=True)
class RegisterRequestSettings(AppleSettings):
    """register_request."""


@dataclass(frozen=True, slots=True)
class ListInstancesSettings(AppleSettings):
    """list_instances."""


@dataclass(frozen=True, slots=True)
class DownloadSegmentsSettings(AppleSettings):
    """download_segments. `segment_hosts` are allowed in signed URLs; `.example.com` means any host below it."""

    raw_bucket: str
    segment_hosts: tuple[str, ...]
    allow_loopback: bool


@dataclass(frozen=True, slots=True)
class ConvertInstanceSettings(Settings):
    """convert_instance. The other schema mode applies to `schema_mode_exceptions` (contract/schema_modes.py)."""

    raw_bucket: str
    schema_mode: str
    schema_mode_exceptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RestorePartsSettings(Settings):
    """restore_parts needs the registry and the lake only."""


@dataclass(frozen=True, slots=True)
class PublishDateSettings(Settings):
    """publish_date."""


@dataclass(frozen=True, slots=True)
class VerifyTableSettings(Settings):
    """verify_table. `databases` has the Glue name of each database (contract/names.py)."""

    workgroup: str
    databases: dict[Database, str]


@dataclass(frozen=True, slots=True)
class CompactMonthsSettings(Environment):
    """compact_months needs the lake only."""

    lake_bucket: str


@dataclass(frozen=True, slots=True)
class ListReleasesSettings(AppleSettings):
    """list_releases. `databases` has the Glue name of each database (contract/names.py)."""

    workgroup: str
    databases: dict[Database, str]


@dataclass(frozen=True, slots=True)
class SummarizeRunSettings(Settings):
    """summarize_run. A run's page leads to the documentation in `repository_url`; empty for no links."""

    repository_url: str


@dataclass(frozen=True, slots=True)
class CheckFreshnessSettings(Environment):
    """check_freshness. A Date is missing `freshness_hours` after Apple should have published it."""

    lake_bucket: str
    workgroup: str
    databases: dict[Database, str]
    freshness_hours: int


@dataclass(frozen=True, slots=True)
class CheckKeySettings(AppleSettings):
    """check_key."""


SLACK_HOSTS = ("hooks.slack.com", "hooks.slack-gov.com")
"""The hosts to which a Slack webhook can lead."""


@dataclass(frozen=True, slots=True)
class NotifySlackSettings(Environment):
    """notify_slack. The secret `webhook_secret` holds the URL, whose host must be one of `hosts`."""

    webhook_secret: str
    hosts: tuple[str, ...]
    allow_loopback: bool
