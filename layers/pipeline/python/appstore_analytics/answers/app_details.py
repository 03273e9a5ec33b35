"""One app: whether it is complete, if not why, and the Date up to which each table is complete."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from appstore_analytics.answers.apps import newest_daily_plan
from appstore_analytics.answers.attention import Attention, needing_attention
from appstore_analytics.answers.checks import read_checks
from appstore_analytics.answers.judged_dates import DATES_JUDGED, JudgedDates
from appstore_analytics.answers.runs import newest_reports
from appstore_analytics.answers.status import RequestLine, request_status
from appstore_analytics.answers.table_dates import TableLine, main_first, newest_dates, table_dates
from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.model.remembered import Remembered
from appstore_analytics.registry import Registry
from appstore_analytics.rules.date_verdicts import DateVerdict, worst


@dataclass(frozen=True, slots=True)
class AppDetails:
    """One app. `why` has a line for each problem of a table; `tables` have a verdict for each of `dates`.

    `first_date` is the first Date that is expected of it. `last_verdict` is its verdict in the newest daily run.
    """

    app_id: str
    app_name: str
    account: str
    verdict: DateVerdict
    checked_at: str
    first_date: date | None
    complete_until: date | None
    last_run: str
    last_verdict: str
    why: tuple[Attention, ...]
    requests: tuple[RequestLine, ...]
    dates: tuple[date, ...]
    tables: tuple[TableLine, ...]

    @property
    def is_good(self) -> bool:
        """Whether the app needs no attention."""
        return not self.why

    @property
    def sentence(self) -> str:
        """The newest complete Date, or the first problem."""
        name = self.app_name or self.app_id
        if self.why:
            return f"{name}: {self.why[0].reason}"
        until = f" Every daily table is complete until {self.complete_until}." if self.complete_until else ""
        return f"{name}: no due Date is missing.{until}"


def app_details(
    account: Account,
    tables: Sequence[CuratedTable],
    registry: Registry,
    lake: Bucket,
    dates: tuple[date, ...],
    remembered: Remembered,
    restated: Collection[tuple[str, date]] = (),
) -> AppDetails:
    """The one app of this account, judged by its ledger on the newest Dates. Reads only; makes no call to Apple.

    `dates` are those of the answer's tables; the verdict and its reasons never depend on them.
    """
    (app_id,) = account.app_ids
    as_of = dates[-1] + timedelta(days=1)
    plan = newest_daily_plan(lake)
    names: Mapping[str, str] = plan.app_names if plan else {}
    checks = read_checks(lake, [app_id], as_of, remembered)
    judged = JudgedDates([app_id], checks, registry, lake, as_of, remembered, is_exact=True)
    of_tables = [judged.judge(table, newest_dates(as_of, DATES_JUDGED)) for table in main_first(tables)]
    sent = [table for table in of_tables if judged.ledger.table(app_id, table.table)]
    until = [table.complete_until for table in sent]
    report = next((report for _, report in newest_reports(lake, 1, Operation.DAILY)), {})
    first = [known.known.first_day for table in sent if (known := judged.ledger.table(app_id, table.table))]
    why = needing_attention(judged, of_tables, [account], names, as_of)
    return AppDetails(
        app_id=app_id,
        app_name=names.get(app_id, ""),
        account=account.name,
        verdict=worst([line.verdict for line in why] or [DateVerdict.FRESH if sent else DateVerdict.NOT_READY]),
        checked_at=judged.checks.checked_at,
        first_date=min((day for day in first if day != date.max), default=None),
        complete_until=min((day for day in until if day), default=None) if all(until) else None,
        last_run=report.get("run_id", ""),
        last_verdict=next((word for word, apps in report.get("apps_by_verdict", {}).items() if app_id in apps), ""),
        why=why,
        requests=request_status((account,), registry, lake, as_of).requests,
        dates=dates,
        tables=table_dates(judged, tables, dates, restated).tables,
    )
