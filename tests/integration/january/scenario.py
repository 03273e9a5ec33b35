"""The predecessor's 17 January on a simulated clock: 92 apps, 18 registered by others, 12 forbidden.

`python -m tests.integration.january` runs it in full, with ten reports and 3,500 calls an hour. The tests run it with
one report and half of everything else, because its time grows with the square of the apps: all remaining apps try again
after every wait.
"""

import json
import os
import random
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from appstore_analytics.contract.catalogue import CORE_REPORT_NAMES
from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.errors import PipelineError
from appstore_analytics.contract.layout import report_key
from appstore_analytics.contract.maps import MapName, Outcome
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.steps.plan_items import plan_items
from infra.state_machine import EXPRESS_FIRST
from local.apple import AppStoreConnect as SimulatedApp
from local.apple import Fault, FaultKind, World, WorldSettings, mount
from local.apple.http import Environ, StartResponse
from tests.clock import Clock
from tests.integration.pipeline_in_process import CREATE, Pipeline

FIRST_DAY = date(2025, 1, 17)
WHOLE = 92
APPS = int(os.environ.get("JANUARY_APPS", WHOLE // 2))
REPORTS = int(os.environ.get("JANUARY_REPORTS", "1"))


def of_the_whole(count: int) -> int:
    """So many of 92 apps, for the apps that take part."""
    return count * APPS // WHOLE


CALLS_PER_HOUR = of_the_whole(350) * REPORTS
SECONDS_PER_CALL = 0.25

APP_IDS = tuple(str(1_000_000_001 + number) for number in range(APPS))
FORBIDDEN = APP_IDS[: of_the_whole(12)]
FOUND = APP_IDS[of_the_whole(12) : of_the_whole(24)]
"""Requests that exist since yesterday: the pipeline finds them, and their first data is available."""

RACED = APP_IDS[of_the_whole(24) : of_the_whole(30)]
"""Requests that someone else creates between our check and our POST: 409."""

EXISTING = FOUND + RACED
NEW = APP_IDS[of_the_whole(30) :]
ADMIN_SENTENCE = (
    "App {} has no report request (ONGOING) yet. "
    "The API key's role does not allow POST (FORBIDDEN_ERROR): use a key with the role Admin."
)


@dataclass(frozen=True)
class Day:
    """One daily run: its report, the calls to App Store Connect, and the elapsed time."""

    name: str
    report: dict[str, Any]
    routes: dict[str, dict[str, int]]
    waited: timedelta
    took: timedelta
    waits: int

    def answers(self, status: int, route: str = "") -> int:
        """The number of these answers of App Store Connect, on one route or on all."""
        chosen = [counts for name, counts in self.routes.items() if route in ("", name)]
        return sum(counts.get(str(status), 0) for counts in chosen)

    @property
    def calls(self) -> int:
        """Every call to the API; downloads come from another host and do not count."""
        return sum(sum(counts.values()) for name, counts in self.routes.items() if " /v1/" in name)

    def __str__(self) -> str:
        verdicts = ", ".join(f"{len(apps)} {verdict}" for verdict, apps in self.report["apps_by_verdict"].items())
        hours = self.waited / timedelta(hours=1)
        return (
            f"| {self.name} | {self.calls:,} | {self.calls / APPS:.2f} | {self.answers(429)} | {self.answers(409)} | "
            f"{self.answers(403)} | {hours:.2f} h | {verdicts} |"
        )


HEAD = (
    "| run | calls | calls per app-day | 429 | 409 | 403 | waited | apps |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |"
)


def show(days: Sequence[Day]) -> None:
    """For `pytest -s`: the cost of each run."""
    sys.stdout.write("\n".join(["", HEAD, *map(str, days), ""]))


@dataclass
class PatientPipeline(Pipeline):
    """A pipeline that waits for the quota on the clock, like the state machine between two Maps."""

    raced: set[str] = field(default_factory=set)
    waited: timedelta = timedelta()
    waits: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        application = SimulatedApp(self.world, wall_seconds=self.clock.seconds)

        def taking_time(environ: Environ, start_response: StartResponse) -> Any:
            self.clock.pass_by(seconds=SECONDS_PER_CALL)
            answer = application(environ, start_response)
            self._register_behind_our_back(environ["PATH_INFO"])
            return answer

        mount(self.session, taking_time)
        mount(self.storage, taking_time)

    def _register_behind_our_back(self, path: str) -> None:
        looked_at = re.fullmatch(r"/v1/apps/(\d+)/analyticsReportRequests", path)
        if looked_at and looked_at[1] in self.raced:
            self.raced.remove(looked_at[1])
            self.world.create_request(looked_at[1], AccessType.ONGOING)

    def run_map(self, map_name: MapName, manifest: list[dict[str, str]]) -> None:
        """The children; Express children leave items, which follow after one common wait."""
        while manifest:
            for event in manifest:
                self._child(map_name, event)
            manifest = self._left(map_name, manifest[0]["run_id"]) if map_name in EXPRESS_FIRST else []

    def _child(self, map_name: MapName, event: dict[str, str]) -> None:
        """One Express child: the steps until one is done or has to wait."""
        try:
            for step in self.steps(map_name, event):
                if step()["outcome"] != Outcome.NEXT:
                    return
        except PipelineError as error:
            self.record_failure(event, error)

    def _left(self, map_name: MapName, run_id: str) -> list[dict[str, str]]:
        answer = plan_items(run_id, map_name, self.registry, self.lake, self.clock.now, left=True)
        left: list[dict[str, str]] = json.loads(self.lake.read(str(answer["manifest_key"])) or b"")
        assert bool(left) == ("available_at" in answer), "nothing but the quota leaves a child without a verdict here"
        if left:
            self.waits += 1
            self._wait_until(datetime.fromisoformat(str(answer["available_at"])))
        return left

    def _wait_until(self, instant: datetime) -> None:
        if instant > self.clock.now:
            self.waited += instant - self.clock.now
            self.clock.now = instant

    def day(self, name: str) -> Day:
        """A daily run, with its measurements."""
        self.world.statistics.reset()
        self.waited, self.waits = timedelta(), 0
        plan = self.plan()
        started = self.clock.now
        self.run(plan)
        self.summarize(plan)
        routes = self.world.statistics.by_route()
        return Day(name, self._report(plan), routes, self.waited, self.clock.now - started, self.waits)

    def _report(self, plan: RunPlan) -> dict[str, Any]:
        key = report_key(plan.operation, plan.run_id)
        report: dict[str, Any] = json.loads(self.lake.read(key) or b"")
        return report

    def grant_the_role(self) -> None:
        self.world.faults.clear()


def start(forbidden: Sequence[str] = FORBIDDEN, calls_before_rest: int | None = None) -> PatientPipeline:
    """The account on the morning of 17 January; others created some of its requests yesterday."""
    random.seed(17)  # the jitter of waiting children, in seconds
    settings = WorldSettings(
        today=FIRST_DAY - timedelta(days=1),
        apps=APPS,
        rows_per_date=1,
        dates_per_instance=1,
        segments_per_instance=1,
        calls_per_hour=CALLS_PER_HOUR,
        calls_before_rest=calls_before_rest,
    )
    world = World(settings)
    for app_id in FOUND:
        world.create_request(app_id, AccessType.ONGOING)
    world.advance(1)
    for app_id in forbidden:
        world.faults.order(Fault(FaultKind.STATUS, CREATE, times=None, app_id=app_id, status=403))
    return PatientPipeline(
        world,
        reports=CORE_REPORT_NAMES[:REPORTS],
        calls_per_hour=CALLS_PER_HOUR,
        clock=Clock(datetime.combine(FIRST_DAY, datetime.min.time(), UTC)),
        raced=set(RACED),
    )
