import itertools
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from appstore_analytics.contract.catalogue import REPORTS
from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.contract.errors import AppleUnavailable, NotFound
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.model.instances import InstanceStatus, LedgerInstance
from appstore_analytics.model.items import LandItem
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.model.vintage import Vintage
from local.apple import AccessType as SimulatedAccessType
from local.apple import AppStoreConnect as SimulatedApp
from local.apple import FaultKind, mount
from local.apple.http import Answer, Environ, json_answer, send
from local.apple.model import Series
from tests.integration.pipeline_in_process import (
    ACCOUNT,
    APP,
    CRASHES,
    DOWNLOADS,
    LIST_INSTANCES,
    LIST_REPORTS,
    Pipeline,
)

DONE = {"outcome": "done"}
SESSIONS = "App Sessions Standard"
THREE = (DOWNLOADS, CRASHES, SESSIONS)


def registered(pipeline: Pipeline, days: int = 1) -> RunPlan:
    """A plan for this number of days after the app was registered."""
    pipeline.register(pipeline.plan())
    pipeline.world.advance(days)
    return pipeline.plan()


def verdict(pipeline: Pipeline, plan: RunPlan) -> Verdict | None:
    return pipeline.record(pipeline.item(plan)).verdict


def test_an_app_without_any_instance_is_not_ready(pipeline: Pipeline) -> None:
    plan = registered(pipeline, days=0)
    assert pipeline.list_app(plan) == DONE
    assert verdict(pipeline, plan) is Verdict.NOT_READY
    assert pipeline.land_items(plan) == []


def test_what_apple_lists_anew_is_noted_and_planned_to_land(pipeline: Pipeline) -> None:
    plan = registered(pipeline, days=2)
    assert pipeline.list_app(plan) == DONE
    items = pipeline.land_items(plan)
    assert [pipeline.instance(item).vintage.processing_date for item in items] == [date(2025, 6, 3), date(2025, 6, 4)]
    assert {pipeline.instance(item).status for item in items} == {InstanceStatus.LISTED}
    record = pipeline.record(items[0])
    assert (record.verdict, record.facts) == (None, {"table": "downloads", "processing_date": "2025-06-03"})
    assert verdict(pipeline, plan) is Verdict.READY
    known = pipeline.registry.report_requests.get(APP, AccessType.ONGOING)
    assert known.newest_instance == date(2025, 6, 4)


def test_a_second_run_lists_again_and_plans_the_same(pipeline: Pipeline) -> None:
    plan = registered(pipeline)
    pipeline.list_app(plan)
    before = pipeline.land_items(plan)
    pipeline.list_app(plan)
    assert pipeline.land_items(plan) == before
    assert (pipeline.count(LIST_INSTANCES), pipeline.count(LIST_REPORTS)) == (2, 1)


def test_what_is_converted_is_not_due_again(pipeline: Pipeline) -> None:
    plan = registered(pipeline)
    pipeline.run(plan, MapName.REGISTER, MapName.LAND)
    again = pipeline.plan()
    pipeline.list_app(again)
    assert pipeline.land_items(again) == []
    assert verdict(pipeline, again) is Verdict.UNCHANGED


def test_what_an_earlier_run_left_is_planned_by_the_next(pipeline: Pipeline) -> None:
    left = registered(pipeline)
    pipeline.list_app(left)
    plan = pipeline.plan()
    pipeline.list_app(plan)
    assert [item.vintage for item in pipeline.land_items(plan)] == [item.vintage for item in pipeline.land_items(left)]


def test_a_late_instance_with_an_older_processing_date_is_not_lost(pipeline: Pipeline) -> None:
    series = Series(APP, DOWNLOADS, Granularity.DAILY)
    pipeline.world.delay_instance(series, date(2025, 6, 4), date(2025, 6, 7))
    plan = registered(pipeline, days=4)
    pipeline.run(plan, MapName.REGISTER, MapName.LAND)
    pipeline.world.advance(1)
    plan = pipeline.plan()
    pipeline.list_app(plan)
    days = [pipeline.instance(item).vintage.processing_date for item in pipeline.land_items(plan)]
    assert days == [date(2025, 6, 4), date(2025, 6, 7)]


def test_an_entry_that_apple_lists_twice_is_noted_once(pipeline: Pipeline) -> None:
    plan = registered(pipeline)
    pipeline.fault(FaultKind.DUPLICATE, "/instances")
    pipeline.list_app(plan)
    assert len(pipeline.land_items(plan)) == 1


def facts(pipeline: Pipeline, plan: RunPlan) -> dict[str, Any]:
    return pipeline.record(pipeline.item(plan)).facts


def reason(pipeline: Pipeline, plan: RunPlan) -> str:
    return pipeline.record(pipeline.item(plan)).reason


def test_a_list_that_links_to_itself_is_refused_and_the_other_tables_go_on(start: Callable[..., Pipeline]) -> None:
    pipeline = start(reports=THREE)
    plan = registered(pipeline)
    pipeline.fault(FaultKind.SELF_LINK, "/instances", report=CRASHES)
    assert pipeline.list_app(plan) == DONE
    assert {pipeline.instance(item).table for item in pipeline.land_items(plan)} == {"downloads", "sessions"}
    assert verdict(pipeline, plan) is Verdict.FAILED
    assert reason(pipeline, plan).startswith(
        "The instances of crashes were not listed: App Store Connect sent a page of"
    )
    plan = pipeline.plan()
    pipeline.list_app(plan)
    assert {pipeline.instance(item).table for item in pipeline.land_items(plan)} == {"crashes", "downloads", "sessions"}
    assert (verdict(pipeline, plan), reason(pipeline, plan)) == (Verdict.READY, "")


def listing(*entries: tuple[str, str], granularity: str = "DAILY") -> Answer:
    data = [
        {
            "type": "analyticsReportInstances",
            "id": name,
            "attributes": {"granularity": granularity, "processingDate": day},
        }
        for name, day in entries
    ]
    return json_answer({"data": data, "links": {"self": "x"}})


def answer_lists(pipeline: Pipeline, answers: dict[str, Answer]) -> None:
    """From now on Apple lists these instances, by the report's name; other requests are answered as usual."""
    usual = SimulatedApp(pipeline.world, wall_seconds=pipeline.clock.seconds)

    def application(environ: Environ, start_response: Any) -> Any:
        found = re.fullmatch("/v1/analyticsReports/([^/]+)/instances", environ["PATH_INFO"])
        name = pipeline.world.report(found[1])[1].name if found else ""
        return send(answers[name], start_response) if name in answers else usual(environ, start_response)

    mount(pipeline.session, application)


@pytest.mark.parametrize("day", ["9999-12-31", "20250603", "2025-W23-2", "2019-12-31", "tomorrow"])
def test_an_impossible_processing_date_is_refused_by_name_once_and_poisons_nothing(
    pipeline: Pipeline, day: str
) -> None:
    plan = registered(pipeline, days=2)
    answer_lists(pipeline, {DOWNLOADS: listing(("good", "2025-06-03"), ("bad", day))})
    pipeline.list_app(plan)
    assert [pipeline.instance(item).vintage.instance_id for item in pipeline.land_items(plan)] == ["good"]
    assert verdict(pipeline, plan) is Verdict.FAILED
    sentence = (
        f"Instance bad of downloads is refused: App Store Connect sent bad with an impossible processingDate ({day}). "
        "Once Apple has corrected its list, the next run continues with it."
    )
    assert reason(pipeline, plan) == sentence
    assert pipeline.registry.report_requests.get(APP, AccessType.ONGOING).newest_instance == date(2025, 6, 3)
    again = pipeline.plan()
    pipeline.list_app(again)
    assert verdict(pipeline, again) is Verdict.READY  # only reported
    assert facts(pipeline, again)["refused"] == {"downloads/bad": sentence}


def test_of_very_many_refused_entries_two_hundred_are_named_so_that_the_record_stays_an_item(
    start: Callable[..., Pipeline],
) -> None:
    names = tuple(report.name for report in REPORTS[:12])
    pipeline = start(reports=names)
    plan = registered(pipeline)
    answer_lists(pipeline, {name: listing(*((f"bad{n}", "9999-12-31") for n in range(30))) for name in names})
    pipeline.list_app(plan)
    assert verdict(pipeline, plan) is Verdict.FAILED
    refused = facts(pipeline, plan)["refused"]
    assert len(refused) == 201
    assert refused["further"] == "Only 200 of the refused entries of this app are named: Apple listed more."


def test_a_ledger_that_believed_in_the_year_9999_lists_new_weeks_again(start: Callable[..., Pipeline]) -> None:
    pipeline = start(granularities=(Granularity.WEEKLY,), reports=(SESSIONS,))
    plan = registered(pipeline, days=14)
    poison = Vintage(date(9999, 12, 31), AccessType.ONGOING, "poison")
    pipeline.registry.instances.add(LedgerInstance(APP, "sessions_weekly", Granularity.WEEKLY, poison))
    pipeline.list_app(plan)
    built = {pipeline.instance(item).vintage.processing_date for item in pipeline.land_items(plan)}
    assert built == {date(2025, 6, 6), date(2025, 6, 13)}
    assert pipeline.registry.report_requests.get(APP, AccessType.ONGOING).newest_instance == date(2025, 6, 13)


def test_one_instance_id_under_two_reports_is_a_contradiction_refused_by_name(start: Callable[..., Pipeline]) -> None:
    pipeline = start(reports=(DOWNLOADS, SESSIONS))
    plan = registered(pipeline)
    answer_lists(pipeline, {name: listing(("one", "2025-06-03")) for name in (DOWNLOADS, SESSIONS)})
    pipeline.list_app(plan)
    (item,) = pipeline.land_items(plan)
    first = pipeline.instance(item).table
    second = ({"downloads", "sessions"} - {first}).pop()
    both = f"Apple listed it both for {first} (2025-06-03) and for {second} (2025-06-03)."
    assert reason(pipeline, plan) == (
        f"Instance one of {second} is refused: {both} "
        "Once Apple has corrected its list, the next run continues with it."
    )


def test_one_instance_id_with_another_day_than_before_is_refused_by_name(pipeline: Pipeline) -> None:
    plan = registered(pipeline, days=2)
    answer_lists(pipeline, {DOWNLOADS: listing(("one", "2025-06-03"))})
    pipeline.list_app(plan)
    answer_lists(pipeline, {DOWNLOADS: listing(("one", "2025-06-04"))})
    pipeline.list_app(plan)
    assert len(pipeline.land_items(plan)) == 1
    assert "downloads (2025-06-03) and for downloads (2025-06-04)" in reason(pipeline, plan)


# The names under which Apple offers reports


@pytest.mark.parametrize("name", ["App Downloads standard", "App  Downloads  Standard", "APP-DOWNLOADS_STANDARD "])
def test_a_report_is_found_however_apple_spells_its_name(pipeline: Pipeline, name: str) -> None:
    pipeline.world.rename_report(DOWNLOADS, name)
    plan = registered(pipeline)
    pipeline.list_app(plan)
    assert len(pipeline.land_items(plan)) == 1
    assert (facts(pipeline, plan)["missing_reports"], facts(pipeline, plan)["unknown_reports"]) == ([], [])


def test_a_report_that_apple_offers_under_another_name_is_told_with_the_names_that_it_offers(
    pipeline: Pipeline,
) -> None:
    pipeline.world.rename_report(DOWNLOADS, "App Store Downloads Standard")
    pipeline.world.rename_report(CRASHES, "Crashes 販売")
    plan = registered(pipeline)
    pipeline.run(plan)
    pipeline.summarize(plan)
    report = pipeline.report()
    assert report["missing_reports"] == {DOWNLOADS: [APP]}
    assert report["unknown_reports"] == ["App Store Downloads Standard", "Crashes 販売"]
    missing, unknown = report["notices"]
    name = pipeline.world.apps[APP].name
    assert missing.startswith(
        f"App {APP} ({name}): Apple offers reports for this app, but none named '{DOWNLOADS}'; it offers names"
    )
    assert "'App Store Downloads Standard', 'Crashes 販売'" in missing
    assert unknown.endswith("so they are not fetched: 'App Store Downloads Standard', 'Crashes 販売'.")


def test_unknown_names_are_told_in_every_run_and_asked_for_once_a_week(pipeline: Pipeline) -> None:
    pipeline.world.rename_report(CRASHES, "Crashes of Tomorrow")
    asked = []
    plan = registered(pipeline)
    for _ in range(9):
        pipeline.list_app(plan)
        assert facts(pipeline, plan)["unknown_reports"] == ["Crashes of Tomorrow"]
        asked.append(pipeline.count(LIST_REPORTS))
        pipeline.world.advance(1)
        plan = pipeline.plan()
    assert asked == [1, 1, 1, 1, 1, 1, 1, 2, 2]


def test_two_reports_of_one_name_are_refused_by_name(pipeline: Pipeline) -> None:
    pipeline.world.rename_report(CRASHES, DOWNLOADS.upper())
    plan = registered(pipeline)
    pipeline.list_app(plan)
    assert pipeline.land_items(plan) == []
    assert reason(pipeline, plan).startswith(
        f"Apple offers two reports named '{DOWNLOADS}' to app {APP}: neither is fetched."
    )


def test_a_list_of_reports_that_never_ends_leaves_the_known_ones_listed(start: Callable[..., Pipeline]) -> None:
    pipeline = start(reports=(DOWNLOADS,))
    pipeline.list_app(registered(pipeline))
    pipeline.reports = (DOWNLOADS, SESSIONS)
    pipeline.world.advance(1)
    pipeline.fault(FaultKind.SELF_LINK, "/reports$", times=None)
    plan = pipeline.plan()
    pipeline.list_app(plan)
    assert {pipeline.instance(item).table for item in pipeline.land_items(plan)} == {"downloads"}
    assert reason(pipeline, plan).startswith(f"The reports of app {APP} were not listed: ")


def test_after_a_failure_it_goes_on_where_it_stopped(start: Callable[..., Pipeline]) -> None:
    pipeline = start(reports=THREE)
    plan = registered(pipeline)
    pipeline.fault(FaultKind.STATUS, "/instances", report=SESSIONS, status=503)
    with pytest.raises(AppleUnavailable):
        pipeline.list_app(plan)
    assert verdict(pipeline, plan) is None
    assert pipeline.count(LIST_INSTANCES) == 3
    assert pipeline.list_app(plan) == DONE
    assert pipeline.count(LIST_INSTANCES) == 4
    tables = {pipeline.instance(item).table for item in pipeline.land_items(plan)}
    assert tables == {"downloads", "crashes", "sessions"}
    assert pipeline.record(pipeline.item(plan)).facts["calls"] == 5  # four lists of instances, one of reports


def test_a_429_in_the_middle_waits_and_then_goes_on(start: Callable[..., Pipeline]) -> None:
    pipeline = start(reports=THREE)
    plan = registered(pipeline)
    pipeline.fault(FaultKind.STATUS, "/instances", report=CRASHES, status=429, retry_after_seconds=20)
    answer = pipeline.list_app(plan)
    assert answer["outcome"] == "wait"
    assert pipeline.list_app(plan)["outcome"] == "wait"
    assert pipeline.count(LIST_INSTANCES) == 2
    pipeline.clock.now = datetime.fromisoformat(answer["available_at"])
    assert pipeline.list_app(plan) == DONE
    assert pipeline.count(LIST_INSTANCES) == 4
    assert len(pipeline.land_items(plan)) == 3


def test_where_apple_is_slow_it_ends_in_time_and_goes_on_at_once(
    start: Callable[..., Pipeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = start(reports=THREE)
    plan = registered(pipeline)
    clock = itertools.count(step=100)  # the start, then once per table
    monkeypatch.setattr("appstore_analytics.steps.list_instances.monotonic", lambda: next(clock))
    answer = pipeline.list_app(plan)
    assert answer["outcome"] == "wait"
    assert datetime.fromisoformat(answer["available_at"]) - pipeline.clock() < timedelta(seconds=2)
    assert pipeline.record(pipeline.item(plan)).facts["listed"] == ["ONGOING/crashes", "ONGOING/downloads"]
    assert pipeline.count(LIST_INSTANCES) == 2
    assert pipeline.list_app(plan) == DONE
    assert pipeline.count(LIST_INSTANCES) == 3
    assert len(pipeline.land_items(plan)) == 3


def test_without_calls_left_it_waits_until_the_hour_has_passed(start: Callable[..., Pipeline]) -> None:
    pipeline = start(reports=THREE, calls_per_hour=6)
    plan = registered(pipeline)
    pipeline.registry.call_budget(ACCOUNT).reserve(2, 5, pipeline.clock.now)
    answer = pipeline.list_app(plan)
    assert answer["outcome"] == "wait"
    assert pipeline.list_app(plan)["outcome"] == "wait"
    assert pipeline.count(LIST_INSTANCES) == 2
    pipeline.clock.now = datetime.fromisoformat(answer["available_at"])
    assert pipeline.list_app(plan) == DONE
    assert len(pipeline.land_items(plan)) == 3
    assert pipeline.count(LIST_INSTANCES) == 3


def test_on_the_day_a_request_is_made_only_one_that_somebody_else_made_is_listed(
    start: Callable[..., Pipeline],
) -> None:
    pipeline = start({"apps": 2}, reports=THREE)
    pipeline.world.create_request("1000000002", AccessType.ONGOING)
    plan = pipeline.plan()
    for app_id in pipeline.world.apps:
        pipeline.register(plan, app_id)
    assert pipeline.list_app(plan, APP) == DONE
    assert (pipeline.count(LIST_REPORTS), pipeline.count(LIST_INSTANCES)) == (0, 0)
    assert verdict(pipeline, plan) is Verdict.NOT_READY
    pipeline.list_app(plan, "1000000002")
    assert (pipeline.count(LIST_REPORTS), pipeline.count(LIST_INSTANCES)) == (1, 3)


def test_weekly_tables_are_listed_until_the_friday_instance_is_there(start: Callable[..., Pipeline]) -> None:
    pipeline = start(reports=(CRASHES,), granularities=(Granularity.WEEKLY,))
    plan = registered(pipeline, days=0)
    listings = []
    for _ in range(13):  # from Monday to the Saturday of the next week
        pipeline.world.statistics.reset()
        plan = pipeline.plan()
        pipeline.run(plan, MapName.REGISTER, MapName.LAND)
        listings.append(pipeline.count(LIST_INSTANCES))
        pipeline.world.advance(1)
    assert listings == [0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0]  # nothing on the day the request is made


def test_monthly_tables_are_listed_until_the_instance_of_the_5th_is_there(start: Callable[..., Pipeline]) -> None:
    pipeline = start(reports=(CRASHES,), granularities=(Granularity.MONTHLY,))
    listings = []
    for _ in range(6):
        pipeline.world.statistics.reset()
        pipeline.run(pipeline.plan(), MapName.REGISTER, MapName.LAND)
        listings.append(pipeline.count(LIST_INSTANCES))
        pipeline.world.advance(1)
    assert listings == [0, 1, 1, 1, 0, 0]  # nothing on the day the request is made


@pytest.mark.parametrize("is_listed_before", [True, False])
def test_a_request_that_apple_no_longer_knows_is_looked_at_and_made_anew_by_the_next_run(
    pipeline: Pipeline, is_listed_before: bool
) -> None:
    plan = registered(pipeline)
    if is_listed_before:
        pipeline.list_app(plan)
    (request,) = pipeline.world.requests_of(APP)
    pipeline.world.delete_request(request.id)
    with pytest.raises(NotFound):
        pipeline.list_app(plan)
    plan = pipeline.plan()
    assert pipeline.register(plan) == {"outcome": "next"}
    assert pipeline.list_app(plan) == DONE
    assert len(pipeline.world.requests_of(APP)) == 1


def test_a_backfill_lists_the_reports_that_were_asked_for_and_waits_for_the_snapshot(
    start: Callable[..., Pipeline],
) -> None:
    pipeline = start({"history_start": date(2025, 5, 20)}, reports=THREE)
    plan = pipeline.backfill(date(2025, 5, 1), date(2025, 5, 31), reports=["downloads"])
    pipeline.register(plan)
    pipeline.list_app(plan)
    assert verdict(pipeline, plan) is Verdict.NOT_READY
    assert pipeline.count(LIST_INSTANCES) == 1
    pipeline.world.advance(1)
    pipeline.list_app(plan)
    assert verdict(pipeline, plan) is Verdict.READY
    assert [pipeline.instance(item).table for item in pipeline.land_items(plan)] == ["downloads"]


def test_a_daily_run_looks_after_a_snapshot_that_the_backfill_did_not_see(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"history_start": date(2025, 5, 20)})
    pipeline.run(pipeline.backfill(date(2025, 5, 1), date(2025, 5, 31)), MapName.REGISTER)
    pipeline.world.advance(2)
    plan = pipeline.plan()
    pipeline.run(plan, MapName.REGISTER)
    (item,) = pipeline.land_items(plan)
    assert pipeline.instance(item).vintage.access_type is AccessType.ONE_TIME_SNAPSHOT


def test_a_snapshot_is_due_again_only_for_dates_that_were_not_converted(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"history_start": date(2025, 5, 1)})
    pipeline.run(pipeline.backfill(date(2025, 5, 1), date(2025, 5, 10)), MapName.REGISTER)
    pipeline.world.advance(1)
    pipeline.run(pipeline.backfill(date(2025, 5, 1), date(2025, 5, 10)), MapName.REGISTER, MapName.LAND)
    same = pipeline.backfill(date(2025, 5, 1), date(2025, 5, 10))
    pipeline.run(same, MapName.REGISTER)
    assert pipeline.land_items(same) == []
    more = pipeline.backfill(date(2025, 5, 11), date(2025, 5, 12))
    downloads = pipeline.count("GET /segments/{instance}/{segment}")
    pipeline.run(more, MapName.REGISTER, MapName.LAND)
    (item,) = pipeline.land_items(more)
    assert pipeline.record(item).facts["parts_written"] == 2
    assert pipeline.count("GET /segments/{instance}/{segment}") == downloads  # from the raw bytes


def test_a_snapshot_that_landed_and_expired_at_apple_needs_no_waiting(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"history_start": date(2025, 5, 1)})
    pipeline.run(pipeline.backfill(date(2025, 5, 1), date(2025, 5, 10)), MapName.REGISTER)
    pipeline.world.advance(1)
    pipeline.run(pipeline.backfill(date(2025, 5, 1), date(2025, 5, 10)), MapName.REGISTER, MapName.LAND)
    pipeline.world.advance(60)
    plan = pipeline.backfill(date(2025, 5, 11), date(2025, 5, 12))
    pipeline.run(plan, MapName.REGISTER, MapName.LAND)
    assert verdict(pipeline, plan) is Verdict.READY
    (item,) = pipeline.land_items(plan)
    assert pipeline.record(item).verdict is Verdict.CONVERTED


def test_a_stopped_snapshot_request_of_another_access_type_is_none_of_the_daily_runs_business(
    pipeline: Pipeline,
) -> None:
    pipeline.world.create_request(APP, SimulatedAccessType.ONE_TIME_SNAPSHOT)
    plan = registered(pipeline, days=2)
    pipeline.list_app(plan)
    found = [LandItem.from_event(record.event) for record in pipeline.registry.runs.of_map(plan.run_id, MapName.LAND)]
    assert {pipeline.instance(item).vintage.access_type for item in found} == {AccessType.ONGOING}
