"""The configuration of a deployment: written by the template, read by plan_run."""

from dataclasses import asdict, dataclass
from typing import Any, Self

from appstore_analytics.contract.catalogue.definition import Granularity


@dataclass(frozen=True, slots=True)
class Account:
    """One App Store Connect account; no app ids means all apps of the account.

    Creating and deleting report requests takes an Admin key, reading does not: with `reader_key` reading has a separate
    key. A key's name is that of its secret, after the prefix, and of its call budget: Apple's quota is per key.
    """

    name: str
    app_ids: tuple[str, ...] = ()
    reader_key: bool = False

    @property
    def admin_key_name(self) -> str:
        """The key that registers."""
        return self.name

    @property
    def reader_key_name(self) -> str:
        """The key that lists and downloads."""
        return f"{self.name}/reader" if self.reader_key else self.name

    @classmethod
    def from_payload(cls, payload: dict[str, Any]) -> Self:
        """The account in a dictionary from `asdict`."""
        return cls(payload["name"], tuple(payload["app_ids"]), payload["reader_key"])


@dataclass(frozen=True, slots=True)
class Configuration:
    """The configuration of the deployment; the state machine passes it to plan_run.

    `reports` are Apple's names. `calls_per_hour` is the quota of one API key. A replaced part is kept for
    `kept_versions_days`, during which a run can be rolled back. With `releases` a daily run asks for apps' versions.
    """

    accounts: tuple[Account, ...]
    reports: tuple[str, ...]
    granularities: tuple[Granularity, ...]
    calls_per_hour: int
    kept_versions_days: int
    releases: bool = True

    def to_payload(self) -> dict[str, Any]:
        """The JSON in the state machine's definition."""
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: dict[str, Any]) -> Self:
        """The configuration in a payload from `to_payload`."""
        return cls(
            accounts=tuple(Account.from_payload(account) for account in payload["accounts"]),
            reports=tuple(payload["reports"]),
            granularities=tuple(Granularity(name) for name in payload["granularities"]),
            calls_per_hour=payload["calls_per_hour"],
            kept_versions_days=payload["kept_versions_days"],
            releases=payload["releases"],
        )
