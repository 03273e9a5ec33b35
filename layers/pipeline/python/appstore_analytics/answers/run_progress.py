"""The progress of a run, from the records of its items: stages, proof, calls."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from appstore_analytics.answers.executions import Pipeline
from appstore_analytics.answers.run_course import Counts, Course
from appstore_analytics.answers.run_stages import Proof, RunCalls, Stage, StageWait
from appstore_analytics.contract.layout import appstore_key
from appstore_analytics.contract.maps import MAPS_OF_APPS, MapName
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.run_notes import planned_at, read_rows
from appstore_analytics.model.items import ItemRecord
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.registry import Registry
from appstore_analytics.rules.call_budget import available_at, is_given_back
from appstore_analytics.rules.verdicts import item_verdict


@dataclass
class Tally:
    """The items of one Map, counted, and the sums of their facts."""

    total: int = 0
    done: int = 0
    failed: int = 0
    sums: dict[str, int] = field(default_factory=dict)

    def add(self, record: ItemRecord) -> None:
        """Count one item."""
        self.total += 1
        has_ended = record.verdict is not None or bool(record.error)
        self.done += has_ended
        self.failed += has_ended and item_verdict(record).is_failure
        for name in MapName(record.record.partition("#")[0]).traits.shown_sums:
            self.sums[name] = self.sums.get(name, 0) + int(record.facts.get(name, 0))

    def counts(self, unit: str, is_known: bool) -> Counts:
        """The items without their facts."""
        return Counts(unit, self.total, self.done, self.failed, is_known)


@dataclass(frozen=True, slots=True)
class Progress:
    """The stages in order, the proof, and the number of calls."""

    stages: tuple[Stage, ...]
    proof: Proof
    calls_made: int


def share_done(registry: Registry, plan: RunPlan, app_ids: frozenset[str] | None) -> tuple[int, float]:
    """The number of instances of a run under way, and its completed share, from 0 to 1.

    Registration is a tenth: only then is it known what has to be landed, and only after landing what has to be
    published.
    """
    tallies = {name: tally(registry, plan.run_id, name, app_ids) for name in (MapName.REGISTER, MapName.LAND)}
    land = tallies[MapName.LAND]
    if not land.total:
        register = tallies[MapName.REGISTER]
        return 0, 0.1 * register.done / register.total if register.total else 0.0
    dates = tally(registry, plan.run_id, MapName.PUBLISH, None)
    published = dates.done / dates.total if dates.total else 0.0
    return land.total, round(0.1 + 0.7 * land.done / land.total + 0.2 * published, 3)


def tally(registry: Registry, run_id: str, map_name: MapName, app_ids: frozenset[str] | None) -> Tally:
    """The items of one Map, for these apps or for all."""
    found = Tally()
    for record in _ends(registry, run_id, map_name, app_ids):
        found.add(record)
    return found


def _ends(registry: Registry, run_id: str, map_name: MapName, app_ids: frozenset[str] | None) -> Iterator[ItemRecord]:
    facts = map_name.traits.shown_sums
    if app_ids is None:
        yield from registry.runs.ends_of_map(run_id, map_name, facts=facts)
        return
    for app_id in sorted(app_ids):
        yield from registry.runs.ends_of_map(run_id, map_name, app_id, facts=facts)


def progress_of(pipeline: Pipeline, plan: RunPlan, seconds: float | None, app_ids: frozenset[str] | None) -> Progress:
    """The stages of a run; `seconds` is its duration, None while it is under way."""
    registry, lake = pipeline.registry, pipeline.lake
    names = _maps_of(plan)
    tallies = {name: tally(registry, plan.run_id, name, app_ids) for name in names if name in MAPS_OF_APPS}
    if app_ids is None:
        tallies |= {name: tally(registry, plan.run_id, name, None) for name in names if name not in MAPS_OF_APPS}
    else:
        tallies |= _of_seen_dates(lake, plan, app_ids, has_ended=seconds is not None)
    times = planned_at(lake, plan.run_id)
    ended_at = None if seconds is None else plan.started_at + timedelta(seconds=seconds)
    waits = [StageWait(wait.waits_for, wait.since, wait.until) for wait in registry.waits.of_run(plan.run_id)]
    is_known = app_ids is None or ended_at is not None
    counts = {name: one.counts(name.traits.unit, is_known or name in MAPS_OF_APPS) for name, one in tallies.items()}
    course = Course(names, counts, times, plan.started_at, ended_at, tuple(waits))
    land = tallies.get(MapName.LAND, Tally()).sums
    raw, dropped = land.get("rows_raw", 0), land.get("rows_dropped", 0)
    publish, verify = tallies[MapName.PUBLISH], tallies[MapName.VERIFY]
    proof = Proof(
        rows_raw=raw,
        rows_dropped=dropped,
        rows_converted=raw - dropped,
        rows_published=publish.sums.get("rows", 0),
        rows_athena=verify.sums.get("rows", 0),
        dates_published=publish.done - publish.failed,
    )
    return Progress(course.stages(), proof, sum(one.sums.get("calls", 0) for one in tallies.values()))


def _maps_of(plan: RunPlan) -> list[MapName]:
    """The Maps of the run's operation, in order."""
    first = plan.operation.traits.first_map
    later = list(MapName)[list(MapName).index(first) :]
    return [name for name in later if name is first or not name.traits.only_begins]


def _of_seen_dates(lake: Bucket, plan: RunPlan, app_ids: frozenset[str], *, has_ended: bool) -> dict[MapName, Tally]:
    """Publishing and verifying, only for Dates in which rows of these apps changed."""
    if not has_ended:
        return {MapName.PUBLISH: Tally(), MapName.VERIFY: Tally()}
    day = plan.started_at.date()
    changed = [
        row for row in read_rows(lake, appstore_key("batches", day, plan.run_id)) if str(row["app_id"]) in app_ids
    ]
    verified = [
        row for row in read_rows(lake, appstore_key("verification", day, plan.run_id)) if str(row["app_id"]) in app_ids
    ]
    dates = {(row["table_name"], row["date"]) for row in changed}
    tables = {row["table_name"] for row in verified}
    rows = sum(int(row["rows"] or 0) for row in changed)
    counted = sum(int(row["rows_athena"]) for row in verified if (row["table_name"], row["date"]) in dates)
    failed = len({row["table_name"] for row in verified if not row["equal"]})
    return {
        MapName.PUBLISH: Tally(len(dates), len(dates), 0, {"rows": rows}),
        MapName.VERIFY: Tally(len(tables), len(tables), failed, {"rows": counted}),
    }


def calls_of(pipeline: Pipeline, plan: RunPlan, made: int) -> RunCalls:
    """Calls of this run, and the rest of the rolling hour for the keys of its accounts."""
    registry = pipeline.registry
    now = registry.clock()
    used = most = 0
    more_at: datetime | None = None
    for name in dict.fromkeys(account.reader_key_name for account in plan.accounts):
        budget = registry.call_budget(name)
        counting = {
            minute: calls
            for minute, calls in budget.balance().calls_by_minute.items()
            if not is_given_back(minute, now)
        }
        own = budget.most(plan.calls_per_hour, plan.operation)
        used, most = used + sum(counting.values()), most + own
        if counting:
            free = available_at(counting, max(own - sum(counting.values()), 0) + 1, own, now)
            more_at = free if more_at is None else min(more_at, free)
    return RunCalls(made, used, most, max(most - used, 0), more_at)
