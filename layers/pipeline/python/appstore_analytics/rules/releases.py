"""The apps whose versions are requested, and the day on which a version was released: Apple reports neither the day nor
the order.

`createdDate` is the day on which a version was prepared, and `earliestReleaseDate` a wish, so neither is used.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta

from appstore_analytics.model.releases import AppReleases, Platform, Release, StoreVersion

MOST_APPS_OF_A_DAY = 1_000
"""The number of apps asked for in a run, one call each; more apps take turns, those asked for longest ago first."""

_DEVICES: Mapping[Platform, frozenset[str]] = {
    Platform.IOS: frozenset({"iphone", "ipad", "ipod"}),
    Platform.MAC_OS: frozenset({"desktop"}),
    Platform.TV_OS: frozenset({"apple tv"}),
    Platform.VISION_OS: frozenset({"apple vision"}),
}
"""The devices in `sessions` of a platform, in lower case: versions of two platforms can have one number."""

_SESSIONS_COME_WITHIN = timedelta(days=10)
"""Days after which a new version's sessions are final: Apple completes a Date of sessions five days later, and few
people update at once."""

FirstDates = Mapping[tuple[str | None, str | None], date]
"""The first Date with sessions of an app, by version number and device in lower case."""


def apps_to_ask(app_ids: Collection[str], known: Mapping[str, AppReleases], as_of: date) -> list[str]:
    """The apps that were not asked for on `as_of`, at most a day's number: those never asked for first, then those
    asked for longest ago."""
    asked_on = {app_id: known.get(app_id, AppReleases(app_id)).asked_on or date.min for app_id in app_ids}
    due = (app_id for app_id, day in asked_on.items() if day < as_of)
    return sorted(due, key=lambda app_id: (asked_on[app_id], app_id))[:MOST_APPS_OF_A_DAY]


def with_versions(known: AppReleases, listed: Iterable[StoreVersion], as_of: date, run_id: str) -> AppReleases:
    """The known releases after Apple has listed these versions on `as_of`; earlier knowledge stays as it is."""
    remembered = {release.version_id for release in known.releases}
    new = tuple(_seen(version, known, as_of, run_id) for version in listed if version.id not in remembered)
    return replace(known, asked_on=as_of, looked_on=as_of, releases=(*known.releases, *new))


def _seen(version: StoreVersion, known: AppReleases, as_of: date, run_id: str) -> Release:
    """It went on sale since the last check, if there was one, and if it is still on sale."""
    went_on_sale = version.is_on_sale and known.looked_on is not None
    return Release(
        version.id,
        version.platform,
        version.number,
        seen_on=as_of,
        changed_in_run=run_id,
        released_on=as_of if went_on_sale else None,
        not_before=known.looked_on,
    )


def is_to_infer(release: Release, as_of: date, *, has_older: bool) -> bool:
    """Whether the sessions may show something new about its release day.

    This is so at first, again once a new version has sessions, and whenever there are older Dates of sessions than
    before.
    """
    if not _only_sessions_tell(release):
        return False
    asked_on, come_by = release.sessions_asked_on, release.seen_on + _SESSIONS_COME_WITHIN
    return has_older or asked_on is None or asked_on < come_by <= as_of


def _only_sessions_tell(release: Release) -> bool:
    return release.released_on is None or release.is_inferred


def with_sessions(known: AppReleases, first_dates: FirstDates, as_of: date, run_id: str) -> AppReleases:
    """The known releases after the sessions were queried for the first Date of each version.

    Nothing is inferred for a version that already appears on the app's very first Date, because it may be older. A Date
    before the last check that did not find the version is not used either.
    """
    oldest = min(first_dates.values(), default=date.max)
    releases = (
        replace(_inferred(one, first_dates, oldest, run_id), sessions_asked_on=as_of)
        if _only_sessions_tell(one)
        else one
        for one in known.releases
    )
    return replace(known, releases=tuple(releases))


def _inferred(release: Release, first_dates: FirstDates, oldest: date, run_id: str) -> Release:
    devices = _DEVICES[release.platform]
    dates = [
        day for (number, device), day in first_dates.items() if number == release.version and _is_of(device, devices)
    ]
    first = min(dates, default=oldest)
    is_known = first > oldest and first >= (release.not_before or oldest)
    released_on = first if is_known else None
    changed_in_run = release.changed_in_run if released_on == release.released_on else run_id
    return replace(release, released_on=released_on, is_inferred=is_known, changed_in_run=changed_in_run)


def _is_of(device: str | None, devices: Collection[str]) -> bool:
    return device is not None and any(device.startswith(each) for each in devices)
