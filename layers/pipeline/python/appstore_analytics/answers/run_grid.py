"""The apps of a run × tables, failures first: a page of the grid."""

from dataclasses import dataclass

from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.executions import Pipeline
from appstore_analytics.answers.pages import Page, cut
from appstore_analytics.answers.run_details import visible_plan
from appstore_analytics.answers.run_stages import RunApp, RunItems
from appstore_analytics.answers.runs import Seen, find_execution, find_report
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.lake.run_notes import find_plan
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.report.summary import AppSummary, Records, summarize, verdict_grid

_UNREMARKABLE = frozenset({Verdict.VERIFIED, Verdict.PUBLISHED, Verdict.CONVERTED, Verdict.UNCHANGED, Verdict.READY})


@dataclass(frozen=True, slots=True)
class ItemsQuestion:
    """A selection of a run's apps: those with `text` in name or id, and only `exceptions`."""

    text: str
    only_exceptions: bool
    page: Page


def run_items(pipeline: Pipeline, run: str, question: ItemsQuestion, app_ids: Seen = None) -> RunItems:
    """A page of the apps of a run, as if no apps but `app_ids` existed; Refused if there is no such run.

    For a run that ended more than 90 days ago only the apps' verdicts are left. A run that has just begun has no items
    yet, and one whose input was refused never has any.
    """
    started = find_execution(pipeline, run)
    found = find_report(pipeline.lake, started.run_id if started else run)
    run_id = found[1]["run_id"] if found else started.run_id if started else ""
    plan = visible_plan(find_plan(pipeline.lake, run_id), app_ids) if run_id else None
    if plan is None and started is not None and app_ids is None:
        return RunItems(started.run_id, tables=(), total=0, exceptions=0, offset=0, apps=())
    if plan is None:
        raise Refused(f"There is no run '{run[:80]}': ./manage.py runs lists them.")
    records = _records(pipeline, plan, has_ended=found is not None)
    apps = sorted(summarize(plan, records).apps, key=_exceptions_first)
    cells = verdict_grid(records)
    tables = tuple(sorted({table for app_id, table in cells if app_ids is None or app_id in app_ids}))
    exceptions = [app for app in apps if _is_exception(app)]
    chosen = [app for app in (exceptions if question.only_exceptions else apps) if _matches(app, question.text)]
    page = cut(chosen, question.page)
    return RunItems(
        run_id=plan.run_id,
        tables=tables,
        total=len(apps),
        exceptions=len(exceptions),
        offset=page.offset,
        apps=tuple(
            RunApp(
                app.app_id,
                app.name,
                app.account,
                app.verdict,
                app.reason,
                tuple(_cell(cells.get((app.app_id, table))) for table in tables),
            )
            for app in page.rows
        ),
        next=page.next,
        previous=page.previous,
    )


def _records(pipeline: Pipeline, plan: RunPlan, *, has_ended: bool) -> Records:
    """The items; for a run under way only those that have ended, because the others have not failed yet."""
    runs = pipeline.registry.runs
    return {
        map_name: [each for each in runs.of_map(plan.run_id, map_name) if has_ended or each.verdict or each.error]
        for map_name in MapName
    }


def _exceptions_first(app: AppSummary) -> tuple[bool, bool, int]:
    return not app.verdict.is_failure, not _is_exception(app), int(app.app_id)


def _is_exception(app: AppSummary) -> bool:
    return app.verdict not in _UNREMARKABLE


def _matches(app: AppSummary, text: str) -> bool:
    wanted = text.strip().casefold()
    return wanted in app.name.casefold() or wanted in app.app_id


def _cell(word: str | None) -> Verdict | None:
    return None if word is None else Verdict(word)
