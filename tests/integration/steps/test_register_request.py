from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.errors import (
    AppleRefused,
    AppleUnavailable,
    GhostRequest,
    KeyDoubted,
    KeyRejected,
    NotFound,
    PipelineError,
    RoleMissing,
)
from appstore_analytics.model.requests import Asked, KnownRequest
from local.apple import ApiRole, FaultKind
from tests.aws_in_process import in_threads
from tests.integration.pipeline_in_process import ACCOUNT, APP, CREATE, DELETE, DOWNLOADS, LIST_REQUESTS, Pipeline

ONGOING = AccessType.ONGOING
NEXT = {"outcome": "next"}


def known(pipeline: Pipeline, access_type: AccessType = AccessType.ONGOING) -> KnownRequest:
    return pipeline.registry.report_requests.get(APP, access_type)


def is_free(pipeline: Pipeline) -> bool:
    pipeline.registry.report_requests.release(
        pipeline.registry.report_requests.claim(APP, AccessType.ONGOING, pipeline.clock())
    )
    return True


def instant(answer: dict[str, str]) -> datetime:
    return datetime.fromisoformat(answer["available_at"])


def test_the_first_time_it_looks_creates_and_remembers(pipeline: Pipeline) -> None:
    plan = pipeline.plan()
    assert pipeline.register(plan) == NEXT
    (request,) = pipeline.world.requests_of(APP)
    assert request.access_type == "ONGOING"
    assert known(pipeline).request_id == request.id
    assert known(pipeline).requested_on == plan.as_of
    assert (pipeline.count(LIST_REQUESTS), pipeline.count(CREATE)) == (1, 1)
    assert pipeline.registry.statistics.totals() == {"requests_created": 1}
    facts = pipeline.record(pipeline.item(plan)).facts
    assert (facts["requests_created"], facts["duplicates_prevented"], facts["calls"]) == (1, 0, 2)


def test_the_second_time_it_asks_nobody_and_counts_a_duplicate_prevented(pipeline: Pipeline) -> None:
    pipeline.register(pipeline.plan())
    plan = pipeline.plan()
    assert pipeline.register(plan) == NEXT
    assert (pipeline.count(LIST_REQUESTS), pipeline.count(CREATE)) == (1, 1)
    assert pipeline.registry.statistics.totals() == {"requests_created": 1, "duplicates_prevented": 1}
    assert pipeline.record(pipeline.item(plan)).facts["requests_created"] == 0


def test_a_request_that_apple_has_already_is_adopted(pipeline: Pipeline) -> None:
    request = pipeline.world.create_request(APP, ONGOING)
    pipeline.register(pipeline.plan())
    assert known(pipeline).request_id == request.id
    assert known(pipeline).requested_on is None  # Apple does not report its age
    assert pipeline.count(CREATE) == 0


def test_on_409_it_looks_again_and_adopts_what_somebody_else_created(pipeline: Pipeline) -> None:
    pipeline.fault(FaultKind.STATUS, "POST /v1/analyticsReportRequests", status=409, after_effect=True)
    assert pipeline.register(pipeline.plan()) == NEXT
    (request,) = pipeline.world.requests_of(APP)
    assert known(pipeline).request_id == request.id
    assert (pipeline.count(LIST_REQUESTS), pipeline.count(CREATE), pipeline.count(DELETE)) == (2, 1, 0)
    assert pipeline.registry.statistics.totals() == {"duplicates_prevented": 1}


def test_of_fifty_concurrent_executions_one_creates_the_request(pipeline: Pipeline) -> None:
    plan = pipeline.plan()
    pipeline.item(plan)
    answers = in_threads(lambda _: pipeline.register(plan), 50)
    assert {answer["outcome"] for answer in answers} <= {"next", "wait"}
    assert NEXT in answers
    assert pipeline.count(CREATE) == 1
    assert pipeline.register(plan) == NEXT
    assert len(pipeline.world.requests_of(APP)) == 1


def test_whoever_meets_a_claim_waits_and_asks_apple_nothing(pipeline: Pipeline) -> None:
    plan = pipeline.plan()
    pipeline.registry.report_requests.claim(APP, AccessType.ONGOING, pipeline.clock())
    answer = pipeline.register(plan)
    assert answer["outcome"] == "wait"
    assert timedelta() < instant(answer) - pipeline.clock() < timedelta(seconds=10)
    (wait,) = pipeline.registry.waits.of_run(plan.run_id)
    assert wait.waits_for == "another execution that registers the app"
    assert pipeline.count(LIST_REQUESTS) == 0


def test_a_crash_between_creating_and_remembering_is_healed_by_the_next_look(pipeline: Pipeline) -> None:
    pipeline.fault(FaultKind.RESET, "POST /v1/analyticsReportRequests", after_effect=True)
    plan = pipeline.plan()
    with pytest.raises(AppleUnavailable):
        pipeline.register(plan)
    assert known(pipeline).request_id is None
    assert pipeline.register(plan) == NEXT
    (request,) = pipeline.world.requests_of(APP)
    assert known(pipeline).request_id == request.id
    assert pipeline.count(CREATE) == 1


def test_a_known_request_is_looked_at_again_after_a_week(pipeline: Pipeline) -> None:
    pipeline.register(pipeline.plan())
    for looks in (1, 1, 1, 1, 1, 1, 2, 2):
        pipeline.world.advance(1)
        pipeline.register(pipeline.plan())
        assert pipeline.count(LIST_REQUESTS) == looks
    assert pipeline.count(CREATE) == 1


def test_a_request_without_a_new_instance_for_more_than_three_days_is_looked_at_daily(pipeline: Pipeline) -> None:
    pipeline.register(pipeline.plan())
    pipeline.registry.report_requests.remember_newest_instance(known(pipeline), date(2025, 6, 2))
    for looks in (1, 1, 1, 2, 3):
        pipeline.world.advance(1)
        pipeline.register(pipeline.plan())
        assert pipeline.count(LIST_REQUESTS) == looks


def test_a_deleted_request_is_created_anew(pipeline: Pipeline) -> None:
    pipeline.register(pipeline.plan())
    (first,) = pipeline.world.requests_of(APP)
    pipeline.world.delete_request(first.id)
    pipeline.world.advance(7)
    plan = pipeline.plan()
    pipeline.register(plan)
    (second,) = pipeline.world.requests_of(APP)
    assert second.id != first.id
    assert (known(pipeline).request_id, known(pipeline).requested_on) == (second.id, plan.as_of)
    assert pipeline.count(DELETE) == 0


def test_a_stopped_request_that_stands_in_the_way_is_deleted_and_created_anew(pipeline: Pipeline) -> None:
    pipeline.register(pipeline.plan())
    (stopped,) = pipeline.world.requests_of(APP)
    pipeline.world.stop_request(APP)
    pipeline.world.advance(7)
    assert pipeline.register(pipeline.plan()) == NEXT
    (live,) = pipeline.world.requests_of(APP)
    assert live.stopped_on is None
    assert known(pipeline).request_id == live.id != stopped.id
    assert (pipeline.count(DELETE), pipeline.count(CREATE)) == (1, 3)
    assert pipeline.world.statistics.by_route()[CREATE] == {"201": 2, "409": 1}


def test_a_live_request_is_never_deleted(pipeline: Pipeline) -> None:
    pipeline.world.create_request(APP, AccessType.ONE_TIME_SNAPSHOT)
    pipeline.world.stop_request(APP, AccessType.ONE_TIME_SNAPSHOT)
    pipeline.world.create_request(APP, ONGOING)
    pipeline.register(pipeline.plan())
    assert pipeline.count(DELETE) == 0


def test_a_ghost_is_a_verdict_and_no_loop(pipeline: Pipeline) -> None:
    pipeline.fault(FaultKind.GHOST, "POST /v1/analyticsReportRequests", times=None)
    with pytest.raises(GhostRequest, match=f"{APP}.*ONGOING"):
        pipeline.register(pipeline.plan())
    assert (pipeline.count(LIST_REQUESTS), pipeline.count(CREATE), pipeline.count(DELETE)) == (2, 1, 0)
    assert is_free(pipeline)


def test_a_key_that_may_not_create_is_told_which_role_it_needs(pipeline: Pipeline) -> None:
    pipeline.sign_in(pipeline.world.keys.register(ApiRole.SALES_AND_REPORTS))
    with pytest.raises(RoleMissing, match="Admin"):
        pipeline.register(pipeline.plan())
    assert pipeline.count(CREATE) == 1
    assert is_free(pipeline)


def test_a_stopped_request_says_so_where_the_key_may_not_make_it_anew(pipeline: Pipeline) -> None:
    pipeline.register(pipeline.plan())
    pipeline.world.stop_request(APP)
    pipeline.sign_in(pipeline.world.keys.register(ApiRole.SALES_AND_REPORTS))
    pipeline.world.advance(7)
    with pytest.raises(RoleMissing) as missing:
        pipeline.register(pipeline.plan())
    assert str(missing.value) == (
        f"Apple has stopped the report request (ONGOING) of app {APP}, because its reports were not fetched for a long "
        "time, so it has to be created again. The API key's role does not allow POST (FORBIDDEN_ERROR): use a key with "
        "the role Admin."
    )


def test_an_outdated_snapshot_says_so_where_the_key_may_not_delete_it(pipeline: Pipeline) -> None:
    pipeline.register(pipeline.backfill(date(2025, 5, 1), date(2025, 5, 10)))
    pipeline.sign_in(pipeline.world.keys.register(ApiRole.SALES_AND_REPORTS))
    pipeline.world.advance(33)
    with pytest.raises(RoleMissing, match=f"instances of the snapshot of app {APP} have expired, .* use a key with"):
        pipeline.register(pipeline.backfill(date(2025, 5, 1), date(2025, 6, 10)))


def test_an_app_that_apple_does_not_know_is_named_and_healed_when_it_is_back(pipeline: Pipeline) -> None:
    plan = pipeline.plan()
    app = pipeline.world.apps.pop(APP)
    with pytest.raises(NotFound, match=f"Apple does not know app {APP}: remove it from accounts in cdk.json"):
        pipeline.register(plan)
    pipeline.world.apps[APP] = app
    assert pipeline.register(plan) == NEXT


def test_a_409_with_another_cause_is_told_by_its_code(pipeline: Pipeline) -> None:
    pipeline.fault(
        FaultKind.STATUS, "POST /v1/analyticsReportRequests", status=409, code="ENTITY_ERROR.RELATIONSHIP.INVALID"
    )
    with pytest.raises(AppleRefused, match=rf"{APP}: 409 ENTITY_ERROR.RELATIONSHIP.INVALID\."):
        pipeline.register(pipeline.plan())
    assert (pipeline.count(LIST_REQUESTS), pipeline.count(CREATE), pipeline.count(DELETE)) == (2, 1, 0)
    assert is_free(pipeline)


def test_a_snapshot_that_apple_does_not_grant_yet_names_the_quota(pipeline: Pipeline) -> None:
    snapshot = pipeline.world.create_request(APP, AccessType.ONE_TIME_SNAPSHOT)
    pipeline.world.delete_request(snapshot.id)
    with pytest.raises(GhostRequest, match="one snapshot in about 31 days, even if an earlier one was deleted"):
        pipeline.register(pipeline.backfill(date(2025, 5, 1), date(2025, 5, 10)))


def test_a_key_that_gets_401_for_more_than_a_minute_is_rejected(pipeline: Pipeline) -> None:
    pipeline.world.keys.revoke(pipeline.world.admin_key.key_id)
    plan = pipeline.plan()
    for _ in range(2):
        with pytest.raises(KeyDoubted):
            pipeline.register(plan)
    pipeline.clock.pass_by(seconds=60)
    with pytest.raises(
        KeyRejected, match=r"API key 'main' \(NOT_AUTHORIZED\), since .* put a valid key into its secret"
    ):
        pipeline.register(plan)


def test_a_key_that_only_reads_suffices_where_the_request_stands(pipeline: Pipeline) -> None:
    pipeline.world.create_request(APP, ONGOING)
    pipeline.sign_in(pipeline.world.keys.register(ApiRole.SALES_AND_REPORTS))
    assert pipeline.register(pipeline.plan()) == NEXT


def test_a_key_is_doubted_after_one_fresh_token(pipeline: Pipeline) -> None:
    pipeline.world.keys.revoke(pipeline.world.admin_key.key_id)
    with pytest.raises(KeyDoubted, match="secret"):
        pipeline.register(pipeline.plan())
    assert pipeline.count(LIST_REQUESTS) == 2
    assert is_free(pipeline)


@pytest.mark.parametrize("route", ["GET /v1/apps/", "POST /v1/analyticsReportRequests"])
@pytest.mark.parametrize(("retry_after_seconds", "rest_seconds"), [(30, 30), (None, 60)])
def test_a_429_makes_everybody_on_the_key_wait_and_creates_nothing(
    start: Callable[..., Pipeline], route: str, retry_after_seconds: int | None, rest_seconds: int
) -> None:
    pipeline = start({"apps": 2})
    pipeline.fault(FaultKind.STATUS, route, status=429, retry_after_seconds=retry_after_seconds)
    plan = pipeline.plan()
    answer = pipeline.register(plan)
    assert answer["outcome"] == "wait"
    rest = (instant(answer) - pipeline.clock.now).total_seconds()
    assert rest_seconds <= rest <= rest_seconds + 6
    calls = pipeline.count(LIST_REQUESTS)
    assert pipeline.register(plan, "1000000002")["outcome"] == "wait"
    assert pipeline.count(LIST_REQUESTS) == calls
    pipeline.clock.now = instant(answer)
    assert pipeline.register(plan) == NEXT
    assert pipeline.register(plan, "1000000002") == NEXT
    assert pipeline.registry.statistics.totals()["requests_created"] == 2
    assert len(pipeline.world.requests_of(APP)) == 1


def test_a_429_says_nothing_about_the_request(pipeline: Pipeline) -> None:
    pipeline.register(pipeline.plan())
    before = known(pipeline)
    pipeline.world.advance(7)
    pipeline.fault(FaultKind.STATUS, "GET /v1/apps/", status=429)
    plan = pipeline.plan()
    assert pipeline.register(plan)["outcome"] == "wait"
    assert known(pipeline) == before


def test_calls_that_were_made_before_an_error_are_counted(pipeline: Pipeline) -> None:
    pipeline.fault(FaultKind.STATUS, "POST /v1/analyticsReportRequests", status=503)
    plan = pipeline.plan()
    with pytest.raises(AppleUnavailable):
        pipeline.register(plan)
    assert pipeline.record(pipeline.item(plan)).facts["calls"] == 2
    assert pipeline.registry.call_budget(ACCOUNT).balance().used == 2


def test_without_calls_left_it_waits_and_makes_none(pipeline: Pipeline) -> None:
    plan = pipeline.plan()
    pipeline.registry.call_budget(ACCOUNT).reserve(3391, 3395, pipeline.clock.now)
    answer = pipeline.register(plan)
    assert answer["outcome"] == "wait"
    assert instant(answer) - pipeline.clock.now <= timedelta(minutes=62)
    assert pipeline.count(LIST_REQUESTS) == 0
    assert is_free(pipeline)


def test_a_backfill_asks_for_the_snapshot_and_remembers_which_dates_it_wants(pipeline: Pipeline) -> None:
    plan = pipeline.backfill(date(2025, 5, 1), date(2025, 5, 31))
    pipeline.fault(FaultKind.STATUS, "GET /v1/apps/", status=503)
    wish = Asked(DOWNLOADS, date(2025, 5, 1), date(2025, 5, 31), plan.as_of)
    with pytest.raises(PipelineError):
        pipeline.register(plan)
    assert known(pipeline, AccessType.ONE_TIME_SNAPSHOT).asked == (wish,)
    assert pipeline.register(plan) == NEXT
    (request,) = pipeline.world.requests_of(APP)
    assert request.access_type == "ONE_TIME_SNAPSHOT"
    snapshot = known(pipeline, AccessType.ONE_TIME_SNAPSHOT)
    assert (snapshot.request_id, snapshot.asked) == (request.id, (wish,))
    assert known(pipeline).request_id is None


def test_a_backfill_within_the_quota_keeps_the_snapshot_and_asks_apple_for_nothing_new(pipeline: Pipeline) -> None:
    pipeline.register(pipeline.backfill(date(2025, 5, 1), date(2025, 5, 10)))
    first = known(pipeline, AccessType.ONE_TIME_SNAPSHOT)
    pipeline.world.advance(32)
    pipeline.register(pipeline.backfill(date(2025, 5, 1), date(2025, 6, 10)))
    assert known(pipeline, AccessType.ONE_TIME_SNAPSHOT).request_id == first.request_id
    assert (pipeline.count(CREATE), pipeline.count(DELETE)) == (1, 0)


def test_a_backfill_replaces_a_snapshot_that_is_older_than_the_quota(pipeline: Pipeline) -> None:
    pipeline.register(pipeline.backfill(date(2025, 5, 1), date(2025, 5, 10)))
    first = known(pipeline, AccessType.ONE_TIME_SNAPSHOT)
    pipeline.world.advance(33)
    plan = pipeline.backfill(date(2025, 5, 1), date(2025, 6, 10))
    assert pipeline.register(plan) == NEXT
    second = known(pipeline, AccessType.ONE_TIME_SNAPSHOT)
    assert [request.id for request in pipeline.world.requests_of(APP)] == [second.request_id]
    assert second.request_id != first.request_id
    assert (second.requested_on, second.report_ids) == (plan.as_of, {})
    assert (pipeline.count(CREATE), pipeline.count(DELETE)) == (2, 1)


def test_an_adopted_snapshot_without_instances_is_replaced_once_apple_must_have_built_them(pipeline: Pipeline) -> None:
    adopted = pipeline.world.create_request(APP, AccessType.ONE_TIME_SNAPSHOT)
    pipeline.world.advance(60)  # its instances have expired before the pipeline knew of it
    pipeline.register(pipeline.backfill(date(2025, 5, 1), date(2025, 5, 10)))
    assert known(pipeline, AccessType.ONE_TIME_SNAPSHOT).request_id == adopted.id
    pipeline.world.advance(4)
    pipeline.register(pipeline.backfill(date(2025, 5, 1), date(2025, 5, 10)))
    assert known(pipeline, AccessType.ONE_TIME_SNAPSHOT).request_id not in (adopted.id, None)
    assert (pipeline.count(CREATE), pipeline.count(DELETE)) == (1, 1)


def test_an_adopted_snapshot_that_has_shown_instances_is_kept_for_33_days(pipeline: Pipeline) -> None:
    adopted = pipeline.world.create_request(APP, AccessType.ONE_TIME_SNAPSHOT)
    pipeline.register(pipeline.backfill(date(2025, 5, 1), date(2025, 5, 10)))
    snapshot = known(pipeline, AccessType.ONE_TIME_SNAPSHOT)
    pipeline.registry.report_requests.remember_newest_instance(snapshot, pipeline.world.today)
    pipeline.world.advance(32)
    pipeline.register(pipeline.backfill(date(2025, 5, 1), date(2025, 6, 10)))
    assert known(pipeline, AccessType.ONE_TIME_SNAPSHOT).request_id == adopted.id
    pipeline.world.advance(1)
    pipeline.register(pipeline.backfill(date(2025, 5, 1), date(2025, 6, 10)))
    assert known(pipeline, AccessType.ONE_TIME_SNAPSHOT).request_id != adopted.id
