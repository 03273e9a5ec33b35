"""Races as state machines of hypothesis: it chooses which actor makes the next call, and which one dies there.

Each ends with a clean run, after which the state must equal that after one run alone.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date, timedelta
from functools import cache
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.contract.errors import KeyRejected
from appstore_analytics.contract.maps import MapName
from appstore_analytics.model.items import PublishItem
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.registry.report_requests import LEASE_SECONDS
from local.apple import World, WorldSettings
from local.apple.model import Series
from tests.call_points import every_call_seen_by
from tests.integration.concurrency.turns import Order, Turns
from tests.integration.crash.day import REPORTS, Execution, Sequel, morning
from tests.integration.morning import Morning
from tests.integration.pipeline_in_process import APP, DOWNLOADS, Pipeline
from tests.what_stands import WhatStands, what_stands

MOST_DEATHS = 3


def _what_stands(pipeline: Pipeline) -> WhatStands:
    return what_stands(pipeline.world, pipeline.registry, pipeline.raw, pipeline.lake)


@cache
def _after_one_run_alone(morning: Morning) -> WhatStands:
    with morning.begin() as pipeline:
        assert pipeline.daily()["status"] == "SUCCEEDED"
        return _what_stands(pipeline)


class Race(RuleBasedStateMachine):
    """Actors that proceed call by call, or die; subclasses define the actors and their work."""

    morning: ClassVar[Callable[[], Morning]]

    def __init__(self) -> None:
        super().__init__()
        self.alone = _after_one_run_alone(type(self).morning())
        self.stack = ExitStack()
        self.pipeline = self.stack.enter_context(type(self).morning().begin())
        self.turns = Turns()
        self.stack.enter_context(every_call_seen_by(self.turns))

    def begin(self, kind: str, work: Callable[[], Any]) -> None:
        self.turns.begin(kind, work)

    @precondition(lambda self: self.turns.waiting)
    @rule(who=st.integers(0, 7), calls=st.integers(1, 12))
    def somebody_goes_on(self, who: int, calls: int) -> None:
        self.turns.go_on(self._one_of_those_waiting(who), calls)

    @precondition(lambda self: self.turns.waiting and self.turns.deaths < MOST_DEATHS)
    @rule(who=st.integers(0, 7), order=st.sampled_from([Order.DIE_BEFORE, Order.DIE_AFTER]))
    def somebody_dies(self, who: int, order: Order) -> None:
        self.turns.die(self._one_of_those_waiting(who), order)

    @rule(seconds=st.sampled_from([5, LEASE_SECONDS + 1]))
    def time_passes(self, seconds: int) -> None:
        self.pipeline.clock.pass_by(seconds=seconds)

    def _one_of_those_waiting(self, who: int) -> str:
        waiting = self.turns.waiting
        return waiting[who % len(waiting)]

    def what_stands(self) -> WhatStands:
        return _what_stands(self.pipeline)

    def teardown(self) -> None:
        try:
            self.turns.to_the_end()
            self.pipeline.clock.pass_by(seconds=LEASE_SECONDS + 1)
            self.at_the_end()
        finally:
            self.stack.close()

    def at_the_end(self) -> None:
        """The clean run, and the conditions after it."""
        raise NotImplementedError


# Two vintages of the same Dates, converted and published at the same time


def _two_vintages() -> World:
    world = World(
        WorldSettings(
            today=date(2025, 6, 4), apps=1, rows_per_date=3, dates_per_instance=2, readiness_days=0,
            segments_per_instance=1,
        )
    )  # fmt: skip
    for report in REPORTS:
        world.restate(Series(APP, report, Granularity.DAILY), date(2025, 6, 3))
    world.create_request(APP, AccessType.ONGOING)
    world.move_to(date(2025, 6, 5))
    return world


@cache
def landed() -> Morning:
    """Two instances of each table have landed; they share a Date, which the newer one restates."""

    def land(pipeline: Pipeline) -> None:
        plan = pipeline.plan()
        pipeline.run(plan, MapName.REGISTER)
        for item in pipeline.land_items(plan):
            pipeline.download(item)

    return Morning.after(_two_vintages, REPORTS, land)


class Vintages(Race):
    """Converters of two vintages, some of them twice, against publishers of their Dates."""

    morning = staticmethod(landed)

    @initialize()
    def plan_a_run(self) -> None:
        self.plan: RunPlan = self.pipeline.plan()
        self.pipeline.run(self.plan, MapName.REGISTER)
        self.land_items = self.pipeline.land_items(self.plan)
        self.begun = 0
        self.converters: Counter[int] = Counter()

    @precondition(lambda self: self.begun < 8)
    @rule(number=st.integers(0, 3))
    def a_converter_begins(self, number: int) -> None:
        """At most two per item: the third run assumes that the file killed the first two."""
        if self.converters[number] == 2:
            return
        self.converters[number] += 1
        item = self.land_items[number]
        self._begin(f"convert {item.vintage}", lambda: self.pipeline.convert(item))

    @precondition(lambda self: self.begun < 8)
    @rule(table=st.sampled_from(["downloads", "crashes_expanded_vintages"]), day=st.integers(2, 4))
    def a_publisher_begins(self, table: str, day: int) -> None:
        item = PublishItem(self.plan.run_id, table, date(2025, 6, day).isoformat())
        self._begin(f"publish {table} {day}", lambda: self.pipeline.publish(item))

    def _begin(self, kind: str, work: Callable[[], Any]) -> None:
        self.begun += 1
        self.begin(f"{self.begun}: {kind}", work)

    def at_the_end(self) -> None:
        assert self.pipeline.daily()["status"] == "SUCCEEDED"
        stands = self.what_stands()
        assert stands.contradictions == {}
        assert (stands.curated, stands.parts) == (self.alone.curated, self.alone.parts)
        assert stands.kpis == self.alone.kpis


# One report request, registered by several functions at once


@cache
def unregistered() -> Morning:
    world = WorldSettings(today=date(2025, 6, 5), apps=1, rows_per_date=3, segments_per_instance=1)
    return Morning.after(lambda: World(world), (DOWNLOADS,), lambda _: None)


class Claims(Race):
    """Executions that register the same app while leases expire."""

    morning = staticmethod(unregistered)

    @initialize()
    def count_from_zero(self) -> None:
        self.begun = 0

    @precondition(lambda self: self.begun < 6)
    @rule()
    def an_execution_begins(self) -> None:
        self.begun += 1
        plan = self.pipeline.plan()
        self.begin(f"execution {self.begun}", lambda: self._register(plan))

    def _register(self, plan: RunPlan) -> None:
        """If it is held up between two calls for longer than a function can run, both its tokens can have expired."""
        begun_at = self.pipeline.clock.now
        try:
            self.pipeline.register(plan)
        except KeyRejected:
            if self.pipeline.clock.now - begun_at < timedelta(seconds=LEASE_SECONDS):
                raise

    def at_the_end(self) -> None:
        plan = self.pipeline.plan()
        assert self.pipeline.register(plan)["outcome"] == "next"
        (request,) = self.pipeline.world.requests_of(APP)
        assert self.pipeline.registry.report_requests.get(APP, AccessType.ONGOING).request_id == request.id
        created = self.pipeline.world.statistics.by_route()["POST /v1/analyticsReportRequests"]
        assert created["201"] == 1


# Two executions of the whole day at once


@cache
def day() -> Morning:
    return morning()


class Executions(Race):
    """Two executions of one day, even of the same run; a function that dies is called again, or given up."""

    morning = staticmethod(day)

    @initialize(same_run=st.booleans(), sequels=st.tuples(*[st.sampled_from(Sequel)] * 2))
    def two_executions_begin(self, same_run: bool, sequels: tuple[Sequel, Sequel]) -> None:
        started_at = self.pipeline.clock.now
        for number, sequel in enumerate(sequels):
            execution = Execution(self.pipeline, self.turns, sequel)
            at = started_at if same_run else started_at + timedelta(minutes=number)
            self.begin(f"execution {number}", lambda execution=execution, at=at: execution.run(at))  # type: ignore[misc]

    def at_the_end(self) -> None:
        report = Execution(self.pipeline, self.turns, Sequel.RETRIED).run()
        assert report is not None
        assert report["status"] == "SUCCEEDED"
        assert self.what_stands().differences(self.alone) == []


RACES = (Claims, Vintages, Executions)


def run_race(race: type[Race], examples: int, *, derandomize: bool) -> None:
    """Run a number of examples of a race; raises the error with the shortest way to reproduce it."""
    how = settings(
        max_examples=examples,
        stateful_step_count=50,
        deadline=None,
        database=None,
        derandomize=derandomize,
        suppress_health_check=[*HealthCheck],
    )
    run_state_machine_as_test(race, settings=how)
