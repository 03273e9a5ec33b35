"""A function is killed in the middle of its work: the run says so, and the next one goes on where it stopped."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest
from deployed import DATES_PER_INSTANCE, DAY, Counted, Deployed, app, friday_of_the_scenarios, report_of

from local.executions import Execution, Snapshot

APP = app(12)
SUNDAY = friday_of_the_scenarios() - DAY * 12
MONDAY = SUNDAY + DAY
DATES = tuple(MONDAY - DAY * age for age in range(DATES_PER_INSTANCE, 0, -1))
WRITTEN, LOST = DATES[:2], DATES[2]  # killed while it writes the third of five parts
DOWNLOAD = "GET /segments/{instance}/{segment}"
STUCK = {
    "target": f"^PUT:/.*/parts/engagement/dt={LOST}/{APP}",
    "status": 503,
    "delay_seconds": 600.0,
}


@dataclass(frozen=True)
class Crash:
    """Both runs of one day, and which rows of the engagement table stood after each."""

    killed: list[int]
    first: Execution
    after_first: Counted
    second: Execution
    after_second: Counted
    downloads_of_second: int


@pytest.fixture(scope="module")
def crash(deployed: Deployed) -> Crash:
    killed: list[int] = []

    def kill_the_last_converter(now: Snapshot) -> None:
        if now.instances and now.instances_done == now.instances - 1 and not killed and not deployed.open_faults():
            killed.extend(_workers(deployed.aws.directory, "convert-instance"))
            for process_id in killed:
                os.kill(process_id, signal.SIGKILL)

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
    return Crash(killed, first, after_first, second, after_second, deployed.calls(DOWNLOAD) - earlier)


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


def test_a_killed_function_fails_its_app(crash: Crash) -> None:
    assert crash.killed
    assert crash.first.status == "FAILED"
    assert crash.first.cause == f"1 of 1 apps failed: {APP} (failed). The report is {crash.first.report_key}."
    (error,) = report_of(crash.first)["errors"]
    assert error["item"].startswith(f"LAND#{APP}#")
    assert error["verdict"] == "failed"
    assert "died" in error["reason"]


def test_what_it_had_written_is_published_date_by_date_and_whole(deployed: Deployed, crash: Crash) -> None:
    truth = deployed.newest("engagement", (APP,))
    assert crash.after_first == {key: numbers for key, numbers in truth.items() if key[1] in WRITTEN}


def test_the_next_run_finishes_the_instance_without_a_download(deployed: Deployed, crash: Crash) -> None:
    report = report_of(crash.second)
    assert crash.second.status == "SUCCEEDED"
    assert report["apps_by_verdict"] == {"verified": [APP]}
    assert (report["instances"], report["segments"], crash.downloads_of_second) == (1, 0, 0)
    assert (report["parts_unchanged"], report["parts_written"]) == (len(WRITTEN), len(DATES) - len(WRITTEN))
    assert crash.after_second == deployed.newest("engagement", (APP,))
