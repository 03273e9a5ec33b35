"""`health`: the state of everything, who has to do what, and why an app is missing."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from asking import days, tables

from appstore_analytics.answers.app_details import app_details
from appstore_analytics.answers.apps import app_names, chosen_accounts, known_accounts
from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.executions import Pipeline as Installed
from appstore_analytics.answers.health import Health, Looked, look, not_fetched
from appstore_analytics.answers.needs import ADMIN, NEXT_RUN, OPERATOR
from appstore_analytics.answers.table_dates import newest_dates
from appstore_analytics.lake.run_notes import write_records
from appstore_analytics.model.remembered import Remembered
from appstore_analytics.rules.date_verdicts import DateVerdict
from local.apple import FaultKind
from tests.integration.pipeline_in_process import APP, Pipeline

OTHER = "1000000002"


class NoExecutions:
    """AWS no longer lists any execution: only the reports are left."""

    def get_paginator(self, _: str) -> "NoExecutions":
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        yield {"executions": []}


def health(pipeline: Pipeline, *apps: str, later: timedelta = timedelta()) -> Health:
    here = Installed(NoExecutions(), "arn", pipeline.registry, pipeline.lake)  # type: ignore[arg-type]
    names = app_names(pipeline.lake)
    accounts = chosen_accounts(known_accounts(pipeline.configuration, pipeline.lake), apps, names)
    now = pipeline.clock.now + later
    at = Looked(accounts, tables(pipeline), names)
    return look(here, at, pipeline.world.today, now, Remembered(0), detailed=bool(apps))


def check(
    pipeline: Pipeline,
    verdict: str = "fresh",
    reason: str = "",
    app_id: str = APP,
    missing: Iterable[date] = (),
    due: date | None = None,
) -> None:
    at = pipeline.clock.now
    row = {
        "checked_at": at.isoformat(timespec="seconds"),
        "app_id": app_id,
        "table_name": "downloads",
        "verdict": verdict,
        "reason": reason,
        "newest_due_date": due and due.isoformat(),
        "missing_dates": [day.isoformat() for day in missing],
        "newest_processing_date": None,
        "arrived_at": None,
    }
    write_records(pipeline.lake, "freshness", at.date(), "last-check", [row])


def test_before_the_first_run_the_first_run_is_needed(pipeline: Pipeline) -> None:
    found = health(pipeline)
    assert [(need.what, need.do) for need in found.needs] == [("no daily run has started yet", "./manage.py daily")]
    assert not found.is_good


def test_a_good_day_is_one_sentence(pipeline: Pipeline) -> None:
    days(pipeline, 3)
    check(pipeline)
    found = health(pipeline)
    assert found.needs == ()
    assert found.sentence.startswith("All is well: the run 2025")
    assert found.last_run is not None
    assert found.complete_until is not None


def test_what_has_not_happened_for_too_long_is_told(pipeline: Pipeline) -> None:
    days(pipeline, 3)
    check(pipeline)
    assert [need.do for need in health(pipeline, later=timedelta(hours=31)).needs] == [
        "./manage.py doctor, then ./manage.py daily",
        "./manage.py freshness --now",
    ]


def test_alike_troubles_of_several_apps_are_one_need_with_their_names(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"apps": 3})
    days(pipeline, 2)
    pipeline.world.forbidden_app_ids |= {APP, OTHER}
    days(pipeline, 1)
    check(pipeline)
    found = health(pipeline)
    (forbidden,) = [need for need in found.needs if "forbidden" in need.what and need.who == ADMIN]
    name = pipeline.world.apps[APP].name
    assert (forbidden.apps, forbidden.which.split(", ")[0]) == (2, f"{APP} ({name})")
    assert found.needs[0].who == OPERATOR
    assert found.needs[0].what.startswith(f"the run {found.last_run.run_id} FAILED: 2 of 3 apps failed")  # type: ignore[union-attr]


def test_an_app_is_judged_by_itself(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"apps": 2})
    days(pipeline, 2)
    pipeline.world.forbidden_app_ids.add(OTHER)
    days(pipeline, 1)
    check(pipeline, "late", "The run of today found no file.", OTHER)
    well = health(pipeline, APP)
    assert (well.needs, [one.app_id for one in well.apps], well.tables) == ((), [APP], ())
    name = pipeline.world.apps[OTHER].name
    ill = health(pipeline, name.upper())
    assert [(one.app_name, one.last_verdict) for one in ill.apps] == [(name, "forbidden")]
    assert [(one.table_name, one.verdict) for one in ill.tables] == [("downloads", "late")]
    assert f"the last daily run ended forbidden for {OTHER} ({name})" in [need.what for need in ill.needs]


def test_a_gap_says_which_command_repairs_it(pipeline: Pipeline) -> None:
    days(pipeline, 3)
    pipeline.world.advance(8)  # and no run
    check(pipeline, "late")
    waiting = [need for need in health(pipeline).needs if "not complete" in need.what]
    assert NEXT_RUN in [need.who for need in waiting]
    assert all(need.which.startswith(APP) for need in waiting)
    pipeline.world.advance(60)  # Apple has deleted what no run fetched
    lost = next(need for need in health(pipeline).needs if need.who == OPERATOR and "not complete" in need.what)
    assert lost.do.startswith(f"./manage.py backfill --apps {APP} --from 2025-06-")


def test_dates_that_a_run_has_brought_since_the_last_check_are_no_longer_late(pipeline: Pipeline) -> None:
    days(pipeline, 4)
    there = pipeline.world.today - timedelta(days=3)
    check(pipeline, "late", "No instance that holds these Dates has come.", missing=[there])
    assert there in {day for _, day in pipeline.batches("downloads")}
    assert health(pipeline).needs == ()
    check(pipeline, "forbidden", "The key may not read this app.")
    assert [need.who for need in health(pipeline).needs] == [ADMIN]


@pytest.mark.parametrize("shown", [1, 30])
def test_the_verdict_of_an_app_does_not_depend_on_how_many_dates_its_page_shows(pipeline: Pipeline, shown: int) -> None:
    days(pipeline, 2)
    pipeline.world.advance(33)  # and no run
    today = pipeline.world.today
    (account,) = known_accounts(pipeline.configuration, pipeline.lake)
    dates = newest_dates(today, shown)
    found = app_details(account, tables(pipeline), pipeline.registry, pipeline.lake, dates, Remembered(0))
    listed = health(pipeline)
    assert found.verdict is DateVerdict.LATE
    assert found.why == listed.attention
    assert found.why[0].first is not None
    assert found.why[0].first < today - timedelta(days=30)
    assert all(len(line.cells) == shown for line in found.tables)


def test_what_came_broken_today_needs_somebody_since_today(pipeline: Pipeline) -> None:
    days(pipeline, 4)
    pipeline.fault(FaultKind.SHORT_ROW, "GET /v1/analyticsReportInstances/.*/segments", app_id=APP)
    days(pipeline, 1)
    due = pipeline.world.today - timedelta(days=3)
    check(pipeline, "quarantined", "A row has too few cells.", due=due)
    (line,) = health(pipeline).attention
    assert (line.verdict, line.since) == (DateVerdict.QUARANTINED, pipeline.world.today)
    assert line.repair is not None


def test_an_app_that_no_account_has_is_an_answer(pipeline: Pipeline) -> None:
    found = not_fetched("Lost App", pipeline.world.today)
    assert (found.is_good, found.needs[0].who) == (False, ADMIN)
    assert "no account has the app Lost App" in found.sentence


def test_an_app_goes_by_id_or_by_a_name_that_only_one_has(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"apps": 2})
    accounts = known_accounts(pipeline.configuration, pipeline.lake)
    same = {APP: "Twin", OTHER: "Twin"}
    assert [one.app_ids for one in chosen_accounts(accounts, [OTHER], same)] == [(OTHER,)]
    assert chosen_accounts(accounts, [], same) == accounts
    with pytest.raises(Refused, match=f"2 apps have the name twin, so give an id: {APP}, {OTHER}"):
        chosen_accounts(accounts, ["twin"], same)
    with pytest.raises(Refused, match="App Other is not fetched"):
        chosen_accounts(accounts, ["Other"], same)
