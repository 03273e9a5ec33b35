"""Problems, similar ones of several apps together: who has to do what about them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from appstore_analytics.answers.executions import RUNNING
from appstore_analytics.answers.facts import counted
from appstore_analytics.answers.gaps import Gaps
from appstore_analytics.answers.run_facts import SUCCEEDED, RunLine
from appstore_analytics.answers.status import RequestLine, RequestStatus, RequestVerdict
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.lake.checks import CheckedFeed
from appstore_analytics.model.plan import named
from appstore_analytics.rules.freshness import Freshness
from appstore_analytics.rules.gaps import Gap
from appstore_analytics.rules.repairs import Repair

OPERATOR = "the operator of the pipeline"
ADMIN = "an Admin of App Store Connect"
NEXT_RUN = "only the next daily run"

_NAMED = 5
_RUN_WITHIN = timedelta(hours=30)
"""The schedule starts a daily run and retries failed starts for two hours, and a run of thousands of apps takes
hours."""
_CHECK_WITHIN = timedelta(hours=3)
"""The check runs every hour; the next one makes up for a failed one."""


@dataclass(frozen=True, slots=True)
class Need:
    """One problem: who has to do what about it, and the number of affected apps (none: all of them)."""

    what: str
    who: str
    do: str
    apps: int | None = None
    which: str = ""


def last_ended(runs: Iterable[RunLine]) -> RunLine | None:
    """The newest run that has ended; None before the first."""
    return next((run for run in runs if run.status != RUNNING), None)


def of_last_run(runs: Sequence[RunLine]) -> Iterator[Need]:
    """The problem that the newest ended run did not succeed."""
    last = last_ended(runs)
    if last is not None and last.status != SUCCEEDED:
        cause = last.cause.rstrip(".") or last.status
        yield Need(f"the run {last.run_id} {last.status}: {cause}", OPERATOR, f"./manage.py run {last.run_id}")


def of_age(runs: Sequence[RunLine], checked_at: str, now: datetime) -> Iterator[Need]:
    """The problem that no run has started, or no check was made, for longer than the schedules allow."""
    daily = [run for run in runs if run.operation in (Operation.DAILY, "")]
    if not daily:
        yield Need("no daily run has started yet", OPERATOR, "./manage.py daily")
        return
    if now - daily[0].started_at > _RUN_WITHIN:
        since = f"{daily[0].started_at:%Y-%m-%d %H:%M} UTC"
        yield Need(f"no daily run has started since {since}", OPERATOR, "./manage.py doctor, then ./manage.py daily")
    if checked_at and now - datetime.fromisoformat(checked_at) > _CHECK_WITHIN:
        yield Need(f"freshness was checked last at {checked_at}", OPERATOR, "./manage.py freshness --now")
    if not checked_at and now - daily[-1].started_at > _CHECK_WITHIN:
        yield Need("freshness has never been checked", OPERATOR, "./manage.py freshness --now")


REQUESTS: Mapping[RequestVerdict, tuple[str, str]] = {
    RequestVerdict.STOPPED: (NEXT_RUN, "it has made a new one, and data comes 24 to 48 hours later"),
    RequestVerdict.SILENT: (NEXT_RUN, "it checks whether Apple still lists the request"),
    RequestVerdict.FORBIDDEN: (ADMIN, "accept the agreement or give the key's role; ./manage.py put-key stores a key"),
    RequestVerdict.KEY_REJECTED: (ADMIN, "make a new API key; ./manage.py put-key stores it"),
    RequestVerdict.CONFLICT: (OPERATOR, "./manage.py run newest, and docs/operations.md under conflict"),
    RequestVerdict.FAILED: (OPERATOR, "./manage.py run newest"),
}


def of_requests(status: RequestStatus) -> Iterator[Need]:
    """Problems of report requests, by verdict."""
    by_verdict: dict[RequestVerdict, list[RequestLine]] = defaultdict(list)
    for line in status.requests:
        if line.verdict.is_failure:
            by_verdict[line.verdict].append(line)
    for verdict, lines in by_verdict.items():
        who, do = REQUESTS[verdict]
        apps = [named(line.app_id, line.app_name) for line in lines]
        yield Need(f"report requests are {verdict}: {lines[0].reason}", who, do, len(set(apps)), _listed(apps))


def of_gaps(gaps: Gaps) -> Iterator[Need]:
    """Incomplete Dates, by cause and by repair."""
    alike: dict[tuple[Repair, str], list[Gap]] = defaultdict(list)
    for gap in gaps.gaps:
        alike[gap.repair, gap.cause].append(gap)
    for (repair, cause), found in alike.items():
        dates = counted(sum(gap.dates for gap in found), "Date")
        apps = sorted({named(gap.app_id, gap.app_name) for gap in found})
        who = NEXT_RUN if repair is Repair.NEXT_RUN else OPERATOR
        yield Need(f"{dates} not complete: {cause}", who, _repair(repair, found), len(apps), _listed(apps))


def _repair(repair: Repair, found: Sequence[Gap]) -> str:
    """The repair of these Dates: the next run, or the command with the repair's name."""
    if repair is Repair.NEXT_RUN:
        return f"from {min(gap.repair_from for gap in found)} on"
    app_ids = " ".join(sorted({gap.app_id for gap in found})[:_NAMED])
    dates = f" --from {min(gap.first for gap in found)} --to {max(gap.last for gap in found)}"
    return f"./manage.py {repair} --apps {app_ids}{dates if repair is Repair.BACKFILL else ''}"


_FRESHNESS: Mapping[Freshness, tuple[str, str]] = {
    Freshness.LATE: (OPERATOR, "./manage.py freshness lists the Dates"),
    Freshness.NOT_OFFERED: (OPERATOR, "take the report out of cdk.json, or wait until Apple offers it"),
    Freshness.STOPPED: REQUESTS[RequestVerdict.STOPPED],
    Freshness.FORBIDDEN: REQUESTS[RequestVerdict.FORBIDDEN],
    Freshness.KEY_EXPIRED: REQUESTS[RequestVerdict.KEY_REJECTED],
    Freshness.QUARANTINED: (OPERATOR, "./manage.py schema-verify, then ./manage.py reprocess"),
}


def of_freshness(stale: Iterable[CheckedFeed], gaps: Gaps, names: Mapping[str, str]) -> Iterator[Need]:
    """Stale tables of apps without a gap: a gap is more specific."""
    known = {(gap.app_id, gap.table_name) for gap in gaps.gaps}
    by_verdict: dict[Freshness, list[CheckedFeed]] = defaultdict(list)
    for feed in stale:
        if (feed.app_id, feed.table_name) not in known:
            by_verdict[feed.verdict].append(feed)
    for verdict, feeds in by_verdict.items():
        who, do = _FRESHNESS[verdict]
        apps = sorted({named(feed.app_id, names.get(feed.app_id, "")) for feed in feeds})
        tables = counted(len(feeds), "table")
        yield Need(f"{tables} of apps {verdict}: {feeds[0].reason}", who, do, len(apps), _listed(apps))


def of_verdicts(verdicts: Mapping[str, str], names: Mapping[str, str]) -> Iterator[Need]:
    """The problem that the newest daily run failed for an app."""
    for app_id, verdict in verdicts.items():
        if Verdict(verdict).is_failure:
            app = named(app_id, names.get(app_id, ""))
            yield Need(f"the last daily run ended {verdict} for {app}", OPERATOR, "./manage.py run newest", 1, app)


def _listed(apps: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(apps))
    more = f" and {len(distinct) - _NAMED:,} more" if len(distinct) > _NAMED else ""
    return ", ".join(distinct[:_NAMED]) + more
