"""list_releases: reads which versions of the apps are on sale, and records since when."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from time import monotonic
from typing import Any

from appstore_analytics.apple.client import AppStoreConnect
from appstore_analytics.athena.first_sessions import SESSIONS, first_sessions, first_sessions_query
from appstore_analytics.athena.query import Athena
from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.errors import CallsUnavailable, PipelineError, QueryFailed, QueryInterrupted
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.names import Database
from appstore_analytics.contract.tables import CuratedTable, curated_tables
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.published import published_dates
from appstore_analytics.lake.run_notes import write_notices, write_records
from appstore_analytics.model.plan import RunPlan, named
from appstore_analytics.model.releases import AppReleases
from appstore_analytics.registry import Registry
from appstore_analytics.registry.reservation import Reservation
from appstore_analytics.rules.releases import apps_to_ask, is_to_infer, with_sessions, with_versions

LISTS_FOR_SECONDS = 360
"""After this time no further app is asked for; the next run begins with the others."""

_FAILURES_IN_A_ROW = 3
"""After this many refusals or failures the remaining apps of an account are left to the next run."""

_AS_USUAL = timedelta(days=14)
"""A daily run publishes Dates that are younger than this; older ones may have sessions of older versions."""

_NAMED = 3
_STEP = "list_releases"

Connect = Callable[[Account, int], tuple[AppStoreConnect, Reservation]]
"""Opens App Store Connect with an account's key for reading, for this many calls."""


@dataclass
class _Asking:
    """The progress for the apps of one account; `failed` has the reasons, by app."""

    ends_at: float
    failed: dict[str, str] = field(default_factory=dict)
    in_a_row: int = 0
    left: int = 0

    @property
    def is_over(self) -> bool:
        """Whether the remaining apps are left to the next run."""
        return self.in_a_row >= _FAILURES_IN_A_ROW or monotonic() > self.ends_at


def list_releases(plan: RunPlan, registry: Registry, lake: Bucket, athena: Athena, connect: Connect) -> dict[str, int]:
    """Ask Apple for the versions of apps, one call each, and write what is new to `appstore.releases`.

    Only a daily run asks, for each app once a day; if there are more than a thousand apps, for those that were asked
    for longest ago. For a version that no run saw going on sale, the sessions show the release day, if they go back far
    enough. It never fails a run: a refusal by Apple or Athena becomes a notice of the run, and the next run asks again.
    Returns the number of apps that were asked for, and of new releases. A second run of the same plan asks for the
    remaining apps, and writes the same.
    """
    known = {app.app_id: app for app in registry.releases.every_app()}
    notices: list[str] = []
    asked = calls = 0
    if plan.operation.traits.covers_every_app:
        ends_at = monotonic() + LISTS_FOR_SECONDS
        for account, app_ids in _due(plan, known):
            apple, reservation = connect(account, len(app_ids))
            asking = _Asking(ends_at)
            asked += _ask(app_ids, plan, known, registry, apple, asking)
            calls += reservation.made
            notices += _notices(account, asking, plan)
    notices += _infer(plan, known, registry, lake, athena)
    rows = [*_rows(plan.run_id, known.values())]
    write_records(lake, "releases", plan.started_at.date(), plan.run_id, rows)
    write_notices(lake, plan.run_id, _STEP, notices, calls)
    return {"apps": asked, "releases": len(rows)}


def _due(plan: RunPlan, known: dict[str, AppReleases]) -> Iterator[tuple[Account, list[str]]]:
    """The apps to ask for, by account."""
    every = [app_id for account in plan.accounts for app_id in account.app_ids]
    chosen = apps_to_ask(every, known, plan.as_of)
    for account in plan.accounts:
        if of_account := [app_id for app_id in chosen if app_id in account.app_ids]:
            yield account, of_account


def _ask(
    app_ids: Sequence[str],
    plan: RunPlan,
    known: dict[str, AppReleases],
    registry: Registry,
    apple: AppStoreConnect,
    asking: _Asking,
) -> int:
    """Ask app by app, and store each answer at once. Returns the number of apps.

    An app that Apple refuses counts as asked for, so that it does not block the others.
    """
    for number, app_id in enumerate(app_ids):
        if asking.is_over:
            asking.left = len(app_ids) - number
            return number
        before = known.get(app_id, AppReleases(app_id))
        try:
            known[app_id] = with_versions(before, apple.versions(app_id), plan.as_of, plan.run_id)
            asking.in_a_row = 0
        except CallsUnavailable as none_left:
            asking.failed[app_id], asking.left = str(none_left), len(app_ids) - number
            return number
        except PipelineError as error:
            asking.failed[app_id] = str(error)
            asking.in_a_row += 1
            known[app_id] = replace(before, asked_on=plan.as_of)
        registry.releases.write(known[app_id])
    return len(app_ids)


def _notices(account: Account, asking: _Asking, plan: RunPlan) -> Iterator[str]:
    """One sentence about an account, whatever failed."""
    if not asking.failed and not asking.left:
        return
    first, reason = next(iter(asking.failed.items()), ("", "Apple answers slowly."))
    apps = ", ".join(named(app_id, plan.app_names.get(app_id, "")) for app_id in list(asking.failed)[:_NAMED])
    more = f" and {len(asking.failed) - _NAMED} more" if len(asking.failed) > _NAMED else ""
    left = f", and {asking.left:,} apps were left to the next run" if asking.left else ""
    whose = f"of {apps}{more}" if first else f"of all apps of account '{account.name}'"
    yield (
        f"Releases {whose} could not be read{left}: {reason} Nothing else depends on them; "
        '"releases": false in cdk.json turns them off.'
    )


# The release day of versions that no run saw going on sale


def _infer(
    plan: RunPlan, known: dict[str, AppReleases], registry: Registry, lake: Bucket, athena: Athena
) -> Iterator[str]:
    """Query the sessions if they can show something new. Returns a notice if Athena does not answer."""
    has_older = _published_older_sessions(plan, registry)
    pending = [
        app
        for app in known.values()
        if any(is_to_infer(release, plan.as_of, has_older=has_older) for release in app.releases)
    ]
    days = published_dates(lake, table) if (table := _sessions(plan)) and pending else []
    if not days:
        return
    sql = first_sessions_query([app.app_id for app in pending], days[0])
    try:
        found = first_sessions(athena.rows(sql, Database.CURATED))
    except (QueryFailed, QueryInterrupted) as error:
        yield f"Release dates could not be inferred from sessions: {error}"
        return
    for app in pending:
        known[app.app_id] = with_sessions(app, found.get(app.app_id, {}), plan.as_of, plan.run_id)
        registry.releases.write(known[app.app_id])


def _sessions(plan: RunPlan) -> CuratedTable | None:
    tables = curated_tables(plan.reports, plan.granularities)
    return next((table for table in tables if table.name == SESSIONS), None)


def _published_older_sessions(plan: RunPlan, registry: Registry) -> bool:
    """Whether this run published a Date of `sessions` that is too old for daily runs, as a backfill does."""
    return any(
        record.verdict is Verdict.PUBLISHED and date.fromisoformat(record.event["day"]) < plan.as_of - _AS_USUAL
        for record in registry.runs.of_map(plan.run_id, MapName.PUBLISH, SESSIONS)
    )


def _rows(run_id: str, apps: Iterable[AppReleases]) -> Iterator[dict[str, Any]]:
    """What this run learned, including earlier attempts."""
    for app in apps:
        for release in app.releases:
            if release.changed_in_run == run_id:
                yield {
                    "run_id": run_id,
                    "app_id": app.app_id,
                    "platform": release.platform,
                    "version": release.version,
                    "version_id": release.version_id,
                    "released_on": release.released_on,
                    "is_inferred": release.is_inferred,
                    "not_before": release.not_before,
                    "seen_on": release.seen_on,
                }
