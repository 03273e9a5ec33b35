"""Writes the page of a run and lists it. Everything on it that is not in the records is read from the lake here."""

from appstore_analytics.contract.layout import REPORTS_PREFIX, page_key
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.run_notes import planned_at
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.report.index import RunEntry, list_run
from appstore_analytics.report.instructions import Instructions
from appstore_analytics.report.kpi_charts import kpi_charts
from appstore_analytics.report.markup import run_page
from appstore_analytics.report.restated_dates import RestatedDates
from appstore_analytics.report.summary import Records, RunSummary


def write_run_page(
    plan: RunPlan,
    summary: RunSummary,
    records: Records,
    seconds: float,
    restated: RestatedDates,
    lake: Bucket,
    instructions: Instructions,
) -> None:
    """Write the page beside the run report, and then the run's line in the list of runs."""
    page = run_page(
        plan,
        summary,
        records,
        seconds=seconds,
        planned_at=planned_at(lake, plan.run_id),
        restated=restated,
        charts=kpi_charts(plan, restated, lake),
        instructions=instructions,
    )
    key = page_key(plan.operation, plan.run_id)
    lake.write(key, page, content_type="text/html; charset=utf-8")
    list_run(
        lake,
        RunEntry(
            plan.run_id,
            key.removeprefix(REPORTS_PREFIX),
            plan.operation,
            plan.as_of.isoformat(),
            plan.started_at.isoformat(timespec="seconds"),
            plan.started_by,
            seconds,
            len(summary.apps),
            summary.has_failed,
            summary.cause,
        ),
    )
