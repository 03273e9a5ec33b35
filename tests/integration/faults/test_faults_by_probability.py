"""Days with random faults at any call, by seed; then a quiet day, after which the lake equals Apple's data."""

from collections.abc import Iterator
from datetime import date

import pytest

from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.model.instances import InstanceStatus
from local.apple import Fault, FaultKind, World, WorldSettings
from local.apple.faults import FILE_KINDS, LINK_KINDS
from local.apple.truth import newest_vintages
from tests.aws_in_process import aws_in_process
from tests.integration.faults.fault_case import ALWAYS, CREATE, FILES, INSTANCES, REPORTS, REQUESTS, SEGMENTS
from tests.integration.faults.state_machine_in_process import StateMachine
from tests.integration.pipeline_in_process import DOWNLOADS

BAD_DAYS = 5
ROUTES = (CREATE, REQUESTS, REPORTS, INSTANCES, SEGMENTS, FILES)
LISTS = (REQUESTS, REPORTS, INSTANCES, SEGMENTS)
SKIPS = Fault(FaultKind.DATE_SKIPPED, SEGMENTS, ALWAYS, 0.5)
STATUSES = (
    *({"status": status} for status in (401, 403, 422, 429, 500)),
    {"status": 429, "retry_after_seconds": 30},
    {"status": 429, "minute_header": True},
    {"status": 503, "after_effect": True},
)

FAULTS = (
    *(Fault(FaultKind.STATUS, route, ALWAYS, 0.02, **status) for route in ROUTES for status in STATUSES),
    *(Fault(FaultKind.RESET, route, ALWAYS, 0.03, after_effect=True) for route in ROUTES),
    *(Fault(FaultKind.DELAY, route, ALWAYS, 0.03, seconds=120) for route in ROUTES),
    *(Fault(FaultKind.TRUNCATED_BODY, route, ALWAYS, 0.03) for route in ROUTES),
    *(Fault(FaultKind.REDIRECT, route, ALWAYS, 0.02) for route in ROUTES),
    *(Fault(FaultKind.TOKEN_EXPIRED, route, ALWAYS, 0.1) for route in ROUTES),
    *(Fault(FaultKind.SELF_LINK, route, ALWAYS, 0.05) for route in LISTS),
    *(Fault(FaultKind.DUPLICATE, route, ALWAYS, 0.2) for route in LISTS),
    *(Fault(FaultKind.STATUS, route, ALWAYS, 0.05, status=404) for route in LISTS),
    Fault(FaultKind.GHOST, CREATE, ALWAYS, 0.2),
    *(Fault(kind, SEGMENTS, ALWAYS, 0.05) for kind in sorted(FILE_KINDS - {SKIPS.kind})),
    *(Fault(kind, SEGMENTS, ALWAYS, 0.1) for kind in sorted(LINK_KINDS)),
)


@pytest.fixture
def machine(seed: int, dates: int) -> Iterator[StateMachine]:
    settings = {"apps": 3, "rows_per_date": 4, "segments_per_instance": 1, "readiness_days": 0}
    with aws_in_process():
        world = World(WorldSettings(date(2025, 6, 17), seed, dates_per_instance=dates, **settings))
        yield StateMachine(world, app_ids=tuple(world.apps))


@pytest.mark.parametrize(("seed", "dates"), [(7, 2), (2025, 2)])
def test_after_bad_days_and_two_quiet_ones_the_lake_is_what_apple_says(machine: StateMachine, seed: int) -> None:
    for fault in FAULTS:
        machine.world.faults.order(fault)
    statuses = []
    for _ in range(BAD_DAYS):
        statuses.append(machine.day().status)
        machine.world.advance()
    happened = sum(times for _, times in machine.world.faults.ordered())
    machine.world.faults.clear()
    machine.day()  # an app whose request is created only now has no data before tomorrow
    machine.world.advance()
    quiet = machine.day()

    assert "FAILED" in statuses
    assert happened > 30
    assert quiet.status == "SUCCEEDED"
    lost = lost_instances(machine)
    truth = newest_vintages(machine.world, DOWNLOADS, lost=lost)
    assert machine.batches("downloads") == {(batch.app_id, batch.date): (batch.rows, batch.sums) for batch in truth}
    assert 0 < len(lost) < 3 * BAD_DAYS
    created = machine.world.statistics.by_route()["POST /v1/analyticsReportRequests"]
    assert {app: len(machine.world.requests_of(app)) for app in machine.app_ids} == dict.fromkeys(machine.app_ids, 1)
    assert machine.count("DELETE /v1/analyticsReportRequests/{id}") == 0
    assert created.get("201", 0) <= 3


@pytest.mark.parametrize(("seed", "dates"), [(7, 3)])
def test_each_skipped_date_is_named_and_comes_with_the_next_instance(machine: StateMachine) -> None:
    machine.day()
    machine.world.faults.order(SKIPS)
    named = []
    for _ in range(BAD_DAYS):
        machine.world.advance()
        for days in machine.day().report["skipped_dates"].get("downloads", {}).values():
            named += days
    ((_, skipped),) = machine.world.faults.ordered()
    machine.world.faults.clear()
    machine.world.advance()
    quiet = machine.day()

    assert len(named) == skipped > BAD_DAYS
    assert (quiet.status, quiet.report["skipped_dates"]) == ("SUCCEEDED", {})
    truth = newest_vintages(machine.world, DOWNLOADS)
    assert machine.batches("downloads") == {(batch.app_id, batch.date): (batch.rows, batch.sums) for batch in truth}


def lost_instances(machine: StateMachine) -> set[str]:
    """Instances that the ledger has as unreadable or gone. Each was reported, and its file never changes."""
    ends = (InstanceStatus.QUARANTINED, InstanceStatus.EXPIRED)
    return {
        each.vintage.instance_id
        for app in machine.app_ids
        for each in machine.registry.instances.since(app, AccessType.ONGOING, date.min)
        if each.status in ends
    }
