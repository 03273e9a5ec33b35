"""The arithmetic of Apple's quota: a rolling hour per API key, kept as calls per minute, what each step takes, and the
plans that never fit.

Apple's limit counts a burst for a full hour, so a minute's calls are given back only when the whole minute is an hour
old.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from appstore_analytics.contract.errors import ConfigurationRefused
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.tables import curated_tables
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.rules.releases import MOST_APPS_OF_A_DAY

_SPARED = 0.03
"""The share left unused, because Apple counts a call when it arrives, and the budget when it is reserved."""

_FIRST_CLOSURE_SECONDS = 60
_LONGEST_CLOSURE_SECONDS = 3600

_DOUBT_LASTS = timedelta(seconds=60)
"""Valid keys occasionally get 401; the retries of a step take about half a minute."""

_DOUBT_IS_FORGOTTEN_AFTER = timedelta(minutes=10)


CALLS_OF_A_REGISTRATION = 5
"""At most: look, create, look again, delete the stopped request, create. More only if Apple lists several."""

CALLS_OF_A_TABLE = 3
"""At most: the request's reports, the instances, and one of these calls again with a fresh token.

More only beyond 200 of either.
"""


def calls_of_a_listing(plan: RunPlan) -> int:
    """The calls that listing one app's instances takes on most days: one per table."""
    return len(curated_tables(plan.reports, plan.granularities))


def calls_of_an_item(plan: RunPlan, map_name: MapName) -> int:
    """The calls of one item of a Map with the key for reading, on most days."""
    return calls_of_a_listing(plan) if map_name is MapName.REGISTER else 1


def calls_per_day(calls_per_hour: int) -> int:
    """The calls that one API key allows in 24 hours."""
    return int(calls_per_hour * 24 * (1 - _SPARED))


def calls_needed(apps: int, reports: int, *, releases: bool = False) -> int:
    """The minimum calls of a day for these apps and reports: list the instances, list the new one's segments.

    With `releases` also one call per app, for as many apps as one day asks about.
    """
    return apps * reports * 2 + (min(apps, MOST_APPS_OF_A_DAY) if releases else 0)


def ceiling(calls_per_hour: int, operation: Operation) -> int:
    """The number of used calls in a rolling hour up to which this operation can reserve more."""
    usable = int(calls_per_hour * (1 - _SPARED))
    return int(usable * operation.traits.share_of_hour)


def hour_of(calls_per_hour: int, hour_limit: int | None) -> int:
    """The calls of a rolling hour: the configured number, or Apple's limit of the key if that is lower."""
    return calls_per_hour if hour_limit is None else min(calls_per_hour, hour_limit)


def minute_of(instant: datetime) -> int:
    """The minute since 1970 that contains `instant`."""
    return int(instant.timestamp()) // 60


def is_given_back(minute: int, now: datetime) -> bool:
    """Whether the calls of this minute no longer count in Apple's rolling hour."""
    return minute < minute_of(now) - 60


def available_at(calls_by_minute: Mapping[int, int], wanted: int, most: int, now: datetime) -> datetime:
    """The time at which `wanted` more calls fit below `most`, if no one else calls: an hour after the minute that frees
    them."""
    excess = sum(calls_by_minute.values()) + wanted - most
    for minute in sorted(calls_by_minute):
        excess -= calls_by_minute[minute]
        if excess <= 0:
            return datetime.fromtimestamp((minute + 61) * 60, UTC)
    return now + timedelta(hours=1)


def closure_seconds(refusals_in_a_row: int, asked: int | None = None) -> int:
    """The pause of a key after its n-th 429 in a row: what Apple asks for, otherwise doubling; at most an hour."""
    if asked is None:
        asked = _FIRST_CLOSURE_SECONDS * 2 ** min(max(refusals_in_a_row - 1, 0), 10)
    return min(max(asked, 1), _LONGEST_CLOSURE_SECONDS)


def doubted_since(first: datetime | None, last: datetime | None, now: datetime) -> datetime:
    """The time since when a key has got nothing but 401, including one `now`; an old doubt is ignored."""
    if first is None or last is None or now - last > _DOUBT_IS_FORGOTTEN_AFTER:
        return now
    return first


def is_rejected(since: datetime, now: datetime) -> bool:
    """Whether a key that has got nothing but 401 since then counts as rejected: by now every step has retried it."""
    return now - since >= _DOUBT_LASTS


def refuse_beyond_the_quota(plan: RunPlan, *, releases: bool) -> None:
    """ConfigurationRefused for a plan that Apple's quota can never serve: too many calls a day, or at once."""
    _refuse_too_many_a_day(plan, releases=releases)
    _refuse_too_many_at_once(plan)


def _refuse_too_many_a_day(plan: RunPlan, *, releases: bool) -> None:
    tables = calls_of_a_listing(plan)
    available = calls_per_day(plan.calls_per_hour)
    for account in plan.accounts:
        needed = calls_needed(len(account.app_ids), tables, releases=releases)
        if needed > available:
            raise ConfigurationRefused(
                f"{len(account.app_ids):,} apps × {tables} reports of account '{account.name}' need {needed:,} "
                f"calls a day, but its API key has {available:,}: fetch fewer reports or use more keys."
            )


def _refuse_too_many_at_once(plan: RunPlan) -> None:
    """A step reserves all its calls at once, so one that needs more than an hour's share would wait forever."""
    needed = max(CALLS_OF_A_REGISTRATION, calls_of_a_listing(plan))
    allowed = ceiling(plan.calls_per_hour, plan.operation)
    if needed > allowed:
        raise ConfigurationRefused(
            f"One app takes up to {needed:,} calls at once, but of calls_per_hour {plan.calls_per_hour:,} the "
            f"operation {plan.operation} can use {allowed:,}: raise calls_per_hour in cdk.json or fetch fewer reports."
        )
