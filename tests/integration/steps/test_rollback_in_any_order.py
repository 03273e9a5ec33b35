"""Runs, rollbacks, reprocesses and refetches in any order end in the state that the valid instances imply."""

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
from appstore_analytics.lake.parts import batch_of_part
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
"""Instances by vintage, and the Dates of each."""

NUMBERS = st.integers(0, 3)
RUNS = st.tuples(st.just("run"), st.lists(NUMBERS, min_size=1, max_size=3, unique=True))
OTHERS = st.tuples(st.sampled_from(["rollback", "rollback", "reprocess", "refetch", "refetch"]), NUMBERS)


@dataclass
class Download:
    """One download of an instance: its Dates, the run that made it, and the download that was valid before."""

    days: list[date]
    number: int
    run: str = ""
    counted: str | None = None
    was_taken_back: bool = False
    is_taken_back: bool = False


@dataclass
class Scene:
    """The registry and the lake, and the expected state: which download of each instance is valid."""

    registry: Registry = field(default_factory=new_registry)
    raw: Bucket = field(default_factory=lambda: new_bucket("raw"))
    lake: Bucket = field(default_factory=lambda: new_bucket("lake", versioned=True))
    runs: list[str] = field(default_factory=list)
    handled: dict[str, set[Vintage]] = field(default_factory=dict)
    counts: dict[Vintage, str] = field(default_factory=dict)
    taken_back: set[Vintage] = field(default_factory=set)
    downloads: dict[Vintage, list[Download]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for of, days in HOLD.items():
            self.downloads[of] = [Download(days, 0)]
            listed = LedgerInstance(APP, ENGAGEMENT.name, Granularity.DAILY, of)
            self.registry.instances.add(listed)
            self.registry.instances.mark_landed(listed.landed((self._write(of),)))

    def _write(self, of: Vintage) -> SegmentRecord:
        """The newest download's file in the raw bucket."""
        newest = self.downloads[of][-1]
        key = f"raw/{of.instance_id}{newest.number}"
        rows = [row(ENGAGEMENT, counts=str(self._count(of, newest)), date=day.isoformat()) for day in newest.days]
        self.raw.write(key, gzip.compress(tsv(rows), mtime=0))
        return SegmentRecord("s", key, 1, f"md5 of {newest.number}")

    def _count(self, of: Vintage, download: Download) -> int:
        """A number that distinguishes the rows of a download from all others."""
        return 100 * (1 + list(HOLD).index(of)) + download.number

    def current(self, of: Vintage) -> Download:
        return next(each for each in reversed(self.downloads[of]) if not each.is_taken_back)

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
        for of in HOLD:
            self._take_back(run, of)

    def _take_back(self, run: str, of: Vintage) -> None:
        downloads, current = self.downloads[of], self.current(of)
        mine = next((each for each in downloads[1:] if each.run == run and not each.is_taken_back), None)
        if mine is not None:
            mine.is_taken_back = True
            if mine is current:
                place = downloads.index(mine)
                while downloads[place - 1].is_taken_back:
                    place -= 1
                self._set(of, downloads[place].counted, was_taken_back=downloads[place].was_taken_back)
        elif self.counts.get(of) == run:
            for each in downloads[1:]:
                if each.counted == run:
                    each.counted, each.was_taken_back = None, True
            self._set(of, current.run or None, was_taken_back=not current.run)

    def _set(self, of: Vintage, counted: str | None, *, was_taken_back: bool) -> None:
        self.counts.pop(of, None)
        self.taken_back.discard(of)
        if counted is not None:
            self.counts[of] = counted
        elif was_taken_back:
            self.taken_back.add(of)

    def refetch(self, of_run: str) -> None:
        """Files of a run are downloaded again; Apple's new file has other rows, and lacks or adds a Date."""
        run = f"run-{len(self.runs)}"
        self.runs.append(run)
        self.handled[run] = set(self.handled[of_run])
        for of in [of for of in HOLD if of in self.handled[run]]:
            number = len(self.downloads[of])
            days = sorted({*HOLD[of]} ^ {DATES[number % 3]}) or DATES[:1]
            self.downloads[of].append(Download(days, number, run, self.counts.get(of), of in self.taken_back))
            self.registry.refetches.switch(self.instance(of), [self._write(of)], run)
            self._convert(run, of)
            self.counts.setdefault(of, run)
            self.taken_back.discard(of)
        for of in [of for of in self.counts if self.instance(of).status is InstanceStatus.LANDED]:
            self._convert("the next daily run", of)  # instances that had given way to a Date that is gone

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

    def stands(self) -> dict[date, tuple[Vintage, str]]:
        """The instance that owns each Date's part, and the download of its rows."""
        heads = {day: self.lake.head(TableDate(ENGAGEMENT.name, day).part_key(APP)) for day in DATES}
        batches = {day: batch_of_part(stored, int(APP)) for day, stored in heads.items() if stored is not None}
        return {day: (batch.vintage, batch.sums["counts"]) for day, batch in batches.items()}

    def implied(self) -> dict[date, tuple[Vintage, str]]:
        holders = {day: [of for of in self.counts if day in self.current(of).days] for day in DATES}
        newest = {day: max(of) for day, of in holders.items() if of}
        return {day: (of, str(self._count(of, self.current(of)))) for day, of in newest.items()}


@settings(max_examples=16, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@example([("run", [3]), ("run", [0, 1]), ("rollback", 0)])
@example([("run", [0]), ("run", [1]), ("run", [3]), ("rollback", 1), ("rollback", 2), ("rollback", 0)])
@example([("run", [0, 2]), ("run", [3, 1]), ("rollback", 0), ("rollback", 1), ("reprocess", 0), ("rollback", 2)])
@example([("run", [0, 1]), ("refetch", 0), ("run", [3]), ("rollback", 1), ("rollback", 2)])
@example([("run", [1]), ("refetch", 0), ("refetch", 0), ("rollback", 0), ("rollback", 1), ("rollback", 2)])
@given(st.lists(RUNS | OTHERS, min_size=3, max_size=9))
def test_any_order_of_runs_rollbacks_reprocesses_and_refetches_ends_in_what_counts(
    operations: list[tuple[str, object]],
) -> None:
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
