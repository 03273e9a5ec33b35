"""Versions of apps on the App Store: as Apple lists them, and as the pipeline remembers when they were released."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Platform(StrEnum):
    """Apple's platforms of a version."""

    IOS = "IOS"
    MAC_OS = "MAC_OS"
    TV_OS = "TV_OS"
    VISION_OS = "VISION_OS"


@dataclass(frozen=True, slots=True)
class StoreVersion:
    """A version that is on sale, or was until a newer one replaced it. Apple does not say when it was released."""

    id: str
    platform: Platform
    number: str
    is_on_sale: bool


@dataclass(frozen=True, slots=True)
class Release:
    """A version, and when it was released.

    `released_on` is the first day on which a run saw it on sale. If it was on sale before the first check, or only
    between two checks, this is the first Date in `sessions` with the version, and `is_inferred` is set; it is None if
    the sessions do not go back far enough. `not_before` is the last day on which a check did not find the version yet.
    `sessions_asked_on` is the last day on which the sessions were queried for it, `changed_in_run` the run that last
    changed this entry.
    """

    version_id: str
    platform: Platform
    version: str
    seen_on: date
    changed_in_run: str
    released_on: date | None = None
    is_inferred: bool = False
    not_before: date | None = None
    sessions_asked_on: date | None = None


@dataclass(frozen=True, slots=True)
class AppReleases:
    """The releases of an app. Apple was last asked on `asked_on`, and last listed its versions on `looked_on`."""

    app_id: str
    asked_on: date | None = None
    looked_on: date | None = None
    releases: tuple[Release, ...] = ()
