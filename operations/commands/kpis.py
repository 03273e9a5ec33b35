"""The numbers that people ask for, from the stored KPIs."""

import csv
import sys
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

import typer

from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.kpi_comparison import KpiComparison
from appstore_analytics.answers.kpis import KpiAnswer
from operations import questions
from operations.commands.asked import Asked, answer
from operations.exits import ExitStatus
from operations.kpi_screen import show_catalogue, show_kpis
from operations.options import Apps, date_option, day_of, list_option, not_before_all, not_too_early
from operations.questions import KpiWish


class Compare(StrEnum):
    """The period to compare with."""

    PREVIOUS = "previous"


def kpis(
    context: typer.Context,
    *,
    metrics: Annotated[
        list[str] | None, list_option("--metrics", "KPI …", "Such as total_downloads; without any the KPIs are listed.")
    ] = None,
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
    if not metrics:
        _list(asked, is_asked=bool(by or apps or start or end or compare or as_csv))
        return
    here = asked.installation()
    first, last = (each.date() if each else None for each in (start, end))
    wish = KpiWish(tuple(metrics), by, tuple(apps or ()), first, last, compared=compare is not None)
    if asked.as_json:
        answer(asked, questions.kpis(here, wish, day_of(None)))
    found = questions.stored_kpis(here, wish, day_of(None))
    if isinstance(found, KpiComparison):
        show_kpis(found.current, here.app_names, found)
    elif as_csv:
        _write_csv(found)
    else:
        show_kpis(found, here.app_names)
    raise typer.Exit(ExitStatus.GOOD if found.is_good else ExitStatus.BAD)


def _list(asked: Asked, *, is_asked: bool) -> None:
    """The list of KPIs; Refused if another option shows that values are wanted."""
    if is_asked:
        raise Refused("--metrics is missing: give names such as total_downloads; ./manage.py kpis lists them.")
    found = questions.kpi_names(asked.installation())
    if asked.as_json:
        answer(asked, found)
    show_catalogue(found)


def _write_csv(found: KpiAnswer) -> None:
    """An unknown value is an empty cell; a zero is 0."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    slice_ = found.by if found.by not in ("", "app") else "slice"
    writer.writerow(("kpi", "app_id", slice_, "dt", "value", "state", "restated_from", "restated_on"))
    for series in found.series:
        for point in series.points:
            cells: tuple[str | date, ...] = (series.kpi, series.app_id, series.slice or "", point.day)
            writer.writerow((*cells, point.value, point.state, point.restated_from, point.restated_on))
