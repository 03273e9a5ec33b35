"""Lists of Apple that cannot be right are refused by name, and the rest of the step goes on."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from appstore_analytics.contract.catalogue import REPORTS
from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.model.instances import LedgerInstance
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.model.vintage import Vintage
from local.apple import AppStoreConnect as SimulatedApp
from local.apple import FaultKind, mount
from local.apple.http import Answer, Environ, json_answer, send
from tests.integration.pipeline_in_process import (
    APP,
    CRASHES,
    DOWNLOADS,
    LIST_REPORTS,
    Pipeline,
)
from tests.integration.steps.listing import DONE, SESSIONS, THREE, registered, verdict


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
