from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from asking import backfill, day, days, status, tables

from appstore_analytics.answers.apps import known_accounts, list_apps, newest_daily_plan
from appstore_analytics.answers.freshness import freshness_report
from appstore_analytics.answers.registry_statistics import registry_statistics
from appstore_analytics.answers.status import RequestVerdict
from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.layout import TableDate, appstore_key, run_key
from appstore_analytics.lake.run_notes import write_rows
from tests.integration.pipeline_in_process import APP, Pipeline

DAY = timedelta(days=1)


def test_before_the_first_run_no_request_is_registered(pipeline: Pipeline) -> None:
    (line,) = status(pipeline).requests
    assert (line.verdict, line.request_id) == (RequestVerdict.NOT_REGISTERED, "")
    assert status(pipeline).is_good


def test_a_new_request_is_not_ready_and_says_when_it_should_be(pipeline: Pipeline) -> None:
    day(pipeline)
    (line,) = status(pipeline).requests
    assert line.verdict is RequestVerdict.NOT_READY
    assert (line.requested_on, line.age_days) == (date(2025, 6, 2), 0)
    assert line.next_expected == date(2025, 6, 4)
    assert line.last_instance is None


def test_a_request_with_instances_is_ready(pipeline: Pipeline) -> None:
    day(pipeline)
    days(pipeline, 3)
    (line,) = status(pipeline).requests
    assert (line.verdict, line.access_type) == (RequestVerdict.READY, "ONGOING")
    assert line.last_instance == pipeline.world.today
    assert line.next_expected == pipeline.world.today + DAY


def test_a_snapshot_has_a_line_of_its_own(pipeline: Pipeline) -> None:
    day(pipeline)
    backfill(pipeline, date(2025, 5, 26), date(2025, 6, 1))
    lines = {line.access_type: line for line in status(pipeline).requests}
    assert lines["ONE_TIME_SNAPSHOT"].verdict is RequestVerdict.NOT_READY
    pipeline.world.advance(2)
    day(pipeline)
    lines = {line.access_type: line for line in status(pipeline).requests}
    assert lines["ONE_TIME_SNAPSHOT"].verdict is RequestVerdict.READY
    assert lines["ONE_TIME_SNAPSHOT"].next_expected is None


def test_a_request_that_fell_silent_is_not_said_to_be_stopped(pipeline: Pipeline) -> None:
    day(pipeline)
    days(pipeline, 2)
    silent = status(pipeline, as_of=pipeline.world.today + 4 * DAY)
    (line,) = silent.requests
    assert line.verdict is RequestVerdict.SILENT
    assert line.reason.startswith("no instance for 4 days; on 2025-06-02 Apple listed the request as live")
    assert not silent.is_good


def test_a_request_that_apple_stopped_is_said_to_be_until_the_one_made_anew_has_data(pipeline: Pipeline) -> None:
    day(pipeline)
    days(pipeline, 2)
    pipeline.world.stop_request(APP)
    days(pipeline, 4)  # three silent ones, and the run that checks
    answer = status(pipeline)
    (line,) = answer.requests
    assert (line.verdict, line.requested_on, line.last_instance) == (
        RequestVerdict.STOPPED,
        pipeline.world.today,
        pipeline.world.today - 4 * DAY,
    )
    assert "stoppedDueToInactivity" in line.reason
    assert not answer.is_good
    days(pipeline, 2)
    (line,) = status(pipeline).requests
    assert (line.verdict, line.reason) == (RequestVerdict.READY, "")


def test_a_request_that_was_gone_and_made_anew_is_not_ready_again(pipeline: Pipeline) -> None:
    day(pipeline)
    days(pipeline, 2)
    (request,) = pipeline.world.requests_of(APP)
    pipeline.world.delete_request(request.id)
    days(pipeline, 2)
    (line,) = status(pipeline).requests
    assert (line.verdict, line.requested_on) == (RequestVerdict.NOT_READY, pipeline.world.today)
    assert "no longer listed it" in line.reason


def test_a_forbidden_app_says_why_and_the_others_are_ready(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"apps": 2})
    day(pipeline)
    pipeline.world.forbidden_app_ids.add("1000000002")
    pipeline.world.advance(7)  # a known request is checked once a week
    days(pipeline, 1)
    answer = status(pipeline)
    verdicts = {line.app_id: line for line in answer.requests}
    assert verdicts["1000000001"].verdict is RequestVerdict.READY
    assert verdicts["1000000002"].verdict is RequestVerdict.FORBIDDEN
    assert verdicts["1000000002"].reason
    assert not answer.is_good


def test_an_account_without_app_ids_has_those_of_its_newest_daily_run(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"apps": 2})
    open_account = replace(pipeline.configuration, accounts=(Account("main", reader_key=True),))
    assert known_accounts(open_account, pipeline.lake) == open_account.accounts
    pipeline.summarize(day(pipeline))
    accounts = known_accounts(open_account, pipeline.lake)
    assert accounts == (Account("main", ("1000000001", "1000000002"), reader_key=True),)
    answer = list_apps(open_account, accounts, pipeline.registry, pipeline.lake)
    assert [(app.app_id, app.listed, app.last_verdict) for app in answer.apps] == [
        ("1000000001", "by its key", "not ready"),
        ("1000000002", "by its key", "not ready"),
    ]
    assert all(app.ongoing_request and not app.snapshot_request for app in answer.apps)


def test_a_plan_of_an_older_version_is_passed_over(pipeline: Pipeline) -> None:
    plan = day(pipeline)
    pipeline.summarize(plan)
    assert newest_daily_plan(pipeline.lake) == plan
    pipeline.lake.write(run_key(plan.run_id, "plan.json"), b'{"run_id": "of another version"}')
    assert newest_daily_plan(pipeline.lake) is None


def test_no_known_app_is_not_good(pipeline: Pipeline) -> None:
    nobody = replace(pipeline.configuration, accounts=(Account("main"),))
    assert not list_apps(nobody, nobody.accounts, pipeline.registry, pipeline.lake).is_good


def test_freshness_is_the_newest_object_of_the_table(pipeline: Pipeline) -> None:
    assert freshness_report(pipeline.lake).checked_at == ""
    fresh = {"checked_at": "2025-06-05T10:00:00+00:00", "app_id": 1, "table_name": "downloads", "verdict": "fresh"}
    fresh |= {
        "reason": "",
        "newest_due_date": "2025-06-02",
        "missing_dates": [],
        "newest_processing_date": "2025-06-05",
    }
    late = fresh | {"app_id": 2, "verdict": "late", "reason": "not there", "missing_dates": ["2025-06-02"]}
    write_rows(pipeline.lake, appstore_key("freshness", date(2025, 6, 4), "last-check"), [late, late])
    write_rows(pipeline.lake, appstore_key("freshness", date(2025, 6, 5), "last-check"), [late, fresh])
    answer = freshness_report(pipeline.lake)
    (table,) = answer.tables
    assert (table.table_name, table.apps, dict(table.verdicts)) == ("downloads", 2, {"fresh": 1, "late": 1})
    (stale,) = answer.stale
    assert (stale.app_id, stale.reason, stale.missing_dates) == ("2", "not there", (date(2025, 6, 2),))
    assert not answer.is_good
    assert [one.app_id for one in freshness_report(pipeline.lake, {"2"}).stale] == ["2"]
    nobody = freshness_report(pipeline.lake, ())
    assert (nobody.checked_at, nobody.tables) == ("2025-06-05T10:00:00+00:00", ())


def test_the_registry_is_counted(pipeline: Pipeline) -> None:
    pipeline.daily()
    pipeline.world.advance(2)
    pipeline.daily()
    pipeline.registry.dirty_dates.mark(TableDate("downloads", date(2025, 6, 3)))
    answer = registry_statistics(
        pipeline.configuration.accounts, 3500, tables(pipeline), pipeline.registry, status(pipeline)
    )
    assert answer.counters == {"requests_created": 1, "duplicates_prevented": 1}
    assert answer.requests == {"ONGOING ready": 1}
    assert answer.instances == {"converted": 2}
    (dirty,) = answer.dirty_dates
    assert (dirty.table_name, dirty.dates, dirty.oldest) == ("downloads", 1, date(2025, 6, 3))
    (budget,) = answer.call_budgets
    assert (budget.key_name, budget.daily_ceiling, budget.backfill_ceiling) == ("main", 3395, 1697)
