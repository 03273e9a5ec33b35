"""`status`: the state of each app's report requests, from the records of the runs. It makes no call to Apple."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from appstore_analytics.answers.apps import newest_daily_plan
from appstore_analytics.answers.facts import counted, days
from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.model.instances import InstanceStatus, LedgerInstance
from appstore_analytics.model.items import ItemRecord
from appstore_analytics.model.requests import KnownRequest
from appstore_analytics.registry import Registry
from appstore_analytics.rules.due import INSTANCE_LIFE_DAYS, is_silent
from appstore_analytics.rules.repairs import Repair, cause_of
from appstore_analytics.rules.verdicts import item_reason, item_verdict

_APPLE_BUILDS_WITHIN_DAYS = 2
_DAY = timedelta(days=1)


class RequestVerdict(StrEnum):
    """The state of a report request."""

    READY = "ready"
    NOT_READY = "not ready"
    NOT_REGISTERED = "not registered"
    STOPPED = "stopped"
    SILENT = "silent"
    FORBIDDEN = "forbidden"
    KEY_REJECTED = "key rejected"
    CONFLICT = "conflict"
    FAILED = "failed"

    @property
    def is_failure(self) -> bool:
        """Whether a person has to act."""
        return self not in (self.READY, self.NOT_READY, self.NOT_REGISTERED)


_BY_RECORD = {
    Verdict.FORBIDDEN: RequestVerdict.FORBIDDEN,
    Verdict.KEY_REJECTED: RequestVerdict.KEY_REJECTED,
    Verdict.CONFLICT: RequestVerdict.CONFLICT,
}


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One app and access type.

    `requested_on` is None if another tool created the request; `age_days` then counts from its adoption.
    `last_instance` is the newest processing date that Apple listed, `next_expected` the day of the next one.
    """

    account: str
    app_id: str
    access_type: str
    verdict: RequestVerdict
    app_name: str = ""
    request_id: str = ""
    requested_on: date | None = None
    age_days: int | None = None
    last_instance: date | None = None
    next_expected: date | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RequestStatus:
    """Every report request of every app."""

    as_of: date
    last_run: str
    requests: tuple[RequestLine, ...]

    @property
    def is_good(self) -> bool:
        """Whether no request needs a person."""
        return not any(request.verdict.is_failure for request in self.requests)

    @property
    def sentence(self) -> str:
        """The number of requests per verdict."""
        counts = Counter(str(request.verdict) for request in self.requests)
        return ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())) or "No app is known yet."


def request_status(accounts: tuple[Account, ...], registry: Registry, lake: Bucket, as_of: date) -> RequestStatus:
    """The verdict on each app's ONGOING request, and on its snapshot if there is one."""
    plan = newest_daily_plan(lake)
    run_id = plan.run_id if plan else ""
    records = {one.event["app_id"]: one for one in registry.runs.of_map(run_id, MapName.REGISTER)} if run_id else {}
    lines = tuple(
        line
        for account in accounts
        for app_id in account.app_ids
        for line in _of_app(account.name, app_id, records.get(app_id), registry, as_of)
    )
    names = plan.app_names if plan else {}
    return RequestStatus(as_of, run_id, tuple(replace(line, app_name=names.get(line.app_id, "")) for line in lines))


def _of_app(
    account: str, app_id: str, record: ItemRecord | None, registry: Registry, as_of: date
) -> Iterator[RequestLine]:
    """The record of the last daily run for the ONGOING request."""
    ledger = registry.instances.of_app(app_id, as_of - timedelta(days=INSTANCE_LIFE_DAYS))
    ongoing = registry.report_requests.get(app_id, AccessType.ONGOING)
    yield _line(account, ongoing, record, _to_repair(ledger, ongoing, as_of), as_of)
    snapshot = registry.report_requests.get(app_id, AccessType.ONE_TIME_SNAPSHOT)
    if snapshot.request_id or snapshot.asked:
        yield _line(account, snapshot, None, _to_repair(ledger, snapshot, as_of), as_of)


def _to_repair(ledger: Iterable[LedgerInstance], known: KnownRequest, as_of: date) -> str:
    """The instances that Apple still lists and that are not in the tables, by cause and repair."""
    causes = Counter(
        cause_of(one, as_of)
        for one in ledger
        if one.vintage.access_type is known.access_type and (_is_out(one) or one.quarantined_dates)
    )
    told = (
        f"{counted(number, 'instance')}: {cause}, {repair or Repair.BACKFILL}"
        for (cause, repair), number in sorted(causes.items(), key=str)
    )
    return "; ".join(told)


def _is_out(instance: LedgerInstance) -> bool:
    return instance.status in (InstanceStatus.QUARANTINED, InstanceStatus.EXPIRED, InstanceStatus.ROLLED_BACK)


def _line(account: str, known: KnownRequest, record: ItemRecord | None, to_repair: str, as_of: date) -> RequestLine:
    verdict, reason = _verdict(known, record, as_of)
    return RequestLine(
        account=account,
        app_id=known.app_id,
        access_type=known.access_type,
        verdict=verdict,
        request_id=known.request_id or "",
        requested_on=known.requested_on,
        age_days=(as_of - known.since).days if known.since else None,
        last_instance=known.newest_instance,
        next_expected=next_expected(known),
        reason="; ".join(filter(None, (reason, to_repair))),
    )


def _verdict(known: KnownRequest, record: ItemRecord | None, as_of: date) -> tuple[RequestVerdict, str]:
    if record is not None and item_verdict(record).is_failure:
        return _BY_RECORD.get(item_verdict(record), RequestVerdict.FAILED), item_reason(record)
    if known.request_id is None:
        return RequestVerdict.NOT_REGISTERED, "the next run registers it"
    if known.newest_instance is None:
        return RequestVerdict.NOT_READY, "Apple builds the first reports 24 to 48 hours after the request"
    if known.access_type is AccessType.ONGOING:
        return _ongoing(known, known.newest_instance, as_of)
    return RequestVerdict.READY, ""


def _ongoing(known: KnownRequest, newest_instance: date, as_of: date) -> tuple[RequestVerdict, str]:
    """An app that has had instances: whether they came from an earlier request, and whether new ones still come.

    Only a run that asks Apple learns that a request was stopped; silence alone does not prove it.
    """
    if known.requested_on and newest_instance <= known.requested_on:
        anew = f"was created again on {known.requested_on}; its first data comes 24 to 48 hours later"
        if known.replaces_stopped:
            return RequestVerdict.STOPPED, f"Apple had stopped it (stoppedDueToInactivity); it {anew}"
        return RequestVerdict.NOT_READY, f"Apple no longer listed it; it {anew}"
    if is_silent(known, as_of):
        silent = days((as_of - newest_instance).days)
        looked = f"; on {known.looked_on} Apple listed the request as live" if known.looked_on else ""
        return RequestVerdict.SILENT, f"no instance for {silent}{looked}: each daily run asks Apple again"
    return RequestVerdict.READY, ""


def next_expected(known: KnownRequest) -> date | None:
    """The processing date that should come next; None for a snapshot that has been built."""
    if known.newest_instance is None:
        return known.requested_on + _APPLE_BUILDS_WITHIN_DAYS * _DAY if known.requested_on else None
    return known.newest_instance + _DAY if known.access_type is AccessType.ONGOING else None


def verdict_counts(status: RequestStatus) -> Mapping[str, int]:
    """The number of requests per verdict."""
    return dict(sorted(Counter(f"{one.access_type} {one.verdict}" for one in status.requests).items()))
