"""`marts.app_daily`, read as Athena reads it, says of every app and due Date what `gaps` says."""

import json
import random
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest
from asking import FIRST, gaps

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.configuration import Account, Configuration
from appstore_analytics.contract.kpis.stored import KPI_COLUMNS, KPIS_TABLE, STATE_COLUMNS, STATES_TABLE
from appstore_analytics.contract.kpis.views import VIEWS
from appstore_analytics.contract.layout import STATES_PREFIX
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.rules.calendar import expected_dates
from local.apple import FaultKind
from local.apple.model import Series
from local.aws.trino import translate, with_views
from tests.integration.duckdb_in_process import answer
from tests.integration.pipeline_in_process import ACCOUNT, APP, CRASHES, DOWNLOADS, Pipeline

DAY = timedelta(days=1)
OTHER = "1000000002"
TABLE = tables_by_name()["downloads"]
SEGMENTS = "GET /v1/analyticsReportInstances/.*/segments"
MARTS = "marts"
GLUE = {
    (MARTS, name): {**{column: kind for column, kind, _ in columns}, "dt": "date"}
    for name, columns in ((KPIS_TABLE, KPI_COLUMNS), (STATES_TABLE, STATE_COLUMNS))
}


def stored_states(pipeline: Pipeline) -> pa.Table:
    """The objects of `marts.states` as Athena's JSON reader sees them."""
    rows = []
    for stored in pipeline.lake.list(STATES_PREFIX):
        day = date.fromisoformat(stored.key.removeprefix(f"{STATES_PREFIX}dt=")[:10])
        rows += [{**json.loads(line), "dt": day} for line in (pipeline.lake.read(stored.key) or b"").splitlines()]
    kinds = {"bigint": pa.int64(), "string": pa.string(), "date": pa.date32()}
    schema = pa.schema([(name, kinds[kind]) for name, kind in GLUE[MARTS, STATES_TABLE].items()])
    return pa.Table.from_pylist(rows, schema)


def athena(pipeline: Pipeline, sql: str) -> list[tuple[str | None, ...]]:
    def find_view(database: str, name: str) -> tuple[str, str] | None:
        found = next((view for view in VIEWS if (database, name) == (MARTS, view.name)), None)
        return (found.query(MARTS), MARTS) if found else None

    translation = translate(with_views(sql, MARTS, find_view), MARTS, GLUE, lambda *_: frozenset({"dt"}))
    tables = {KPIS_TABLE: pipeline.athena.kpis(), STATES_TABLE: stored_states(pipeline)}
    return list(answer(translation.sql, {scan.relation: tables[scan.table] for scan in translation.scans}))


def states(pipeline: Pipeline, source: str = "downloads") -> dict[tuple[str, date], str | None]:
    rows = athena(pipeline, f"SELECT app_id, dt, {source}_state FROM app_daily")
    return {(str(app), date.fromisoformat(str(day))): state for app, day, state in rows}


def whole_history(pipeline: Pipeline, history: Mapping[date, str]) -> None:
    """A run on each day; what happens to the files of that day happens to one of the apps only."""
    pipeline.daily()
    for built, what in history.items():
        pipeline.world.move_to(built)
        if what == "quarantined":
            pipeline.fault(FaultKind.SHORT_ROW, SEGMENTS, app_id=OTHER)
        elif what == "gone":
            pipeline.fault(FaultKind.STATUS, SEGMENTS, status=404, app_id=APP)
        if what != "no run":
            pipeline.daily()
        pipeline.world.faults.clear()


def check(pipeline: Pipeline, said: object) -> set[str]:
    """Every state is what `gaps` says; returns the states that occur."""
    found, today = states(pipeline), pipeline.world.today
    lacking = {
        (gap.app_id, gap.first + DAY * number): "(quarantined)" in gap.cause
        for gap in gaps(pipeline).gaps
        for number in range(gap.dates)
    }
    with_rows = pipeline.batches("downloads").keys()
    due = {(app, day) for app in pipeline.world.apps for day in expected_dates(TABLE, FIRST, today)}
    assert due <= found.keys(), said
    for key, state in found.items():
        if key in lacking:
            wanted = "quarantined" if lacking[key] else "missing"
        elif key in due:
            wanted = "final" if key in with_rows else "zero"
        else:
            wanted = "preliminary" if key in with_rows else "not due"
        # the newest complete Date is final on the day on which it is published, before `gaps` asks for it
        assert state == wanted or (key not in due and state in ("final", "zero")), (said, today, key, state, wanted)
    numbers = athena(pipeline, "SELECT app_id, dt, total_downloads FROM app_daily")
    has_number = {(str(app), date.fromisoformat(str(day))) for app, day, total in numbers if total is not None}
    assert has_number == with_rows, said
    assert set(states(pipeline, "engagement").values()) <= {"not deployed"}
    return {state for state in found.values() if state}


def test_the_states_of_a_history_are_those_of_gaps(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"dates_per_instance": 2, "rows_per_date": 6, "apps": 2})
    series = Series(APP, DOWNLOADS, Granularity.DAILY)
    pipeline.world.skip_date(series, FIRST + DAY * 2)
    for number in (5, 6):  # both that speak for one Date
        pipeline.world.delay_instance(series, FIRST + DAY * number, FIRST + DAY * 60)
    history = dict.fromkeys((FIRST + DAY * number for number in range(1, 10)), "")
    history[FIRST + DAY * 5] = "quarantined"
    whole_history(pipeline, history)
    assert check(pipeline, history) == {"final", "preliminary", "zero", "missing", "quarantined"}


@pytest.mark.parametrize("seed", range(3))
def test_after_any_history_the_states_are_those_of_gaps(start: Callable[..., Pipeline], seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 (a history that repeats)
    pipeline = start({"dates_per_instance": 2, "rows_per_date": 6, "apps": 2, "seed": seed})
    kinds = ("", "", "", "quarantined", "gone", "no run")
    history = {FIRST + DAY * number: chance.choice(kinds) for number in range(1, 9)}
    history[max(history)] = ""  # the states are as old as the newest run
    whole_history(pipeline, history)
    check(pipeline, history)


def test_a_rollback_takes_the_states_back_and_a_reprocess_brings_them_again(days_: Pipeline) -> None:
    before = states(days_)
    newest = max(days_.lake.folders("runs/"))
    rolled_back = days_.plan(operation="rollback", run_id=newest)
    days_.run(rolled_back)
    days_.summarize(rolled_back)
    assert check(days_, "rolled back")
    assert states(days_) != before
    days_.whole(operation="reprocess", run_id=newest)
    assert states(days_) == before


@pytest.fixture
def days_(start: Callable[..., Pipeline]) -> Pipeline:
    pipeline = start({"dates_per_instance": 2, "rows_per_date": 6, "apps": 2})
    whole_history(pipeline, dict.fromkeys((FIRST + DAY * number for number in range(1, 5)), ""))
    return pipeline


def test_a_second_summary_and_a_run_that_changes_nothing_write_no_state(days_: Pipeline) -> None:
    before = days_.bytes_of(STATES_PREFIX)
    assert before
    days_.daily()
    assert days_.bytes_of(STATES_PREFIX) == before
    days_.world.advance(1)
    days_.daily()
    changed = {key for key, etag in days_.bytes_of(STATES_PREFIX).items() if before.get(key) != etag}
    assert 0 < len(changed) <= 3, "the Dates of the new file and the one that became due"


def test_an_app_that_is_not_fetched_has_no_row_and_keeps_what_it_had(days_: Pipeline) -> None:
    had = {key: state for key, state in states(days_).items() if key[0] == OTHER}
    days_.world.advance(1)
    alone = Configuration((Account(ACCOUNT, (APP,)),), days_.reports, days_.granularities, 3500, 30)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Pipeline, "configuration", alone)
        days_.daily()
    now = states(days_)
    assert {key: state for key, state in now.items() if key[0] == OTHER} == had
    assert max(day for app, day in now if app == APP) > max(day for _, day in had)


def test_a_report_that_is_added_later_is_not_deployed_before_and_a_run_of_one_report_leaves_the_others(
    start: Callable[..., Pipeline],
) -> None:
    pipeline = start({"dates_per_instance": 2, "rows_per_date": 6, "history_start": FIRST - DAY * 40})
    whole_history(pipeline, {FIRST + DAY: "", FIRST + DAY * 2: ""})
    crashes = "crashes"
    assert set(states(pipeline, crashes).values()) == {"not deployed"}
    pipeline.reports = (DOWNLOADS, CRASHES)
    whole_history(pipeline, {FIRST + DAY * 3: "", FIRST + DAY * 4: ""})
    assert "not deployed" not in states(pipeline, crashes).values()
    before: Any = states(pipeline, crashes)
    plan = pipeline.backfill(FIRST - DAY * 10, FIRST - DAY * 8, reports=["downloads"])
    pipeline.run(plan, MapName.REGISTER)
    pipeline.world.advance(1)
    pipeline.run(plan)
    pipeline.summarize(plan)
    after: Any = states(pipeline, crashes)
    assert {key: after[key] for key in before} == before
    assert {after[key] for key in after.keys() - before.keys()} == {None}
    added = states(pipeline)
    assert {added[APP, FIRST - DAY * age] for age in (8, 9, 10)} == {"final"}
