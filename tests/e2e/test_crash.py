"""Functions that die during their work are called again; if they die each time, the next run continues."""

import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from deployed import DATES_PER_INSTANCE, DAY, Counted, Deployed, app, friday_of_the_scenarios, name_of, report_of

from appstore_analytics.answers.executions import Execution, Snapshot

APP = app(12)
SUNDAY = friday_of_the_scenarios() - DAY * 12
MONDAY, TUESDAY = SUNDAY + DAY, SUNDAY + DAY * 2
DATES = tuple(MONDAY - DAY * age for age in range(DATES_PER_INSTANCE, 0, -1))
LOST = DATES[2]  # killed while it writes this part, at once with the others
DOWNLOAD = "GET /segments/{instance}/{segment}"
ATTEMPTS = 4
"""How often Step Functions calls a function that always dies: once as Express, then as a patient child."""


def stuck(target: str, times: int = 1) -> dict[str, Any]:
    return {"target": target, "status": 503, "delay_seconds": 600.0, "times": times}


STUCK = stuck(f"^PUT:/.*/parts/engagement/dt={LOST}/{APP}", ATTEMPTS)

EACH_STEP_STUCK = {
    "plan-run": stuck(r"^PUT:/.*/plan\.json"),
    "register-request": stuck(r"DynamoDB_\d+\.GetItem"),  # the first of a run
    "list-instances": stuck(r"DynamoDB_\d+\.PutItem"),  # after the one that plans the only app
    "plan-items": stuck(r"^PUT:/.*/manifests/land\.json"),
    "download-segments": stuck("^PUT:/.*/raw/engagement/"),
    "convert-instance": stuck("^PUT:/.*/parts/engagement/"),
    "publish-date": stuck("^PUT:/.*/curated/engagement/"),
    "verify-table": stuck(r"AmazonAthena\.StartQueryExecution"),
    "summarize-run": stuck("^PUT:/.*/reports/"),
}
PLANS_THE_APP = {"target": r"DynamoDB_\d+\.PutItem"}
OUT_OF_TIME = "verify-table"  # the others are killed
SECONDS = 8


@dataclass(frozen=True)
class Crash:
    """Both runs of one day, and the rows of the engagement table after each."""

    kills: int
    first: Execution
    after_first: Counted
    second: Execution
    after_second: Counted
    downloads_of_second: int


@pytest.fixture(scope="module")
def crash(deployed: Deployed) -> Crash:
    kills = 0

    def kill_the_last_converter(now: Snapshot) -> None:
        nonlocal kills
        is_alone = now.instances and now.instances_done == now.instances - 1
        if is_alone and kills < ATTEMPTS - sum(fault["times"] for fault in deployed.open_faults()):
            _kill(deployed, "convert-instance")
            kills += 1

    deployed.begin(SUNDAY)
    deployed.daily("before-the-crash", (APP,))
    deployed.world.move_to(MONDAY)
    deployed.break_aws(STUCK)
    try:
        first = deployed.daily("crash", (APP,), kill_the_last_converter)
    finally:
        deployed.heal_aws()
    after_first = deployed.counted("engagement", (APP,))
    earlier = deployed.calls(DOWNLOAD)
    second = deployed.daily("after-the-crash", (APP,))
    after_second = deployed.counted("engagement", (APP,))
    return Crash(kills, first, after_first, second, after_second, deployed.calls(DOWNLOAD) - earlier)


@contextmanager
def _killed_when_stuck(deployed: Deployed, faults: Mapping[str, Mapping[str, Any]]) -> Iterator[set[str]]:
    """Meanwhile kill every function that has met its fault. Returns their names."""
    killed: set[str] = set()
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(0.1):
            ahead = {fault["target"] for fault in deployed.open_faults() if fault["delay_seconds"]}
            for function in [name for name, fault in faults.items() if fault["target"] not in ahead]:
                if function not in killed and _kill(deployed, function):
                    killed.add(function)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield killed
    finally:
        is_over.set()
        watcher.join()


@contextmanager
def _out_of_time_after(deployed: Deployed, function: str, seconds: int) -> Iterator[None]:
    client, name = deployed.aws.client("lambda"), f"appstore-analytics-{function}"
    usual = client.get_function_configuration(FunctionName=name)["Timeout"]
    client.update_function_configuration(FunctionName=name, Timeout=seconds)
    try:
        yield
    finally:
        client.update_function_configuration(FunctionName=name, Timeout=usual)


def _kill(deployed: Deployed, function: str) -> list[int]:
    process_ids = _workers(deployed.aws.directory, function)
    for process_id in process_ids:
        os.kill(process_id, signal.SIGKILL)
    return process_ids


def _workers(directory: Path, function: str) -> list[int]:
    """The processes that run a function of this embedded AWS."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_text()
        except OSError:  # it has just ended
            continue
        if str(directory) in command and f"-{function}-" in command:
            found.append(int(process.name))
    return found


def test_a_function_that_is_killed_each_time_fails_its_app(crash: Crash) -> None:
    assert crash.kills == ATTEMPTS
    assert crash.first.status == "FAILED"
    assert (
        crash.first.cause
        == f"1 of 1 apps failed: {APP} ({name_of(APP)}, failed). The report is {crash.first.report_key}."
    )
    (error,) = report_of(crash.first)["errors"]
    assert error["item"].startswith(f"LAND#{APP}#")
    assert error["verdict"] == "failed"
    assert "Runtime exited" in error["reason"]


def test_none_of_its_dates_is_published_before_all_are_written(crash: Crash) -> None:
    assert crash.after_first == {}


def test_the_next_run_finishes_the_instance_without_a_download(deployed: Deployed, crash: Crash) -> None:
    report = report_of(crash.second)
    assert crash.second.status == "SUCCEEDED"
    assert report["apps_by_verdict"] == {"verified": [APP]}
    assert (report["instances"], report["segments"], crash.downloads_of_second) == (1, 0, 0)
    assert (report["parts_unchanged"], report["parts_written"]) == (len(DATES) - 1, 1)
    assert crash.after_second == deployed.newest("engagement", (APP,))


def test_a_run_in_which_every_function_dies_once_ends_well(deployed: Deployed, crash: Crash) -> None:
    deployed.world.move_to(TUESDAY)
    killed_ones = {name: fault for name, fault in EACH_STEP_STUCK.items() if name != OUT_OF_TIME}
    deployed.break_aws(PLANS_THE_APP, *EACH_STEP_STUCK.values())
    try:
        with (
            _out_of_time_after(deployed, OUT_OF_TIME, SECONDS),
            _killed_when_stuck(deployed, killed_ones) as killed,
        ):
            execution = deployed.daily("every-function-dies", (APP,))
        assert deployed.open_faults() == []
    finally:
        deployed.heal_aws()
    assert killed == killed_ones.keys()
    assert (execution.status, execution.cause) == ("SUCCEEDED", "")
    assert report_of(execution)["apps_by_verdict"] == {"verified": [APP]}
    assert deployed.counted("engagement", (APP,)) == deployed.newest("engagement", (APP,))
