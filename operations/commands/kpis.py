"""The numbers people ask for, from the stored KPIs."""

import csv
import sys
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer

from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.kpi_comparison import compare_with_previous
from appstore_analytics.answers.kpi_reporting import Installed, ReportQuestion, report_kpis
from appstore_analytics.answers.kpis import KpiAnswer, KpiQuestion, ask_kpis
from appstore_analytics.rules.kpi_periods import Compare as PeriodCompare
from operations.commands.asked import Asked, answer, app_ids_of
from operations.exits import ExitStatus
from operations.kpi_screen import show_kpis
from operations.options import Apps, date_option, day_of, list_option, not_before_all, not_too_early

_DAYS = 28


class Compare(StrEnum):
    """The period to compare with."""

    PREVIOUS = "previous"


def kpis(
    context: typer.Context,
    *,
    metrics: Annotated[list[str], list_option("--metrics", "KPI …", "Names of docs/kpis.md: total_downloads …")],
    by: Annotated[str, typer.Option(metavar="DIMENSION", help="app, or a dimension such as territory.")] = "",
    apps: Apps = None,
    start: Annotated[datetime | None, date_option("--from", "Default: 28 Dates.", not_too_early)] = None,
    end: Annotated[datetime | None, date_option("--to", "Default: yesterday.", not_before_all)] = None,
    compare: Annotated[Compare | None, typer.Option(help="Compare with the period of the same length before.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a row per series and Date as CSV.")] = False,
) -> None:
    """Show KPIs by Date: final or preliminary, zero or missing, each with its caveat."""
    asked: Asked = context.obj
    if as_csv and (asked.as_json or compare):
        raise Refused("--csv prints one period and cannot be given together with --json or --compare.")
    here = asked.installation()
    last = end.date() if end else day_of(None) - timedelta(days=1)
    first = start.date() if start else last - timedelta(days=_DAYS - 1)
    chosen = tuple(sorted(app_ids_of(here, apps)))
    if asked.as_json:
        against = PeriodCompare(compare) if compare else None
        wanted = ReportQuestion(tuple(metrics), first, last, app_ids=chosen, by=by, compare=against)
        answer(asked, report_kpis(wanted, Installed.of(here), day_of(None)))
    question = KpiQuestion(tuple(metrics), first, last, chosen, by)

    def ask(wanted: KpiQuestion) -> KpiAnswer:
        return ask_kpis(wanted, here.accounts, here.tables, here.registry, here.lake, day_of(None))

    comparison = compare_with_previous(question, ask) if compare else None
    found = comparison.current if comparison else ask(question)
    if as_csv:
        _write_csv(found)
    else:
        show_kpis(found, here.app_names, comparison)
    raise typer.Exit(ExitStatus.GOOD if (comparison or found).is_good else ExitStatus.BAD)


def _write_csv(found: KpiAnswer) -> None:
    """A value that is not known is an empty cell; a zero is 0."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("kpi", "app_id", found.by if found.by not in ("", "app") else "slice", "dt", "value", "state"))
    for series in found.series:
        for point in series.points:
            cells: tuple[str | date, ...] = (series.kpi, series.app_id, series.slice or "", point.day)
            writer.writerow((*cells, "" if point.value is None else point.value, point.state))
