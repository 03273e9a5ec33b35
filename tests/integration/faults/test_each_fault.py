"""Every fault of `fault_cases` in a world of two apps: a good day, one app's bad day, the next run."""

from collections.abc import Iterator
from datetime import date

import pytest

from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.contract.errors import TRANSIENT_RETRIES, CallsUnavailable, TransientError
from appstore_analytics.contract.maps import Outcome
from appstore_analytics.contract.schema_modes import SchemaModes
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.model.instances import InstanceStatus
from local.apple import FaultKind, World, WorldSettings
from local.apple.publication import DAY
from local.apple.truth import newest_vintages
from tests.aws_in_process import aws_in_process
from tests.integration.faults.fault_case import HURT, FaultCase, Healing
from tests.integration.faults.fault_cases import CASES
from tests.integration.faults.state_machine_in_process import Run, StateMachine
from tests.integration.pipeline_in_process import DOWNLOADS

HEALTHY = "1000000002"
APPS = (HURT, HEALTHY)
STATUS_IN_THE_LEDGER = {
    Healing.QUARANTINE: InstanceStatus.QUARANTINED,
    Healing.REFETCH: InstanceStatus.QUARANTINED,
    Healing.SNAPSHOT: InstanceStatus.EXPIRED,
}

Batches = dict[tuple[str, date], tuple[int, dict[str, str]]]


@pytest.fixture
def machine(case: FaultCase) -> Iterator[StateMachine]:
    dates = 3 if case.healing is Healing.NEXT_INSTANCE else 2
    settings = {"apps": 2, "rows_per_date": 4, "segments_per_instance": 1, "readiness_days": 0}
    with aws_in_process():
        world = World(WorldSettings(case.today - DAY, dates_per_instance=dates, **settings))
        for app in (HEALTHY,) if case.is_new else APPS:  # requests for earlier days; new ones have no data that day
            world.create_request(app, AccessType.ONGOING)
        yield StateMachine(world, schema_modes=SchemaModes(case.schema_mode))


def good_day(machine: StateMachine, case: FaultCase) -> Batches:
    """The day before, for an app that will lack something, unless it is new; and the contents of the lake after it."""
    if case.is_new or case.healing is Healing.IN_THE_RUN:
        return {}
    machine.app_ids = (HURT,)
    assert machine.day().verdicts == {HURT: Verdict.VERIFIED}
    return machine.batches("downloads")


def bad_day(machine: StateMachine, case: FaultCase) -> Run:
    machine.app_ids = APPS
    machine.world.move_to(case.today)
    for fault in case.orders:
        machine.world.faults.order(fault)
    run = machine.day()
    assert all(times for _, times in machine.world.faults.ordered())
    return run


def next_run(machine: StateMachine, case: FaultCase) -> Run:
    """On the same day if it can recover; else with the next instance, or the day after the request is created."""
    machine.world.faults.clear()
    if case.healing is Healing.NEXT_DAY:
        machine.day()
    if case.healing in (Healing.NEXT_INSTANCE, Healing.NEXT_DAY):
        machine.world.advance()
    return machine.day()


def truth(machine: StateMachine, *lost: str) -> Batches:
    batches = newest_vintages(machine.world, DOWNLOADS, lost=lost)
    return {(batch.app_id, batch.date): (batch.rows, batch.sums) for batch in batches}


def of(batches: Batches, *apps: str) -> Batches:
    return {key: batch for key, batch in batches.items() if key[0] in apps}


def built_on_the_bad_day(machine: StateMachine, case: FaultCase) -> list[str]:
    """The affected app's instance; none if it had no report request."""
    built = machine.world.every_instance(DOWNLOADS, Granularity.DAILY)
    return [each.id for each in built if (each.series.app_id, each.processing_date) == (HURT, case.today)]


def expected_errors(case: FaultCase) -> list[str]:
    """The errors with which the affected app's steps end, one attempt after the other."""
    if case.error is None:
        return []
    (fault,) = case.orders
    if issubclass(case.error, TransientError):
        return [case.error.__name__] * (case.attempts or fault.times or 1 + TRANSIENT_RETRIES)
    return [Outcome.WAIT] * (fault.times or 0) if case.error is CallsUnavailable else [case.error.__name__]


def check_verdicts(machine: StateMachine, run: Run, hurt: Verdict, healthy: Verdict) -> None:
    assert run.verdicts == {HURT: hurt, HEALTHY: healthy}
    assert {error["verdict"] for error in run.report["errors"]} == ({hurt} if hurt.is_failure else set())
    if hurt.is_failure:
        assert run.status == "FAILED"
        assert run.cause.startswith(f"1 of 2 apps failed: {HURT} ({machine.world.apps[HURT].name}, {hurt}).")
    else:
        assert (run.status, run.cause) == ("SUCCEEDED", "")


def check_bad_day(machine: StateMachine, case: FaultCase, before: Batches, run: Run) -> None:
    check_verdicts(machine, run, case.verdict, Verdict.VERIFIED)
    assert case.words in run.reasons[HURT]
    assert run.report["unknown_columns"] == ({"downloads": [case.unknown_column]} if case.unknown_column else {})
    assert run.report["missing_columns"] == ({"downloads": [case.missing_column]} if case.missing_column else {})
    skipped = {"downloads": {HURT: [str(case.today - 2 * DAY)]}} if case.skips_a_date else {}
    assert (run.report["skipped_dates"], run.report["dates_skipped"]) == (skipped, len(skipped))
    assert machine.errors[HURT] == expected_errors(case)
    assert machine.errors[HEALTHY] == []
    lake = machine.batches("downloads")
    assert of(lake, HEALTHY) == of(truth(machine), HEALTHY)
    match case.healing:
        case Healing.IN_THE_RUN:
            assert lake == truth(machine)
        case Healing.NEXT_INSTANCE:
            skipped = (HURT, case.today - 2 * DAY)
            assert lake == truth(machine) | {skipped: before[skipped]}
            assert before[skipped] != truth(machine)[skipped]
        case _:
            assert of(lake, HURT) == before == of(truth(machine, *built_on_the_bad_day(machine, case)), HURT)


def check_next_run(machine: StateMachine, case: FaultCase, before: Batches, run: Run) -> None:
    lake = machine.batches("downloads")
    match case.healing:
        case Healing.NEXT_INSTANCE | Healing.NEXT_DAY:
            check_verdicts(machine, run, Verdict.VERIFIED, Verdict.VERIFIED)
            assert lake == truth(machine)
        case Healing.NEXT_RUN:
            check_verdicts(machine, run, Verdict.VERIFIED, Verdict.UNCHANGED)
            assert lake == truth(machine)
        case Healing.IN_THE_RUN:
            check_verdicts(machine, run, Verdict.UNCHANGED, Verdict.UNCHANGED)
            assert lake == truth(machine)
        case Healing.QUARANTINE | Healing.REFETCH | Healing.SNAPSHOT:
            check_verdicts(machine, run, Verdict.UNCHANGED, Verdict.UNCHANGED)
            assert of(lake, HURT) == before
            (lost,) = built_on_the_bad_day(machine, case)
            ledger = machine.registry.instances.since(HURT, AccessType.ONGOING, case.today)
            assert [(each.vintage.instance_id, each.status) for each in ledger] == [
                (lost, STATUS_IN_THE_LEDGER[case.healing])
            ]


def check_refetch(machine: StateMachine, case: FaultCase) -> None:
    built = case.today.isoformat()
    machine.whole(operation="refetch", app_ids=[HURT], start_processing_date=built, end_processing_date=built)
    assert machine.batches("downloads") == truth(machine)


def test_every_kind_of_fault_has_a_case() -> None:
    assert {fault.kind for case in CASES for fault in case.orders} == set(FaultKind)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_bad_day_of_apple(machine: StateMachine, case: FaultCase) -> None:
    before = good_day(machine, case)
    run = bad_day(machine, case)
    check_bad_day(machine, case, before, run)
    check_next_run(machine, case, before, next_run(machine, case))
    if case.healing is Healing.REFETCH:
        check_refetch(machine, case)
    for app in APPS:
        assert len(machine.world.requests_of(app)) == 1
    created = machine.world.statistics.by_route().get("POST /v1/analyticsReportRequests", {})
    assert created.get("201", 0) <= int(case.is_new)


@pytest.mark.parametrize("case", [case for case in CASES if case.healing is Healing.SNAPSHOT], ids=lambda case: case.id)
def test_the_next_instance_brings_the_dates_again_that_a_lost_one_held(machine: StateMachine, case: FaultCase) -> None:
    before = good_day(machine, case)
    bad_day(machine, case)
    (lost,) = built_on_the_bad_day(machine, case)
    machine.world.advance()
    check_verdicts(machine, machine.day(), Verdict.VERIFIED, Verdict.VERIFIED)
    lake = machine.batches("downloads")
    assert lake == truth(machine, lost)
    oldest = (HURT, case.today - 2 * DAY)
    assert lake[oldest] == before[oldest]
    assert {key for key in lake if lake[key] != truth(machine)[key]} == {oldest}
