import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, NoReturn
from unittest.mock import patch

import pytest

from appstore_analytics.apple.client import AppStoreConnect
from appstore_analytics.contract.catalogue import REPORTS
from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.contract.configuration import Account, Configuration
from appstore_analytics.contract.errors import (
    AppleRefused,
    AppleUnavailable,
    ConfigurationRefused,
    InputRefused,
    NotFound,
    RoleMissing,
)
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.contract.waits import WaitFor
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.run_notes import plans_read_once, read_plan, write_plan
from appstore_analytics.model.items import LandItem
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.steps.plan_items import plan_items
from appstore_analytics.steps.plan_run import plan_run
from local.apple import FaultKind
from tests.integration.pipeline_in_process import ACCOUNT, APP, CRASHES, DOWNLOADS, Pipeline
from tests.integration.steps.written_reports import appstore_rows, page, report

STARTED = datetime(2025, 6, 2, 10, 0, 0, 123_000, tzinfo=UTC)


CONFIGURATION = Configuration(
    (Account(ACCOUNT, (APP, "1000000002")),), (DOWNLOADS, CRASHES), (Granularity.DAILY,), 3500, 30
)


BACKFILL = {"operation": "backfill", "app_ids": [APP], "start_date": "2025-05-01", "end_date": "2025-05-31"}


def planned(pipeline: Pipeline, payload: Any, configuration: Configuration = CONFIGURATION) -> RunPlan:
    answer = plan_run("daily:2025_06_02", STARTED, payload, configuration, pipeline.lake, pipeline.connect)
    return read_plan(pipeline.lake, answer["run_id"])


def test_a_warm_function_reads_the_plan_of_its_run_once(pipeline: Pipeline) -> None:
    plans, first, second = plans_read_once(pipeline.lake), planned(pipeline, {}), pipeline.plan()
    with patch.object(Bucket, "read", autospec=True, side_effect=Bucket.read) as read:
        assert [plans(first.run_id), plans(first.run_id), plans(second.run_id)] == [first, first, second]
    assert read.call_count == 2


def test_a_daily_plan_is_about_everything_that_is_configured(pipeline: Pipeline) -> None:
    plan = planned(pipeline, {})
    assert plan.run_id.startswith("20250602T100000123Z-daily-2025-06-02-")
    assert (plan.operation, plan.as_of, plan.started_at) == ("daily", STARTED.date(), STARTED)
    assert (plan.accounts, plan.reports) == (CONFIGURATION.accounts, CONFIGURATION.reports)
    assert (plan.start_date, plan.end_date, plan.give_up_at) == (None, None, None)


def test_a_second_run_writes_the_same_plan(pipeline: Pipeline) -> None:
    planned(pipeline, {})
    before = [(stored.key, stored.etag) for stored in pipeline.lake.list("runs/")]
    planned(pipeline, {})
    assert [(stored.key, stored.etag) for stored in pipeline.lake.list("runs/")] == before


def test_a_backfill_is_about_what_it_names_and_gives_up_some_day(pipeline: Pipeline) -> None:
    plan = planned(pipeline, {**BACKFILL, "reports": ["crashes"]})
    assert plan.accounts == (Account(ACCOUNT, (APP,)),)
    assert plan.reports == (CRASHES,)
    assert (plan.start_date, plan.end_date) == (date(2025, 5, 1), date(2025, 5, 31))
    assert plan.give_up_at == STARTED + timedelta(hours=72)


def test_an_account_without_app_ids_means_all_apps_that_its_key_sees(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"apps": 3})
    configuration = replace(CONFIGURATION, accounts=(Account(ACCOUNT),))
    with pipeline.calls(pipeline.plan(), 1) as calls:
        answer = plan_run("e", STARTED, {}, configuration, pipeline.lake, connect=lambda _: pipeline.apple(calls))
    plan = read_plan(pipeline.lake, answer["run_id"])
    assert plan.accounts == (Account(ACCOUNT, ("1000000001", "1000000002", "1000000003")),)


LISTING_REFUSED = {
    404: (
        NotFound,
        "does not know the requested resource (NOT_FOUND). The URL was https://api.appstoreconnect.apple.com/v1/apps",
        "correct apple_base_url",
    ),
    400: (AppleRefused, "refused GET with 400 BAD_REQUEST", "ask Apple's developer support"),
    403: (RoleMissing, "role does not allow GET", "use a key with the role Admin, Finance or Sales and Reports"),
    500: (AppleUnavailable, "answered 500", "the next run tries again"),
}


@pytest.mark.parametrize("status", LISTING_REFUSED)
def test_a_run_that_cannot_list_apps_ends_with_the_account_the_cause_and_the_next_step(
    pipeline: Pipeline, status: int
) -> None:
    configuration = replace(CONFIGURATION, accounts=(Account(ACCOUNT),))
    plan = pipeline.plan()
    pipeline.fault(FaultKind.STATUS, "GET /v1/apps$", status=status, code="BAD_REQUEST" if status == 400 else "")
    error, cause, next_step = LISTING_REFUSED[status]
    with pipeline.calls(plan, 1) as calls, pytest.raises(error) as refused:
        plan_run("e", STARTED, {}, configuration, pipeline.lake, connect=lambda _: pipeline.apple(calls))
    sentence = str(refused.value)
    assert sentence.startswith("Apple does not list the apps of account 'main'. ")
    assert sentence.index(cause) < sentence.index(next_step)


def test_a_plan_knows_the_names_of_its_apps_and_keeps_those_that_apple_does_not_tell(pipeline: Pipeline) -> None:
    names = {app_id: pipeline.world.apps[app_id].name for app_id in (APP,)}
    assert planned(pipeline, {}).app_names == names

    def refuse(_: str) -> NoReturn:
        raise AppleUnavailable("App Store Connect answered 500 UNEXPECTED_ERROR.")

    answer = plan_run("later", STARTED + timedelta(days=1), {}, CONFIGURATION, pipeline.lake, connect=refuse)
    plan = read_plan(pipeline.lake, answer["run_id"])
    assert plan.app_names == names
    (notice,) = plan.notices
    assert notice.startswith("Names of apps of account 'main' are from an earlier run, because: App Store Connect")
    assert planned(pipeline, {"operation": "reprocess"}).app_names == names


FIRST, SECOND, THIRD = "1000000001", "1000000002", "1000000003"


def seen_by(pipeline: Pipeline, *accounts: Account, **apps: tuple[str, ...]) -> RunPlan:
    """A daily plan in which each account's key sees these apps."""

    class Seen:
        def __init__(self, key_name: str) -> None:
            self.app_names = lambda _=(): dict.fromkeys(apps.get(key_name, ()), "")

    pipeline.clock.pass_by(hours=1)
    configuration = replace(CONFIGURATION, accounts=accounts)
    answer = plan_run("e", pipeline.clock.now, {}, configuration, pipeline.lake, connect=Seen)  # type: ignore[arg-type]
    return read_plan(pipeline.lake, answer["run_id"])


def test_an_app_that_apple_lists_no_more_is_told_until_it_is_back_or_its_instances_are_gone(pipeline: Pipeline) -> None:
    account = Account("main")
    assert seen_by(pipeline, account, main=(FIRST, SECOND)).vanished == ()
    for _ in range(2):
        plan = seen_by(pipeline, account, main=(FIRST,))
        assert [(gone.app_id, gone.last_listed) for gone in plan.vanished] == [(SECOND, date(2025, 6, 2))]
    assert seen_by(pipeline, account, main=(FIRST, SECOND)).vanished == ()
    seen_by(pipeline, account, main=(FIRST,))
    pipeline.clock.pass_by(days=35)
    assert [gone.app_id for gone in seen_by(pipeline, account, main=(FIRST,)).vanished] == [SECOND]
    pipeline.clock.pass_by(days=1)
    assert seen_by(pipeline, account, main=(FIRST,)).vanished == ()


def test_an_app_that_the_configuration_no_longer_names_has_not_vanished(pipeline: Pipeline) -> None:
    seen_by(pipeline, Account("main", (FIRST, SECOND)))
    assert seen_by(pipeline, Account("main", (FIRST,))).vanished == ()


def test_a_vanished_app_is_a_notice_in_report_and_page_and_its_request_is_still_judged(pipeline: Pipeline) -> None:
    seen_by(pipeline, Account("main"), main=(FIRST, SECOND))
    plan = seen_by(pipeline, Account("main"), main=(FIRST,))
    assert pipeline.summarize(plan)["status"] == "SUCCEEDED"
    (notice,) = report(pipeline)["notices"]
    assert notice.startswith(
        f"Apple no longer lists app {SECOND} for the key of account 'main', which saw it until 2025-"
    )
    assert notice in page(pipeline)
    rows = appstore_rows(pipeline, plan)["report_requests"]
    assert [(row["app_id"], row["verdict"], row["reason"]) for row in rows] == [(int(SECOND), "failed", notice)]


def test_an_app_that_two_keys_see_is_fetched_once(pipeline: Pipeline) -> None:
    both = (Account("one"), Account("two"))
    plan = seen_by(pipeline, *both, one=(FIRST, SECOND), two=(SECOND, THIRD))
    assert plan.accounts == (Account("one", (FIRST, SECOND)), Account("two", (THIRD,)))
    (notice,) = plan.notices
    assert notice.startswith("1 app that the key of account 'two' sees is fetched with the key of account 'one' only: ")
    plan = seen_by(pipeline, Account("one"), Account("two", (SECOND,)), one=(FIRST, SECOND))
    assert plan.accounts == (Account("one", (FIRST,)), Account("two", (SECOND,)))
    plan = seen_by(pipeline, *both, one=(FIRST,), two=(FIRST,))
    assert plan.accounts == (Account("one", (FIRST,)),)
    assert [gone.app_id for gone in plan.vanished] == [SECOND]


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        ({**BACKFILL, "app_ids": ["1000000009"]}, "app_ids must be apps of a configured account; 1000000009"),
        ({**BACKFILL, "reports": ["sessions"]}, "'App Sessions Standard' has no table"),
        ({**BACKFILL, "end_date": "2025-06-03"}, "end_date must not be after 2025-06-02"),
        ({"as_of": "2025-06-03"}, "as_of must lie between 2020-01-01 and today"),
        ({"as_of": "2019-12-31"}, "as_of must lie between 2020-01-01 and today"),
    ],
)
def test_input_that_the_deployment_cannot_serve_is_refused(
    pipeline: Pipeline, payload: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InputRefused, match=sentence):
        planned(pipeline, payload)
    assert [*pipeline.lake.list("runs/")] == []


def test_a_deployment_without_any_app_is_refused(pipeline: Pipeline) -> None:
    with pytest.raises(ConfigurationRefused, match="No account has an app"):
        planned(pipeline, {}, replace(CONFIGURATION, accounts=()))


def test_more_than_a_keys_quota_is_refused_before_the_first_call(pipeline: Pipeline) -> None:
    apps = tuple(str(1_000_000_001 + number) for number in range(300))
    everything = Configuration(
        (Account(ACCOUNT, apps),), tuple(each.name for each in REPORTS), tuple(Granularity), 3500, 30
    )
    with pytest.raises(ConfigurationRefused, match=r"300 apps × \d+ reports of account 'main' need [\d,]+ calls"):
        planned(pipeline, {}, everything)


@pytest.mark.parametrize(
    ("calls_per_hour", "payload", "sentence"),
    [
        (153, {}, "up to 149 calls at once, but of calls_per_hour 153 the operation daily can use 148"),
        (307, BACKFILL, "up to 149 calls at once, but of calls_per_hour 307 the operation backfill can use 148"),
    ],
)
def test_a_quota_that_one_step_alone_exceeds_is_refused_because_it_would_wait_for_ever(
    pipeline: Pipeline, calls_per_hour: int, payload: dict[str, Any], sentence: str
) -> None:
    account = Account(ACCOUNT, (APP,))
    names = tuple(each.name for each in REPORTS)
    configuration = replace(CONFIGURATION, accounts=(account,), reports=names, calls_per_hour=calls_per_hour)
    with pytest.raises(ConfigurationRefused, match=f"{sentence}.*raise calls_per_hour"):
        planned(pipeline, payload, configuration)
    assert planned(pipeline, payload, replace(configuration, calls_per_hour=calls_per_hour + 2))


def test_a_quota_below_the_worst_case_of_one_registration_is_refused(pipeline: Pipeline) -> None:
    with pytest.raises(ConfigurationRefused, match="up to 5 calls at once"):
        planned(pipeline, {}, replace(CONFIGURATION, calls_per_hour=5))


def planned_items(pipeline: Pipeline, plan: RunPlan, map_name: MapName) -> dict[str, Any]:
    return plan_items(plan.run_id, map_name, pipeline.registry, pipeline.lake, pipeline.clock.now)


def test_every_app_is_planned_and_has_no_verdict_yet(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"apps": 2})
    plan = pipeline.plan()
    answer = planned_items(pipeline, plan, MapName.REGISTER)
    manifest = json.loads(pipeline.lake.read(str(answer["manifest_key"])) or b"")
    assert (answer["items"], answer["waiting"]) == (2, False)
    records = [*pipeline.registry.runs.of_map(plan.run_id, MapName.REGISTER)]
    assert [record.event["app_id"] for record in records] == ["1000000001", "1000000002"]
    assert [record.verdict for record in records] == [None, None]
    assert sorted(manifest, key=lambda event: event["record"]) == [record.event for record in records]
    assert planned_items(pipeline, plan, MapName.REGISTER) == answer


def test_a_second_pass_registers_only_apps_that_were_not_ready(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"apps": 3})
    plan = pipeline.backfill(date(2025, 5, 1), date(2025, 5, 31))
    for app_id, verdict in [(APP, Verdict.READY), ("1000000002", Verdict.NOT_READY), ("1000000003", Verdict.FAILED)]:
        pipeline.registry.runs.finish(pipeline.item(plan, app_id), verdict)
    answer = planned_items(pipeline, plan, MapName.REGISTER)
    (event,) = json.loads(pipeline.lake.read(str(answer["manifest_key"])) or b"")
    assert event["app_id"] == "1000000002"


def test_a_map_without_items_says_so(pipeline: Pipeline) -> None:
    plan = pipeline.plan()
    for map_name in (MapName.LAND, MapName.PUBLISH, MapName.VERIFY):
        assert planned_items(pipeline, plan, map_name)["items"] == 0


@pytest.mark.parametrize(("hours", "waiting"), [(1, True), (-1, False)])
def test_a_backfill_waits_for_its_snapshot_until_its_patience_ends(
    pipeline: Pipeline, hours: int, waiting: bool
) -> None:
    plan = pipeline.backfill(date(2025, 5, 1), date(2025, 5, 31))
    plan = replace(plan, give_up_at=pipeline.clock.now + timedelta(hours=hours))
    write_plan(pipeline.lake, plan)
    pipeline.run(plan, MapName.REGISTER)
    assert planned_items(pipeline, plan, MapName.VERIFY)["waiting"] is waiting
    assert planned_items(pipeline, plan, MapName.REGISTER)["waiting"] is False


def test_an_instance_without_segments_is_looked_at_again_in_the_next_pass_of_a_backfill(
    start: Callable[..., Pipeline],
) -> None:
    pipeline = start({"history_start": date(2025, 5, 20)})
    plan = replace(
        pipeline.backfill(date(2025, 5, 20), date(2025, 5, 28)), give_up_at=pipeline.clock.now + timedelta(hours=1)
    )
    write_plan(pipeline.lake, plan)
    pipeline.run(plan, MapName.REGISTER)
    pipeline.world.advance(1)
    with patch.object(AppStoreConnect, "segments", return_value=()):
        pipeline.run(plan)
    (item,) = pipeline.land_items(plan)
    assert pipeline.record(item).verdict is Verdict.NOT_READY
    assert planned_items(pipeline, plan, MapName.VERIFY)["waiting"] is True
    (wait,) = pipeline.registry.waits.of_run(plan.run_id)
    assert (wait.waits_for, wait.until) == (WaitFor.SNAPSHOT, plan.give_up_at)
    pipeline.clock.pass_by(minutes=10)
    pipeline.run(plan)
    assert pipeline.record(item).verdict is Verdict.CONVERTED
    (wait,) = pipeline.registry.waits.of_run(plan.run_id)
    assert wait.until == pipeline.clock.now, "the snapshot has come"
    assert pipeline.summarize(plan)["status"] == "SUCCEEDED"
    assert planned_items(pipeline, plan, MapName.VERIFY)["waiting"] is False


def test_a_daily_run_waits_for_nobody(pipeline: Pipeline) -> None:
    plan = pipeline.plan()
    pipeline.run(plan, MapName.REGISTER)
    assert planned_items(pipeline, plan, MapName.VERIFY)["waiting"] is False


def test_dates_that_an_earlier_run_left_dirty_are_published_by_the_next(pipeline: Pipeline) -> None:
    pipeline.run(pipeline.plan(), MapName.REGISTER)
    pipeline.world.advance(1)
    pipeline.run(pipeline.plan(), MapName.REGISTER, MapName.LAND)  # and dies
    plan = pipeline.plan()
    pipeline.run(plan)
    assert len(pipeline.batches("downloads")) == 3
    assert pipeline.summarize(plan)["status"] == "SUCCEEDED"


def test_what_is_too_much_for_one_pass_of_a_map_goes_to_the_next_ones_of_the_same_run(
    start: Callable[..., Pipeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = start({"apps": 5})
    monkeypatch.setattr("appstore_analytics.steps.plan_items.MOST_ITEMS_OF_A_PASS", 2)
    passes = Counter[MapName]()

    def run_map(map_name: MapName, manifest: list[dict[str, str]]) -> None:
        assert 0 < len(manifest) <= 2
        passes[map_name] += 1
        Pipeline.run_map(pipeline, map_name, manifest)

    monkeypatch.setattr(pipeline, "run_map", run_map)
    for _ in range(2):
        plan = pipeline.plan()
        pipeline.run(plan, MapName.REGISTER)
        pipeline.world.advance(1)
    plan = pipeline.plan()
    passes.clear()
    pipeline.run(plan)
    assert pipeline.summarize(plan)["status"] == "SUCCEEDED"
    assert report(pipeline)["apps_by_verdict"] == {"verified": [*pipeline.world.apps]}
    dates = len({day for _, day in pipeline.batches("downloads")})
    assert passes == {
        MapName.REGISTER: 3,
        MapName.LAND: 5,
        MapName.PUBLISH: -(-dates // 2),
        MapName.VERIFY: 1,
    }


def test_the_passes_of_a_map_hand_out_every_item_once_though_the_first_leave_theirs_without_a_verdict(
    start: Callable[..., Pipeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a child that dies without a record would be planned forever."""
    pipeline = start({"apps": 7})
    monkeypatch.setattr("appstore_analytics.steps.plan_items.MOST_ITEMS_OF_A_PASS", 3)
    plan = pipeline.plan()
    for left in (False, True):
        found, after, sizes = [], "", []
        while after or not sizes:
            lake, now = pipeline.lake, pipeline.clock.now
            answer = plan_items(plan.run_id, MapName.REGISTER, pipeline.registry, lake, now, after=after, left=left)
            again = plan_items(plan.run_id, MapName.REGISTER, pipeline.registry, lake, now, after=after, left=left)
            assert again == answer
            found += [each["app_id"] for each in json.loads(lake.read(str(answer["manifest_key"])) or b"")]
            sizes.append(answer["items"])
            after = str(answer["after"])
        assert (sizes, sorted(found)) == ([3, 3, 1], [*pipeline.world.apps])


def test_the_newest_instances_are_handed_out_first(pipeline: Pipeline) -> None:
    plan = pipeline.plan()
    for day in (date(2025, 5, 30), date(2025, 6, 1), date(2025, 5, 31)):
        vintage = Vintage(day, AccessType.ONGOING, f"i{day.day}")
        pipeline.registry.runs.plan(LandItem(plan.run_id, ACCOUNT, APP, vintage))
    answer = planned_items(pipeline, plan, MapName.LAND)
    manifest = json.loads(pipeline.lake.read(str(answer["manifest_key"])) or b"")
    assert [LandItem.from_event(event).vintage.processing_date.day for event in manifest] == [1, 31, 30]
