"""One small day of the pipeline in this process, during which a function dies at a chosen call.

Two apps, a plain and a `_vintages` table, a Date restated; one app is new that day, so that everything happens: its
request is created, instances are listed, landed, converted, published and verified.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol
from unittest.mock import patch

from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.contract.errors import TransientError
from appstore_analytics.contract.layout import report_key
from appstore_analytics.contract.maps import MapName, Outcome
from appstore_analytics.lake.run_notes import read_plan
from appstore_analytics.steps.plan_items import plan_items
from appstore_analytics.steps.plan_run import plan_run
from local.apple import World, WorldSettings
from local.apple.model import Series
from tests.call_points import Call, DiedError, every_call_seen_by
from tests.integration.morning import Morning
from tests.integration.pipeline_in_process import DOWNLOADS, LakeAthena, Pipeline
from tests.what_stands import WhatStands, what_stands

VINTAGES = "App Crashes Expanded"
REPORTS = (DOWNLOADS, VINTAGES)
OLD_APP, NEW_APP = "1000000001", "1000000002"
STEPS_OF_MAPS = {
    MapName.REGISTER: ("register_request", "list_instances"),
    MapName.LAND: ("download_segments", "convert_instance"),
    MapName.PUBLISH: ("publish_date",),
    MapName.VERIFY: ("verify_table",),
}
"""As in infra/state_machine.py; a test compares them, because importing that module starts Node."""

_STEPS_OF_CHILDREN = {step for steps in STEPS_OF_MAPS.values() for step in steps}

YESTERDAY, TODAY = date(2025, 6, 4), date(2025, 6, 5)
RESTATED = date(2025, 6, 3)


class Moment(StrEnum):
    """The time of a function's death: before a call, or after it was applied and before its answer."""

    BEFORE = "before"
    AFTER = "after"


class Sequel(StrEnum):
    """Step Functions' reaction to a function that died."""

    RETRIED = "called again in the same run"
    GIVEN_UP = "given up, left to the next run"


@dataclass(frozen=True, slots=True)
class Seen:
    """A call that a function made: the `position`-th of the `invocation`-th function of the day, both from 0."""

    invocation: int
    step: str
    item: str
    position: int
    call: Call


Dies = Callable[[Seen, Moment], bool]
"""Whether a function dies here; asked before and after every call."""


@dataclass(frozen=True, slots=True)
class Death:
    """One function of the day dies at one of its calls."""

    invocation: int
    position: int
    moment: Moment

    def __call__(self, seen: Seen, moment: Moment) -> bool:
        return (seen.invocation, seen.position, moment) == (self.invocation, self.position, self.moment)


class EverywhereOnce:
    """Every function dies after its first call, then after its second …, until it comes to its end."""

    def __init__(self) -> None:
        self.died: set[tuple[str, str, int]] = set()

    def __call__(self, seen: Seen, moment: Moment) -> bool:
        place = seen.step, seen.item, seen.position
        if moment is Moment.BEFORE or place in self.died:
            return False
        self.died.add(place)
        return True


def never(seen: Seen, moment: Moment) -> bool:
    """An undisturbed day."""
    return False


@dataclass
class Calls:
    """Sees the calls of functions, in order, and lets functions die."""

    dies: Dies = never
    seen: list[Seen] = field(default_factory=list)
    died: list[Seen] = field(default_factory=list)
    _invocations: int = 0
    _position: int = 0
    _function: tuple[str, str] | None = None
    _is_dead: bool = False

    @contextmanager
    def of_function(self, step: str, item: str) -> Iterator[None]:
        """The calls that one invocation of a function makes."""
        self._function, self._position = (step, item), 0
        try:
            yield
        finally:
            self._function, self._is_dead = None, False
            self._invocations += 1

    @contextmanager
    def of_somebody_else(self) -> Iterator[None]:
        """Calls by a service while the function waits for its answer."""
        function, self._function = self._function, None
        try:
            yield
        finally:
            self._function = function

    def before(self, call: Call) -> None:
        if self._is_dead:
            raise DiedError  # cleanup code cannot make calls any more
        if self._function is not None:
            self.seen.append(Seen(self._invocations, *self._function, self._position, call))
            self._position += 1
            self._die_if_it_is_time(Moment.BEFORE)

    def after(self, call: Call) -> None:
        del call
        if self._function is not None:
            self._die_if_it_is_time(Moment.AFTER)

    def _die_if_it_is_time(self, moment: Moment) -> None:
        if self.dies(self.seen[-1], moment):
            self._is_dead = True
            self.died.append(self.seen[-1])
            raise DiedError


class Functions(Protocol):
    """The observer that has to know which calls belong to a function."""

    def of_function(self, step: str, item: str) -> AbstractContextManager[None]:
        """The calls of one invocation of a function."""


class Execution:
    """One execution of the state machine, in which functions can die."""

    def __init__(self, pipeline: Pipeline, calls: Functions, sequel: Sequel) -> None:
        self._pipeline = pipeline
        self._calls = calls
        self._sequel = sequel

    def run(self, started_at: datetime | None = None) -> dict[str, Any] | None:
        """Run it to its end. Returns the run report, or None without one. Without a time it starts in two hours."""
        pipeline = self._pipeline
        if started_at is None:
            pipeline.clock.pass_by(hours=2)
            started_at = pipeline.clock.now
        payload = {"operation": "daily", "as_of": pipeline.world.today.isoformat()}
        arguments = ("execution", started_at, payload, pipeline.configuration, pipeline.lake)
        planned = self._function("plan_run", "", lambda: plan_run(*arguments, pipeline.connect))
        if planned is None:
            return None
        error = "" if all(self._map(planned["run_id"], map_name) for map_name in STEPS_OF_MAPS) else "a function died"
        plan = read_plan(pipeline.lake, planned["run_id"])
        self._function("compact_months", "", lambda: pipeline.compact(plan))
        self._function("summarize_run", "", lambda: pipeline.summarize(plan, error))
        text = pipeline.lake.read(report_key(plan.operation, plan.run_id))
        return None if text is None else json.loads(text)

    def _map(self, run_id: str, map_name: MapName) -> bool:
        """Plan and run one Map; False if planning died."""
        pipeline = self._pipeline
        answer = self._function(
            "plan_items",
            map_name,
            lambda: plan_items(run_id, map_name, pipeline.registry, pipeline.lake, pipeline.clock.now),
        )
        if answer is None:
            return False
        for event in json.loads(pipeline.lake.read(str(answer["manifest_key"])) or b""):
            self._child(map_name, event)
        return True

    def _child(self, map_name: MapName, event: dict[str, str]) -> None:
        """One child execution. If it gives up there is not even a record of it."""
        for step, work in zip(STEPS_OF_MAPS[map_name], self._pipeline.steps(map_name, event), strict=True):
            answer = self._function(step, event["record"], work)
            if answer is None or answer["outcome"] == Outcome.DONE:
                return

    def _function(self, step: str, item: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
        """The answer of a function, after its wait, if any; None if it died and is not called again."""
        while True:
            try:
                with self._calls.of_function(step, item):
                    answer = work()
            except DiedError:
                if self._sequel is Sequel.GIVEN_UP:
                    return None
                continue
            except TransientError:  # another execution's calls came between; Step Functions retries
                continue
            if answer.get("outcome") != Outcome.WAIT:
                return answer
            self._pipeline.clock.now = datetime.fromisoformat(answer["available_at"]) + timedelta(seconds=1)


def morning() -> Morning:
    """The morning of the day: one app has a part to be replaced, the other is not registered yet."""

    def yesterday(pipeline: Pipeline) -> None:
        pipeline.world.today = YESTERDAY
        new = pipeline.world.apps.pop(NEW_APP)
        assert pipeline.daily()["status"] == "SUCCEEDED"
        pipeline.world.apps[NEW_APP] = new

    return Morning.after(_world, REPORTS, yesterday)


def _world() -> World:
    world = World(
        WorldSettings(
            today=YESTERDAY - timedelta(days=1),
            apps=2,
            rows_per_date=3,
            dates_per_instance=1,
            readiness_days=1,
            segments_per_instance=1,
        )
    )
    world.create_request(OLD_APP, AccessType.ONGOING)
    world.move_to(YESTERDAY)
    world.restate(Series(OLD_APP, DOWNLOADS, Granularity.DAILY), RESTATED)
    world.move_to(TODAY)
    return world


@dataclass(frozen=True, slots=True)
class Ending:
    """The outcome of a day: the calls of its run, the deaths, the reports, and the final state."""

    calls: tuple[Seen, ...]
    died: tuple[Seen, ...]
    report: dict[str, Any] | None
    has_next_run: bool
    next_report: dict[str, Any] | None
    stands: WhatStands


def live_through(day: Morning, dies: Dies = never, sequel: Sequel = Sequel.RETRIED) -> Ending:
    """The day with its deaths. If its run reports a failure, or nothing, a second run follows."""
    calls = Calls(dies)
    with day.begin() as pipeline, every_call_seen_by(calls), _athena_is_one_call(calls):
        report, seen = Execution(pipeline, calls, sequel).run(), tuple(calls.seen)
        has_next_run = report is None or report["status"] != "SUCCEEDED"
        next_report = Execution(pipeline, calls, sequel).run() if has_next_run else None
        stands = what_stands(pipeline.world, pipeline.registry, pipeline.raw, pipeline.lake)
        return Ending(seen, tuple(calls.died), report, has_next_run, next_report, stands)


@contextmanager
def _athena_is_one_call(calls: Calls) -> Iterator[None]:
    """S3 reads by Athena are not calls of the function."""
    answer = LakeAthena.rows

    def rows(athena: LakeAthena, sql: str, database: str) -> Iterator[tuple[str | None, ...]]:
        call = Call("athena", "StartQueryExecution", sql.split('FROM "')[1].split('"', maxsplit=1)[0])
        calls.before(call)
        with calls.of_somebody_else():
            rows = answer(athena, sql, database)
        calls.after(call)
        return rows

    with patch.object(LakeAthena, "rows", rows):
        yield


def losses(undisturbed: Ending, found: Ending, sequel: Sequel) -> list[str]:
    """Differences from the expected state after a day with a death; empty if there are none.

    A run that succeeds must leave the same at once: else something was lost silently. After one that failed, or left
    no report, the next must leave the same. A function that is called again must not fail its run at all.
    """
    wrong = undisturbed.stands.differences(found.stands)
    if found.has_next_run and (found.next_report is None or found.next_report["status"] != "SUCCEEDED"):
        wrong.append(f"the next run failed: {found.next_report and found.next_report['cause']}")
    if found.has_next_run and sequel is Sequel.RETRIED:
        wrong.append(f"the run failed: {found.report and found.report['cause']}")
    elif found.has_next_run and found.report is not None:
        named = {error["item"] for error in found.report["errors"]}
        dead = {seen.item for seen in found.died if seen.step in _STEPS_OF_CHILDREN}
        wrong += [f"the run report does not name {item}" for item in dead - named]
    return wrong
