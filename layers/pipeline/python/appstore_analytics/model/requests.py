"""Report requests as stored in the registry, and what backfills wanted from them."""

from dataclasses import dataclass, field
from datetime import date

from appstore_analytics.contract.catalogue.definition import AccessType


@dataclass(frozen=True, slots=True, order=True)
class Asked:
    """What a backfill wants from a snapshot: a report (Apple's name) and its Dates, inclusive."""

    report: str
    start_date: date
    end_date: date
    asked_on: date

    @property
    def dates(self) -> str:
        """The range in the form in which the ledger stores it after conversion."""
        return f"{self.start_date.isoformat()}/{self.end_date.isoformat()}"

    def covers(self, day: date) -> bool:
        """Whether this Date was asked for."""
        return self.start_date <= day <= self.end_date


@dataclass(frozen=True, slots=True)
class KnownRequest:
    """The registry's knowledge of an app's report request of one access type.

    `requested_on` is None if it already existed at Apple: Apple does not report its age, but it is older than
    `known_since`. `report_ids` belong to `request_id`, as do `unknown_reports`: Apple's names that are not in the
    catalogue, as read on `offer_read_on`. `replaces_stopped`: it replaces one that Apple had stopped.
    """

    app_id: str
    access_type: AccessType
    request_id: str | None = None
    requested_on: date | None = None
    known_since: date | None = None
    looked_on: date | None = None
    created_in_run: str | None = None
    replaces_stopped: bool = False
    report_ids: dict[str, str] = field(default_factory=dict)
    unknown_reports: tuple[str, ...] = ()
    offer_read_on: date | None = None
    newest_instance: date | None = None
    asked: tuple[Asked, ...] = ()

    @property
    def since(self) -> date | None:
        """The day of the request or, if that is unknown, the first day on which it was seen. None before both."""
        return self.requested_on or self.known_since

    def asked_of(self, report: str) -> tuple[Asked, ...]:
        """What backfills asked of one report (Apple's name)."""
        return tuple(asked for asked in self.asked if asked.report == report)

    def ranges_of(self, report: str) -> frozenset[str]:
        """The ranges of Dates asked of one report, as the ledger remembers them once they are converted."""
        return frozenset(asked.dates for asked in self.asked_of(report))


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to register one app, until its lease ends."""

    token: str
    known: KnownRequest
