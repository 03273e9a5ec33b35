"""The resources of App Store Connect, and the settings of a simulated world."""

from dataclasses import dataclass
from datetime import date

from appstore_analytics.contract.catalogue.definition import AccessType, Granularity


@dataclass(frozen=True, slots=True)
class WorldSettings:
    """The settings of a world. The same settings give the same apps, ids and rows; only keys and signatures differ.

    `today` is the business date at the start. `dates_per_instance` None: back to the report's completeness window.
    `readiness_days`: the days from a request to its first instance (Apple: 24 to 48 hours). `segments_per_instance`
    None: one, and two for about a quarter of the instances. Shares are between 0 and 1: `header_only_share` of the
    daily instances have a file without rows, `no_segments_share` no file, `missing_share` do not exist (small apps).
    `calls_before_rest`: a key is throttled for a minute after this many calls, regardless of its hour; None: never.
    `segment_base_url` None: segments are linked on the host that was asked.
    """

    today: date
    seed: int = 7
    apps: int = 3
    rows_per_date: int = 100
    dates_per_instance: int | None = 3
    readiness_days: int = 1
    history_start: date = date(2024, 1, 1)
    segments_per_instance: int | None = None
    header_only_share: float = 0.0
    no_segments_share: float = 0.0
    missing_share: float = 0.0
    calls_per_hour: int = 3500
    calls_before_rest: int | None = None
    segment_base_url: str | None = None


@dataclass(frozen=True, slots=True)
class App:
    """An app of the account; every one is invented.

    `released` are the numbers of versions that were released since the world was created, oldest first, with their
    days.
    """

    id: str
    name: str
    bundle_id: str
    released: tuple[tuple[str, date], ...] = ()

    @property
    def sku(self) -> str:
        """The account's own number of the app."""
        return f"SKU-{self.id}"


@dataclass(frozen=True, slots=True)
class Version:
    """A version of an app. `store_state` is the older name for its `state`."""

    id: str
    number: str
    state: str
    store_state: str
    created_on: date


@dataclass(frozen=True, slots=True)
class User:
    """A person of the account; every one is invented."""

    id: str
    username: str
    first_name: str
    last_name: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """A report request. The dates are the simulator's own: Apple shows none of them."""

    id: str
    app_id: str
    access_type: AccessType
    created_on: date
    stopped_on: date | None = None
    deleted_on: date | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """One report of one app in one granularity: the subject of a sequence of instances."""

    app_id: str
    report_name: str
    granularity: Granularity


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance: the file of a series, built on the processing date, in the state of the data of `as_of`.

    `dates` is empty if the file has no rows; `segments` is 0 if there is no file.
    """

    id: str
    report_id: str
    series: Series
    access_type: AccessType
    processing_date: date
    as_of: date
    dates: tuple[date, ...]
    segments: int
