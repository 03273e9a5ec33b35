"""Runs, rollbacks and reprocesses in any order end in what the instances that count imply."""

import gzip
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.schema_modes import SchemaModes
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.parts import part_version
from appstore_analytics.model.instances import InstanceStatus, LedgerInstance, SegmentRecord
from appstore_analytics.model.items import LandItem, RestoreItem
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.registry import Registry
from appstore_analytics.steps.convert_instance import convert_instance
from appstore_analytics.steps.restore_parts import restore_parts
from tests.aws_in_process import aws_in_process, new_bucket, new_registry
from tests.lake_samples import ENGAGEMENT, row, tsv, vintage

APP, ACCOUNT = "1000000001", "main"
DATES = [date(2026, 11, day) for day in (17, 18, 19)]
HOLD: dict[Vintage, list[date]] = {
    vintage(20, "a"): DATES[:2],
    vintage(21, "b"): DATES,
    vintage(21, "c"): DATES[1:],
    vintage(22, "d"): DATES[1:],
}
"""Instances by vintage, and the Dates each holds."""

NUMBERS = st.integers(0, 3)
RUNS = st.tuples(st.just("run"), st.lists(NUMBERS, min_size=1, max_size=3, unique=True))
OTHERS = st.tuples(st.sampled_from(["rollback", "rollback", "reprocess"]), NUMBERS)


@dataclass
class Scene:
    """The registry and the lake, and beside them what ought to be: whose instances count."""

    registry: Registry = field(default_factory=new_registry)
    raw: Bucket = field(default_factory=lambda: new_bucket("raw"))
    lake: Bucket = field(default_factory=lambda: new_bucket("lake", versioned=True))
    runs: list[str] = field(default_factory=list)
    handled: dict[str, set[Vintage]] = field(default_factory=dict)
    counts: dict[Vintage, str] = field(default_factory=dict)
    taken_back: set[Vintage] = field(default_factory=set)

    def __post_init__(self) -> None:
        for of, days in HOLD.items():
            key = f"raw/{of.instance_id}"
            rows = [row(ENGAGEMENT, counts=of.instance_id.encode().hex(), date=day.isoformat()) for day in days]
            self.raw.write(key, gzip.compress(tsv(rows), mtime=0))
            listed = LedgerInstance(APP, ENGAGEMENT.name, Granularity.DAILY, of)
            self.registry.instances.add(listed)
            self.registry.instances.mark_landed(listed.landed((SegmentRecord("s", key, 1, "md5"),)))

    def instance(self, of: Vintage) -> LedgerInstance:
        found = self.registry.instances.get(APP, of)
        assert found is not None
        return found

    def run(self, vintages: Iterable[Vintage]) -> None:
        run = f"run-{len(self.runs)}"
        self.runs.append(run)
        self.handled[run] = set(vintages)
        for of in vintages:
            self._convert(run, of)
            if of not in self.taken_back:
                self.counts.setdefault(of, run)

    def rollback(self, run: str) -> None:
        rollback = f"rollback-of-{run}-{len(list(self.registry.runs.of_map('all', MapName.RESTORE)))}"
        for record in self.registry.runs.of_map(run, MapName.LAND):
            item = RestoreItem(rollback, ACCOUNT, APP, LandItem.from_event(record.event).vintage, run)
            self.registry.runs.plan(item)
            restore_parts(item, self.registry, self.lake)
        for record in self.registry.runs.of_map(rollback, MapName.LAND):
            convert_instance(LandItem.from_event(record.event), self.registry, self.raw, self.lake, SchemaModes())
        for of in [of for of, by in self.counts.items() if by == run]:
            del self.counts[of]
            self.taken_back.add(of)

    def reprocess(self, run: str) -> None:
        named = [of for of in HOLD if of in self.handled[run] and self.instance(of).has_landed]
        for of in named:
            self.registry.instances.release(self.instance(of))
        self.taken_back -= set(named)
        self.run(named)

    def _convert(self, run: str, of: Vintage) -> None:
        item = LandItem(run, ACCOUNT, APP, of)
        self.registry.runs.plan(item)
        convert_instance(item, self.registry, self.raw, self.lake, SchemaModes())

    def stands(self) -> dict[date, Vintage]:
        heads = {day: self.lake.head(TableDate(ENGAGEMENT.name, day).part_key(APP)) for day in DATES}
        return {day: part_version(stored).vintage for day, stored in heads.items() if stored is not None}

    def implied(self) -> dict[date, Vintage]:
        holders = {day: [of for of in self.counts if day in HOLD[of]] for day in DATES}
        return {day: max(of) for day, of in holders.items() if of}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@example([("run", [3]), ("run", [0, 1]), ("rollback", 0)])
@example([("run", [0]), ("run", [1]), ("run", [3]), ("rollback", 1), ("rollback", 2), ("rollback", 0)])
@example([("run", [0, 2]), ("run", [3, 1]), ("rollback", 0), ("rollback", 1), ("reprocess", 0), ("rollback", 2)])
@given(st.lists(RUNS | OTHERS, min_size=3, max_size=9))
def test_any_order_of_runs_rollbacks_and_reprocesses_ends_in_what_counts(operations: list[tuple[str, object]]) -> None:
    with aws_in_process():
        scene = Scene()
        for name, what in operations:
            if isinstance(what, list):
                scene.run([list(HOLD)[number] for number in what])
            elif isinstance(what, int) and what < len(scene.runs):
                getattr(scene, name)(scene.runs[what])
            assert scene.stands() == scene.implied()
        for of in HOLD:
            assert (scene.instance(of).status is InstanceStatus.ROLLED_BACK) == (of in scene.taken_back)
