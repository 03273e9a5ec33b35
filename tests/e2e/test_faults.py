"""One fault of each kind, in four days: register, recover, fail, repair.

On the last day the file whose bytes arrived broken is refetched.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from deployed import (
    DAY,
    ENGAGEMENT,
    Counted,
    Deployed,
    access_types,
    app,
    friday_of_the_scenarios,
    name_of,
    report_of,
    secrets_in,
    texts_left_behind,
)

from appstore_analytics.answers.executions import Execution
from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.model.instances import InstanceStatus, SegmentRecord
from local.apple.faults import Fault, FaultKind
from local.apple.files import NEW_HEADER

MONDAY = friday_of_the_scenarios() - DAY * 11
TUESDAY, WEDNESDAY, THURSDAY = MONDAY + DAY, MONDAY + DAY * 2, MONDAY + DAY * 3

APPS = tuple(app(number) for number in range(6))
EXPIRED, CHECKSUM, TRUNCATED, THROTTLED, UNAVAILABLE, WIDENED = APPS  # on Tuesday, when every fault is transient
CORRUPT, HEADLESS, STRANGER, FORBIDDEN, DENIED, HEALTHY = APPS  # on Wednesday, when they are not
QUARANTINED = (CORRUPT, HEADLESS, STRANGER)
LOST_ANSWER, GHOST = HEALTHY, app(6)  # on Monday

CREATE = "POST /v1/analyticsReportRequests"
INSTANCES = "GET /v1/analyticsReports/.*/instances"
SEGMENTS = "GET /v1/analyticsReportInstances/.*/segments"
DOWNLOAD = "GET /segments/"

FAULTS = {
    "monday": (
        Fault(FaultKind.GHOST, CREATE, app_id=GHOST),
        Fault(FaultKind.STATUS, CREATE, app_id=LOST_ANSWER, status=503, after_effect=True),
    ),
    "tuesday": (
        Fault(FaultKind.STATUS, SEGMENTS, app_id=EXPIRED, report=ENGAGEMENT, status=404),
        Fault(FaultKind.WRONG_CHECKSUM, SEGMENTS, app_id=CHECKSUM, report=ENGAGEMENT),
        Fault(FaultKind.TRUNCATED_BODY, DOWNLOAD, app_id=TRUNCATED, report=ENGAGEMENT),
        Fault(FaultKind.STATUS, INSTANCES, app_id=THROTTLED, status=429, retry_after_seconds=1),
        Fault(FaultKind.STATUS, SEGMENTS, times=2, app_id=UNAVAILABLE, report=ENGAGEMENT, status=503),
        Fault(FaultKind.HEADER_ADDED, SEGMENTS, app_id=WIDENED, report=ENGAGEMENT, column=NEW_HEADER),
    ),
    "wednesday": (
        Fault(FaultKind.CORRUPT_GZIP, SEGMENTS, app_id=CORRUPT, report=ENGAGEMENT),
        Fault(FaultKind.HEADER_RENAMED, SEGMENTS, app_id=HEADLESS, report=ENGAGEMENT, column="Counts"),
        Fault(FaultKind.OTHER_APP, SEGMENTS, app_id=STRANGER, report=ENGAGEMENT),
    ),
    "thursday": (),
}
PASSING_AWS_FAULTS = (
    {"target": "^PUT:/.*/raw/engagement/", "status": 503, "code": "SlowDown", "times": 2},
    {"target": "DynamoDB.*UpdateItem$", "status": 400, "code": "ProvisionedThroughputExceededException", "times": 2},
)
LASTING_AWS_FAULT = {"target": f"^PUT:/.*/raw/purchases/{DENIED}/", "status": 403, "code": "AccessDenied", "times": 2}
"""For the Express child and for the patient child that continues with its unfinished items."""


@dataclass(frozen=True)
class Day:
    """An execution, the state of the lake and of Apple after it, and faults that happened too rarely."""

    execution: Execution
    engagement: Counted
    purchases: Counted
    engagement_at_apple: Counted
    purchases_at_apple: Counted
    faults_left: list[Any]


@pytest.fixture(scope="module")
def days(deployed: Deployed) -> Iterator[dict[str, Day]]:
    world = deployed.world

    def day(name: str, *apps: str) -> Day:
        world.faults.clear()
        for fault in FAULTS[name]:
            world.faults.order(fault)
        execution = deployed.daily(f"faulty-{name}", apps)
        not_met = [fault for fault, times in world.faults.ordered() if times != fault.times]
        return Day(
            execution,
            deployed.counted("engagement", APPS),
            deployed.counted("purchases", APPS),
            deployed.newest("engagement", APPS),
            deployed.newest("purchases", APPS),
            not_met + deployed.open_faults(),
        )

    deployed.begin(MONDAY)
    found = {"monday": day("monday", *APPS, GHOST)}
    world.move_to(TUESDAY)
    deployed.break_aws(*PASSING_AWS_FAULTS)
    found["tuesday"] = day("tuesday", *APPS)
    world.move_to(WEDNESDAY)
    deployed.break_aws(LASTING_AWS_FAULT)
    world.forbidden_app_ids.add(FORBIDDEN)
    found["wednesday"] = day("wednesday", *APPS)
    world.forbidden_app_ids.clear()
    deployed.rotate_api_keys()
    found["thursday"] = day("thursday", *APPS)
    yield found
    world.faults.clear()
    deployed.heal_aws()


@dataclass(frozen=True)
class Refetched:
    """What ledger and lake had after each execution about the broken file; the rows that the refetch brought."""

    executions: dict[str, Execution]
    ledger: dict[str, tuple[InstanceStatus, tuple[SegmentRecord, ...], str]]
    etags: dict[str, dict[str, str]]
    rows: Counted
    rows_at_apple: Counted
    calls_afterwards: int


@pytest.fixture(scope="module")
def refetched(deployed: Deployed, days: dict[str, Day]) -> Refetched:
    """The file arrives broken again, then whole; is read again, taken back, and read again."""
    world, registry = deployed.world, deployed.pipeline.registry
    of_the_day = registry.instances.since(CORRUPT, AccessType.ONGOING, WEDNESDAY)
    (stored,) = (each for each in of_the_day if (each.table, each.status) == ("engagement", InstanceStatus.QUARANTINED))
    executions, ledger, etags = {}, {}, {}

    def note(name: str, execution: Execution | None = None) -> None:
        instance = registry.instances.get(CORRUPT, stored.vintage)
        assert instance is not None
        ledger[name] = (instance.status, instance.segments, instance.reason)
        etags[name] = {**deployed.etags(), **deployed.parts()}
        if execution is not None:
            executions[name] = execution

    def run(name: str, **payload: object) -> None:
        note(name, deployed.run(f"faulty-file-{name}", payload, APPS))

    built = dict.fromkeys(("start_processing_date", "end_processing_date"), str(WEDNESDAY))
    of_it = {"app_ids": [CORRUPT], "reports": ["engagement"], **built}
    world.faults.order(Fault(FaultKind.CORRUPT_GZIP, SEGMENTS, app_id=CORRUPT, report=ENGAGEMENT))
    note("before")
    run("broken-again", operation="refetch", **of_it)
    run("refetch", operation="refetch", **of_it)
    rows, rows_at_apple = deployed.counted("engagement", [CORRUPT]), deployed.newest("engagement", [CORRUPT])
    earlier = deployed.apple_calls()
    run("reprocess", operation="reprocess", **of_it)
    run("rollback", operation="rollback", run_id=report_of(executions["refetch"])["run_id"])
    run("reprocess-of-the-former", operation="reprocess", **of_it)
    return Refetched(executions, ledger, etags, rows, rows_at_apple, deployed.apple_calls() - earlier)


def _of(counted: Counted, *apps: str) -> Counted:
    return {key: numbers for key, numbers in counted.items() if key[0] in apps}


def _processing_dates(counted: Counted, app_id: str) -> set[date]:
    return {built for one, _, built in counted if one == app_id}


def _reasons(deployed: Deployed, execution: Execution, table: str = "apps", where: str = "TRUE") -> dict[str, str]:
    """The reason of every app of a run, queried with SQL."""
    run_id = report_of(execution)["run_id"]
    answer = deployed.rows(f"SELECT app_id, reason FROM {table} WHERE run_id = '{run_id}' AND {where}", "appstore")
    return {str(app_id): str(reason) for app_id, reason in answer}


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_has_happened_as_often_as_it_was_asked_for(days: dict[str, Day], name: str) -> None:
    assert days[name].faults_left == []


# Monday


def test_a_report_request_that_nobody_lists_is_a_conflict_of_its_app_alone(
    deployed: Deployed, days: dict[str, Day]
) -> None:
    monday = days["monday"].execution
    assert monday.status == "FAILED"
    assert (
        monday.cause == f"1 of 7 apps failed: {GHOST} ({name_of(GHOST)}, conflict). The report is {monday.report_key}."
    )
    assert report_of(monday)["apps_by_verdict"] == {"not ready": [*APPS], "conflict": [GHOST]}
    assert "developer support" in _reasons(deployed, monday)[GHOST]
    assert access_types(deployed, GHOST) == set()


def test_a_report_request_whose_answer_was_lost_is_found_and_not_made_twice(
    deployed: Deployed, days: dict[str, Day]
) -> None:
    report = report_of(days["monday"].execution)
    assert report["requests_created"] == len(APPS) - 1
    assert report["duplicates_prevented"] == 1
    assert [request.access_type for request in deployed.world.requests_of(LOST_ANSWER)] == [AccessType.ONGOING]


# Tuesday


def test_what_passes_is_retried_or_waited_for_and_every_app_is_verified(days: dict[str, Day]) -> None:
    tuesday = days["tuesday"]
    assert (tuesday.execution.status, tuesday.execution.cause) == ("SUCCEEDED", "")
    assert report_of(tuesday.execution)["apps_by_verdict"] == {"verified": [*APPS]}
    assert report_of(tuesday.execution)["errors"] == []
    others = [one for one in APPS if one != EXPIRED]
    assert _of(tuesday.engagement, *others) == _of(tuesday.engagement_at_apple, *others)
    assert tuesday.purchases == tuesday.purchases_at_apple
    assert {one for one, _, _ in tuesday.purchases} == set(APPS)


def test_an_instance_that_apple_no_longer_has_is_expired(deployed: Deployed, days: dict[str, Day]) -> None:
    expired = _reasons(deployed, days["tuesday"].execution, "instances", "verdict = 'expired'")
    assert expired == {
        EXPIRED: "Apple no longer has this instance. Its Dates come with the next instance, or run "
        "./manage.py backfill for them."
    }
    assert _of(days["tuesday"].engagement, EXPIRED) == {}


def test_a_column_that_the_catalogue_does_not_know_is_reported_and_kept_in_extra(
    deployed: Deployed, days: dict[str, Day]
) -> None:
    assert report_of(days["tuesday"].execution)["unknown_columns"] == {"engagement": [NEW_HEADER]}
    sql = (
        f"SELECT app_id, MIN(element_at(extra, '{NEW_HEADER}')), MAX(element_at(extra, '{NEW_HEADER}')), "
        "MAX(CARDINALITY(extra)), COUNT(extra) > 0, COUNT(*) = COUNT(extra) "
        f"FROM engagement WHERE processing_date = DATE '{TUESDAY}' AND app_id IN ({', '.join(APPS)}) GROUP BY app_id"
    )
    answer = {str(app_id): rest for app_id, *rest in deployed.rows(sql, "curated")}
    assert answer.pop(WIDENED) == ["Everyone", "Everyone", "1", "true", "true"]
    assert list(answer.values()) == [[None, None, None, "false", "false"]] * (len(APPS) - 2)  # EXPIRED has no such row


def test_after_a_429_the_child_waits_instead_of_failing(deployed: Deployed, days: dict[str, Day]) -> None:
    assert days["tuesday"].execution.status == "SUCCEEDED"
    budget = deployed.pipeline.registry.call_budget("main/reader").balance()
    assert budget.closed_until is not None
    assert budget.refusals == 0  # Apple has answered since
    statistics = deployed.world.statistics.by_route()["GET /v1/analyticsReports/{id}/instances"]
    assert statistics["429"] == 1


# Wednesday


def test_an_execution_fails_with_exactly_the_apps_that_failed(days: dict[str, Day]) -> None:
    wednesday = days["wednesday"].execution
    assert wednesday.status == "FAILED"
    assert report_of(wednesday)["apps_by_verdict"] == {
        "quarantined": [*QUARANTINED],
        "forbidden": [FORBIDDEN],
        "failed": [DENIED],
        "verified": [HEALTHY],
    }
    assert wednesday.cause == (
        f"5 of 6 apps failed: {CORRUPT} ({name_of(CORRUPT)}, quarantined), {HEADLESS} ({name_of(HEADLESS)}, "
        f"quarantined), {STRANGER} ({name_of(STRANGER)}, quarantined), {FORBIDDEN} ({name_of(FORBIDDEN)}, forbidden), "
        f"{DENIED} ({name_of(DENIED)}, failed). The report is {wednesday.report_key}."
    )


def test_each_failed_app_has_its_reason_in_one_sentence(deployed: Deployed, days: dict[str, Day]) -> None:
    reasons = _reasons(deployed, days["wednesday"].execution)
    assert "gzip is broken" in reasons[CORRUPT]
    assert reasons[HEADLESS] == (
        f"{ENGAGEMENT}: the file has no column 'Counts', which the report requires. "
        "Its raw bytes are kept: ./manage.py gaps says what brings its Dates back."
    )
    assert ENGAGEMENT in reasons[STRANGER]
    assert "role does not allow" in reasons[FORBIDDEN]
    assert "AccessDenied" in reasons[DENIED]
    assert reasons[HEALTHY] == ""


@pytest.mark.parametrize("app_id", QUARANTINED)
def test_a_quarantined_instance_leaves_the_dates_of_its_table_as_they_are(days: dict[str, Day], app_id: str) -> None:
    before, after = days["tuesday"], days["wednesday"]
    assert _of(after.engagement, app_id) == _of(before.engagement, app_id)
    assert _of(after.purchases, app_id) == _of(after.purchases_at_apple, app_id)
    assert WEDNESDAY in _processing_dates(after.purchases, app_id)


def test_one_apps_failure_does_not_touch_the_next_app(days: dict[str, Day]) -> None:
    wednesday = days["wednesday"]
    assert _of(wednesday.engagement, HEALTHY) == _of(wednesday.engagement_at_apple, HEALTHY)
    assert WEDNESDAY in _processing_dates(wednesday.engagement, HEALTHY)
    assert WEDNESDAY not in _processing_dates(wednesday.engagement, FORBIDDEN)


# The next run


def test_the_next_run_lands_what_was_left_over_and_nothing_else(days: dict[str, Day]) -> None:
    repaired = days["thursday"]
    assert repaired.execution.status == "SUCCEEDED"
    left_over = {FORBIDDEN, DENIED}
    assert report_of(repaired.execution)["apps_by_verdict"] == {
        "unchanged": [one for one in APPS if one not in left_over],
        "verified": [one for one in APPS if one in left_over],
    }
    assert _of(repaired.engagement, *left_over) == _of(repaired.engagement_at_apple, *left_over)
    assert repaired.purchases == repaired.purchases_at_apple


def test_rotated_keys_are_picked_up_without_a_deployment_by_functions_that_are_warm(
    deployed: Deployed, days: dict[str, Day]
) -> None:
    refused = sum(
        counts.get("401", 0) for route, counts in deployed.world.statistics.by_route().items() if " /v1/" in route
    )
    assert refused > 0
    assert days["thursday"].execution.status == "SUCCEEDED"


# A refetch


def test_a_refetch_of_bytes_that_are_broken_again_changes_nothing(refetched: Refetched) -> None:
    again = refetched.executions["broken-again"]
    assert again.status == "FAILED"
    assert again.cause.startswith(f"1 of 1 apps failed: {CORRUPT} ({name_of(CORRUPT)}, quarantined).")
    assert refetched.ledger["broken-again"] == refetched.ledger["before"]
    assert refetched.ledger["before"][0] is InstanceStatus.QUARANTINED
    assert refetched.etags["broken-again"] == refetched.etags["before"]


def test_a_refetch_of_whole_bytes_brings_the_rows_that_apple_has(refetched: Refetched, days: dict[str, Day]) -> None:
    refetch = refetched.executions["refetch"]
    assert (refetch.status, refetch.cause) == ("SUCCEEDED", "")
    assert report_of(refetch)["apps_by_verdict"] == {"verified": [CORRUPT]}
    of_wednesday = {key: rows for key, rows in refetched.rows_at_apple.items() if key[2] == WEDNESDAY}
    assert refetched.rows == of_wednesday  # what only Tuesday's instance held had expired
    assert WEDNESDAY in _processing_dates(refetched.rows, CORRUPT)
    assert WEDNESDAY not in _processing_dates(days["thursday"].engagement, CORRUPT)
    status, segments, reason = refetched.ledger["refetch"]
    assert (status, reason) == (InstanceStatus.CONVERTED, "")
    assert {each.key for each in segments}.isdisjoint(each.key for each in refetched.ledger["before"][1])


def test_a_reprocess_reads_the_bytes_that_count_without_asking_apple(refetched: Refetched) -> None:
    after_refetch, after_rollback = refetched.executions["reprocess"], refetched.executions["reprocess-of-the-former"]
    assert (after_refetch.status, after_refetch.cause) == ("SUCCEEDED", "")
    assert refetched.ledger["reprocess"] == refetched.ledger["refetch"]
    assert refetched.etags["reprocess"] == refetched.etags["refetch"]
    assert after_rollback.status == "FAILED"
    assert "gzip is broken" in report_of(after_rollback)["errors"][0]["reason"]
    assert refetched.ledger["reprocess-of-the-former"] == refetched.ledger["before"]
    assert refetched.etags["reprocess-of-the-former"] == refetched.etags["before"]
    assert refetched.calls_afterwards == 0


def test_a_rollback_of_a_refetch_switches_back_to_the_former_bytes(refetched: Refetched) -> None:
    rollback = refetched.executions["rollback"]
    assert (rollback.status, rollback.cause) == ("SUCCEEDED", "")
    assert refetched.ledger["rollback"] == refetched.ledger["before"]
    assert refetched.etags["rollback"] == refetched.etags["before"] != refetched.etags["refetch"]


# Secrets must not appear anywhere


def test_the_failures_leave_no_key_no_token_and_no_signed_url_behind(deployed: Deployed, days: dict[str, Day]) -> None:
    texts = texts_left_behind(deployed)
    assert "DownloadBroken" in texts["log /aws/lambda/appstore-analytics-download-segments"]
    assert report_of(days["wednesday"].execution)["run_id"] in texts["registry"]
    assert secrets_in(texts, deployed.api_keys) == []


def test_the_search_for_secrets_would_find_each_of_them(deployed: Deployed) -> None:
    planted = {
        "key": deployed.api_keys[0].private_key_pem,
        "second key": deployed.api_keys[1].private_key_pem,
        "end of a key": deployed.api_keys[0].private_key_pem.splitlines()[-2],
        "token": "sent eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln",
        "url": "https://files.example.net/a?Expires=1&Signature=abc",
        "path": "Max retries exceeded with url: /segments/0f8fad5b-d9cb-469f-a165-70867728950e/0.txt.gz",
    }
    assert secrets_in(planted, deployed.api_keys) == [
        "private key: key",
        "private key: second key",
        "private key: end of a key",
        "bearer token: token",
        "segment URL: url",
        "segment URL: path",
    ]
