"""A random history of days: Apple's behaviour, failures, and the expected contents of the tables, row by row.

Apple restates Dates, sends files late, twice or without a Date, spells cells oddly and stops requests; calls, links and
files fail; the hourly quota is small; runs are killed between any two items; the registry loses an app. The expected
contents come only from the simulated Apple: for each Date all rows of the newest instance that was ever converted.
"""

import io
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pyarrow.parquet as pq

from appstore_analytics.contract.catalogue import REPORTS_BY_NAME
from appstore_analytics.contract.catalogue.definition import (
    AccessType,
    Column,
    ColumnType,
    Granularity,
    ReportDefinition,
)
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.model.instances import InstanceStatus
from appstore_analytics.registry.keys import app_partition
from local.apple import World, WorldSettings
from local.apple import segments as simulated_segments
from local.apple.data import Row
from local.apple.model import Instance, Series
from tests.integration.faults.state_machine_in_process import StateMachine
from tests.integration.faults.test_faults_by_probability import FAULTS
from tests.integration.pipeline_in_process import MAPS_OF, Pipeline

BEGIN = date(2025, 6, 17)
REPORTS = ("App Store Purchases Standard", "App Crashes Expanded")
QUIET_DAYS = 7
"""Enough days for Apple's delays, for a silent request to be checked and created again, and for its first data."""
CALLS_PER_HOUR = 90
_FAULTS_AT_ONCE = 6
_SPELLINGS = {
    ColumnType.INT64: (" {}", "{} ", "+{}", "00{}", "{}.0", "{}."),
    ColumnType.MONEY: (" {}", "+{}", "0{}", "{}e0", "{}000"),
    ColumnType.DATE: (" {}", "{} "),
}


@dataclass
class History:
    """One history. `happened` counts its events, `converted` has all instances that were ever converted."""

    seed: int
    days: int
    happened: Counter[str] = field(default_factory=Counter)
    converted: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._draw = random.Random(self.seed)  # noqa: S311 (a reproducible history)
        settings = WorldSettings(BEGIN, self.seed, apps=2, rows_per_date=4, dates_per_instance=3, readiness_days=0)
        self.world = World(settings)
        self.machine = StateMachine(
            self.world, reports=REPORTS, calls_per_hour=CALLS_PER_HOUR, app_ids=tuple(self.world.apps)
        )

    def play(self) -> list[str]:
        """Run it, in its own AWS. Returns the differences between the tables and Apple's data, a line each."""
        with patch.object(simulated_segments, "segment_bytes", oddly_spelled):
            for _ in range(self.days):
                self.world.advance()
                self._happen()
                self._work()
            self.world.faults.clear()
            for _ in range(QUIET_DAYS):
                self.world.advance()
                self._note_converted()
                self.machine.day()
            self._note_converted()
        return [*self._differences(), *self._unexplained()]

    def _happen(self) -> None:
        for event in self._draw.sample(
            [self._restate, self._delay, self._repeat, self._skip, self._stop, self._lose], 2
        ):
            event(self._draw.choice(self.machine.app_ids))
        self.world.faults.clear()
        for fault in self._draw.sample(FAULTS, _FAULTS_AT_ONCE):
            self.world.faults.order(fault)

    def _series(self, app_id: str) -> Series:
        return Series(app_id, self._draw.choice(REPORTS), Granularity.DAILY)

    def _restate(self, app_id: str) -> None:
        self.happened["restatement"] += 1
        self.world.restate(self._series(app_id), self.world.today - timedelta(days=self._draw.randint(2, 6)))

    def _delay(self, app_id: str) -> None:
        self.happened["delay"] += 1
        tomorrow = self.world.today + timedelta(days=1)
        self.world.delay_instance(self._series(app_id), tomorrow, tomorrow + timedelta(days=self._draw.randint(1, 3)))

    def _repeat(self, app_id: str) -> None:
        self.happened["repetition"] += 1
        self.world.repeat_instance(self._series(app_id), self.world.today + timedelta(days=1))

    def _skip(self, app_id: str) -> None:
        self.happened["skipped Date"] += 1
        self.world.skip_date(self._series(app_id), self.world.today)

    def _stop(self, app_id: str) -> None:
        if any(each.access_type is AccessType.ONGOING for each in self.world.requests_of(app_id)):
            self.happened["stopped request"] += 1
            self.world.stop_request(app_id)

    def _lose(self, app_id: str) -> None:
        """The registry loses everything about an app: its request, its ledger and its refused entries."""
        self.happened["lost state"] += 1
        self._note_converted()
        table = self.machine.registry.table
        for item in table.scan(ConsistentRead=True)["Items"]:
            if item["pk"] == app_partition(app_id):
                table.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})

    def _work(self) -> None:
        """A run, two in turn, or one that is killed and leaves the rest to the next."""
        kind = self._draw.choice(("one run", "two runs", "killed run"))
        self.happened[kind] += 1
        if kind == "killed run":
            self._killed_run()
            return
        self.machine.day()
        if kind == "two runs":
            self.machine.day()

    def _killed_run(self) -> None:
        left = self._draw.randint(0, 8)
        run_map = Pipeline.run_map

        def some(machine: Pipeline, map_name: MapName, manifest: list[dict[str, str]]) -> None:
            nonlocal left
            run_map(machine, map_name, manifest[:left])
            left = max(left - len(manifest), 0)

        plan = self.machine.plan()
        with patch.object(Pipeline, "run_map", some):
            self.machine.run(plan, *MAPS_OF[plan.operation])

    def _note_converted(self) -> None:
        self.converted |= {
            each.vintage.instance_id
            for app in self.machine.app_ids
            for each in self.machine.registry.instances.since(app, AccessType.ONGOING, date.min)
            if each.status is InstanceStatus.CONVERTED
        }

    def _differences(self) -> Iterator[str]:
        for name in REPORTS:
            table = CuratedTable(REPORTS_BY_NAME[name], Granularity.DAILY)
            expected, found = Counter(self._truth(table)), Counter(self._published(table))
            for row in expected - found:
                yield f"{table.name}: {row} is missing"
            for row in found - expected:
                yield f"{table.name}: {row} is too much"

    def _truth(self, table: CuratedTable) -> Iterator[tuple[str, ...]]:
        """The expected rows: app, processing date, cells; for `_vintages` tables those of all instances."""
        instances = self.world.every_instance(table.report.name, Granularity.DAILY)
        ours = sorted(
            (one for one in instances if one.id in self.converted), key=lambda one: (one.processing_date, one.id)
        )
        spoken_for: dict[tuple[str, date, str], Instance] = {}
        for one in ours:
            for day in one.dates:
                spoken_for[one.series.app_id, day, one.id if table.keeps_vintages else ""] = one
        for (app_id, day, _), one in spoken_for.items():
            for row in self.world.rows(one, day):
                yield (app_id, str(one.processing_date), *_as_read(table.report, row))

    def _published(self, table: CuratedTable) -> Iterator[tuple[str, ...]]:
        lake = self.machine.lake
        for stored in lake.list(f"curated/{table.name}/"):
            for row in pq.read_table(io.BytesIO(lake.read(stored.key) or b"")).to_pylist():
                cells = (_as_stored(row[column.name]) for column in table.report.columns)
                yield (str(row["app_id"]), str(row["processing_date"]), *cells)

    def _unexplained(self) -> Iterator[str]:
        """Instances that Apple still lists, and that are neither in the tables nor reported."""
        told = (InstanceStatus.CONVERTED, InstanceStatus.QUARANTINED, InstanceStatus.EXPIRED)
        for app in self.machine.app_ids:
            requests = self.world.requests_of(app)
            if len([each for each in requests if each.access_type is AccessType.ONGOING]) != 1:
                yield f"{app}: {len(requests)} report requests"
            known = {
                each.vintage.instance_id: each.status
                for each in self.machine.registry.instances.since(app, AccessType.ONGOING, date.min)
            }
            for name in REPORTS:
                for request in requests:
                    listed = self.world.listed_instances(request, REPORTS_BY_NAME[name])
                    for one in (each for each in listed if each.series.granularity is Granularity.DAILY):
                        if known.get(one.id) not in told and one.id not in self.converted:
                            yield f"{app}, {name}, {one.processing_date}: {known.get(one.id, 'never listed')}"


def oddly_spelled(report: ReportDefinition, rows: Sequence[Row], faults: Any = ()) -> bytes:
    """The file of these rows, in which a third of the cells has another spelling with the same meaning."""
    draw = random.Random(repr(rows))  # noqa: S311 (the same file whenever it is asked for)
    odd = [
        tuple(_spelled(column, cell, draw) for column, cell in zip(report.columns, row, strict=True)) for row in rows
    ]
    return _segment_bytes(report, odd, faults)


_segment_bytes = simulated_segments.segment_bytes


def _spelled(column: Column, cell: str, draw: random.Random) -> str:
    if draw.random() > 1 / 3:
        return cell
    if not cell:
        return draw.choice(("", " ", "\u00a0"))
    spellings = _SPELLINGS.get(column.type)
    if not spellings or cell.startswith("-"):
        return cell
    spelled = draw.choice(spellings).format(cell)
    return spelled if "." in cell or not spelled.endswith("000") else cell


def _as_read(report: ReportDefinition, row: Row) -> Iterator[str]:
    for column, cell in zip(report.columns, row, strict=True):
        if cell and column.type is ColumnType.MONEY:
            yield f"{Decimal(cell).quantize(Decimal('0.000001')):f}"
        elif cell and column.type is ColumnType.FLOAT64:
            yield repr(float(cell))
        else:
            yield cell


def _as_stored(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)
