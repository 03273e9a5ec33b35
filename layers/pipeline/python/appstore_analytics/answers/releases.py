"""`releases`: when each version of an app was released, as the pipeline saw it. Apple is not asked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from appstore_analytics.answers.facts import counted
from appstore_analytics.contract.configuration import Account
from appstore_analytics.model.releases import AppReleases, Release
from appstore_analytics.registry import Registry


@dataclass(frozen=True, slots=True)
class ReleaseLine:
    """One version. `released_on` is the first day on which a run saw it on sale.

    If no run saw that, it is the first Date in `sessions` with the version, and `is_inferred` is set; it is None if the
    sessions do not show it. `not_before` is the last day on which a run did not find the version yet.
    """

    app_id: str
    platform: str
    version: str
    released_on: date | None
    is_inferred: bool
    not_before: date | None
    app_name: str = ""


@dataclass(frozen=True, slots=True)
class ReleaseList:
    """The versions of these apps, an app's newest first. `apps_not_read` are apps whose versions no run has read
    yet."""

    releases: tuple[ReleaseLine, ...]
    apps_not_read: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Always true: this is a list."""
        return True

    @property
    def sentence(self) -> str:
        """The number of versions, and what is unknown."""
        said = [f"{counted(len(self.releases), 'version')}."]
        if undated := sum(release.released_on is None for release in self.releases):
            said.append(f"{undated:,} without a known day of release.")
        if self.apps_not_read:
            said.append(f"No run has read the versions of {counted(len(self.apps_not_read), 'app')} yet.")
        return " ".join(said)


def list_releases(
    accounts: Sequence[Account], registry: Registry, names: Mapping[str, str], since: date | None = None
) -> ReleaseList:
    """The releases of these accounts' apps; with `since`, only those on that day or later, and those without a known
    day."""
    known = {app.app_id: app for app in registry.releases.every_app()}
    app_ids = [app_id for account in accounts for app_id in account.app_ids]
    lines = [
        line
        for app_id in app_ids
        if app_id in known
        for line in _lines(known[app_id], names.get(app_id, ""))
        if since is None or line.released_on is None or line.released_on >= since
    ]
    not_read = (app_id for app_id in app_ids if app_id not in known or known[app_id].looked_on is None)
    return ReleaseList(tuple(lines), tuple(not_read))


def _lines(app: AppReleases, name: str) -> Iterator[ReleaseLine]:
    for release in sorted(app.releases, key=_age, reverse=True):
        yield ReleaseLine(
            app.app_id,
            release.platform,
            release.version,
            release.released_on,
            release.is_inferred,
            release.not_before,
            name,
        )


def _age(release: Release) -> tuple[date, date, str]:
    """Versions without a day come after the dated ones, ordered by the day on which a run first saw them."""
    return release.released_on or date.min, release.seen_on, release.version
