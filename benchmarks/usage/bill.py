"""The bill of a month from what AWS counts. Values that cannot be counted here are assumed: the response times of AWS.

Lambda bills the time in which a function waits, so its memory matters most where it waits most.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from math import ceil
from typing import Any

from appstore_analytics.contract import prices
from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.maps import ITEMS_OF_A_BATCH, MapName
from appstore_analytics.contract.metrics import Metric
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.prices import ATHENA_LEAST_MB, DAYS_OF_A_MONTH, HOURS_OF_A_MONTH, Price
from appstore_analytics.contract.tables import curated_tables
from appstore_analytics.lake import merge
from appstore_analytics.lake.kpis import compaction
from appstore_analytics.registry.runs import REMEMBERED
from appstore_analytics.rules.call_budget import calls_needed, calls_per_day, ceiling
from appstore_analytics.rules.due import LOOK_AGAIN_DAYS
from appstore_analytics.rules.freshness import DATES_LOOKED_AT, look_back_days
from appstore_analytics.rules.releases import MOST_APPS_OF_A_DAY
from benchmarks.results import RESULTS
from benchmarks.usage.counting import DayCounted, Linear, Stored, Unit, lines_of
from benchmarks.usage.deployment import Deployed, MapWalked, Walked, walk

SECONDS: Mapping[str, float] = {
    "a read of S3": 0.020,
    "a write or listing of S3": 0.040,
    "a request to DynamoDB": 0.006,
    "a call to Apple": 0.300,
    "a file from Apple": 0.150,
    "a query of Athena": 3.000,
    "CPU of a call to AWS": 0.003,
    "CPU of a Lambda call": 0.003,
    "Step Functions between two states": 0.050,
    "CPU of a million rows' KPIs": 0.5,
}
"""Assumptions: usual waiting times within a region, boto3's own work on one vCPU, and that of making months of KPIs."""

VCPU_GB = 1769 / 1024
"""The memory that comes with one vCPU (Lambda Developer Guide, "Configure memory"); less gets a share of one."""

LOG_BYTES_OF_A_CALL = 500
"""START, END and REPORT; the functions log nothing if all goes well."""

LOG_BYTES_OF_A_METRIC = 400
HOURLY_METRICS = len((Metric.FEEDS_FRESH, Metric.FEEDS_STALE))
METRICS_OF_TROUBLE = len((Metric.APPLE_REFUSALS, Metric.BUDGET_EXHAUSTED))
METRICS_OF_A_RUN = len(Metric) - HOURLY_METRICS - METRICS_OF_TROUBLE
"""A metric is billed for the hours in which it is sent: one hour a day for the metrics of a run, none for metrics that
are sent only when something goes wrong."""

_QUERIES_OF_A_CHECK = 3
_DAYS_OF_REQUESTS = 15
_READS_OF_AN_OBJECT = 3  # Athena: footer, index, columns
_WRITES_OF_A_RESULT = 2  # the rows and their metadata
_GIGABYTE = 1e9
_EXPRESS_GB = 64 / 1024
_FETCHES_AT_ONCE: Mapping[str, int] = {
    "publish_date": merge.FETCHES_AT_ONCE,
    "compact_months": compaction.READS_AT_ONCE,
}
_DATES_OF_A_MONTH = 16  # of the current one, on average over its days
_YEAR_DAYS = 365


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that AWS counts, in a month."""

    price: Price
    count: float

    @property
    def us_dollars(self) -> float:
        """At the list price."""
        return self.price.of(self.count)

    @property
    def beyond_free(self) -> float:
        """In an account that uses AWS's permanent free tiers for nothing else."""
        return self.price.beyond_free(self.count)


@dataclass(frozen=True, slots=True)
class Model:
    """A deployment and a counted day of it, from which the bill of any number of apps follows."""

    deployed: Deployed
    reports: tuple[str, ...]
    units: Mapping[tuple[str, str], Linear]
    stored: Mapping[Stored, Linear]
    parts: Linear
    rows: Linear
    dates: int

    @classmethod
    def of(cls, deployed: Deployed, reports: tuple[str, ...], few: DayCounted, many: DayCounted) -> "Model":
        """From two counted days of the same reports."""

        def through(count_of_few: float, count_of_many: float) -> Linear:
            return Linear.through((few.apps, count_of_few), (many.apps, count_of_many))

        return cls(
            deployed,
            reports,
            lines_of(few, many),
            {kind: through(few.stored[kind], many.stored[kind]) for kind in Stored},
            through(few.parts, many.parts),
            through(few.rows, many.rows),
            many.dates,
        )

    def month(self, apps: int) -> list[Line]:
        """The bill of a month, without the dashboard and without storage."""
        counts: dict[Price, float] = defaultdict(float)
        for price, count in (*self._of_runs(apps), *self._of_watching(apps), *self._waits(apps)):
            counts[price] += count
        return [Line(price, count) for price, count in counts.items()]

    def storage(self, apps: int) -> list[Line]:
        """The cost of a month after a year of operation."""
        keep = self.deployed.configuration.retention
        day = {kind: line.of(apps) for kind, line in self.stored.items()}
        vintages = self.parts.of(apps) / max(1, apps * len(self.reports))
        lake = day[Stored.PARTS] + day[Stored.CURATED]
        s3 = (
            day[Stored.RAW] * min(keep.raw, _YEAR_DAYS)
            + lake * _YEAR_DAYS
            + lake * vintages * keep.noncurrent_lake
            + day[Stored.OTHER] * _YEAR_DAYS
        )
        items = day[Stored.ITEMS] * REMEMBERED.days  # nearly all of them are records of runs
        return [
            Line(prices.S3_GB_MONTHS, s3 / _GIGABYTE),
            Line(prices.DYNAMODB_GB_MONTHS, items / _GIGABYTE),
            Line(prices.DYNAMODB_BACKUP_GB_MONTHS, items / _GIGABYTE),
        ]

    def gb_seconds(self, step: str, apps: int, memory_gb: float | None = None) -> float:
        """The cost of a step on one day, with its memory or another size."""
        memory = self.deployed.memory_gb[step] if memory_gb is None else memory_gb
        return self._seconds(step, apps, memory) * memory

    def seconds_of_a_call(self, step: str, apps: int) -> float:
        """The seconds of one call of a step on a day of this many apps, including its share of the cold starts."""
        calls = self._unit(step, Unit.CALLS, apps)
        return self._seconds(step, apps) / calls if calls else 0.0

    def states(self, apps: int) -> Walked:
        """The states that a run enters."""
        return walk(self.deployed.definition, self._items(apps))

    # A month's counts, by cause

    def _of_runs(self, apps: int) -> Iterator[tuple[Price, float]]:
        for step in sorted({step for step, _ in self.units} & self.deployed.memory_gb.keys()):
            yield prices.LAMBDA_CALLS, self._unit(step, Unit.CALLS, apps) * DAYS_OF_A_MONTH
            yield prices.LAMBDA_GB_SECONDS, self.gb_seconds(step, apps) * DAYS_OF_A_MONTH
            disk = max(0.0, self.deployed.disk_gb[step] - 0.5)
            yield prices.LAMBDA_DISK_GB_SECONDS, self._seconds(step, apps) * disk * DAYS_OF_A_MONTH
            yield prices.S3_WRITES, self._unit(step, Unit.S3_WRITES, apps) * DAYS_OF_A_MONTH
            yield prices.S3_READS, self._unit(step, Unit.S3_READS, apps) * DAYS_OF_A_MONTH
            yield prices.DYNAMODB_WRITES, self._unit(step, Unit.WRITE_UNITS, apps) * DAYS_OF_A_MONTH
            yield prices.DYNAMODB_READS, self._unit(step, Unit.READ_UNITS, apps) * DAYS_OF_A_MONTH
            yield prices.LOG_GB, self._unit(step, Unit.CALLS, apps) * DAYS_OF_A_MONTH * LOG_BYTES_OF_A_CALL / _GIGABYTE
        yield from self._of_the_state_machine(apps)
        yield from self._of_verifying(apps)

    def _of_the_state_machine(self, apps: int) -> Iterator[tuple[Price, float]]:
        items, walked = self._items(apps), self.states(apps)
        yield prices.TRANSITIONS, walked.transitions(items) * DAYS_OF_A_MONTH
        traces = 1.0
        for name, each in walked.maps.items():
            if not each.is_express:
                traces += each.children(items[name])
                continue
            children, seconds = each.children(items[name]), self._express_seconds(name, each, apps)
            yield prices.EXPRESS_REQUESTS, children * DAYS_OF_A_MONTH
            yield prices.EXPRESS_GB_SECONDS, seconds * _EXPRESS_GB * DAYS_OF_A_MONTH
            at_once = self.deployed.configuration.max_concurrency.of(MapName(name.upper()))
            traces += _sampled(children, seconds / at_once)
        yield prices.TRACES, traces * DAYS_OF_A_MONTH

    def _express_seconds(self, name: str, each: MapWalked, apps: int) -> float:
        """The total life of a Map's Express children: each lives until its slower lane ends, half an item later."""
        items = self._items(apps)[name]
        work = sum(self._seconds(step, apps) for step in MapName(name.upper()).traits.steps)
        work += each.states(items) * SECONDS["Step Functions between two states"]
        waiting = each.children(items) * work / max(1, items) * (each.items_at_once - 1) / 2
        return work / each.items_at_once + waiting

    def _of_verifying(self, apps: int) -> Iterator[tuple[Price, float]]:
        """A query reads a table's rows, and if it has KPIs, another reads those. Rows: all columns, at most."""
        tables, queries = len(self.reports), self._unit("verify_table", Unit.QUERIES, apps)
        scanned_mb = self.stored[Stored.CURATED].of(apps) / 1e6 * self._vintages / tables
        of_rows, of_kpis = tables * max(ATHENA_LEAST_MB, scanned_mb), (queries - tables) * ATHENA_LEAST_MB
        objects = self.dates * queries / tables
        yield prices.ATHENA_MB, (of_rows + of_kpis) * DAYS_OF_A_MONTH
        yield prices.S3_WRITES, (objects + queries * _WRITES_OF_A_RESULT) * DAYS_OF_A_MONTH
        yield prices.S3_READS, objects * _READS_OF_AN_OBJECT * DAYS_OF_A_MONTH

    def _of_watching(self, apps: int) -> Iterator[tuple[Price, float]]:
        yield prices.ALARMS, self.deployed.alarms
        yield prices.METRICS, HOURLY_METRICS + METRICS_OF_A_RUN / 24
        yield prices.SECRETS, self.deployed.secrets * self.keys(apps)
        yield prices.SECRET_READS, _SECRET_READS_A_DAY * DAYS_OF_A_MONTH
        yield prices.SCHEDULES, HOURS_OF_A_MONTH + DAYS_OF_A_MONTH
        tables = curated_tables(self.reports, self._granularities)
        listed = _DAYS_OF_REQUESTS + look_back_days(tables) + len(tables) * DATES_LOOKED_AT
        checks = HOURS_OF_A_MONTH
        seconds = _QUERIES_OF_A_CHECK * SECONDS["a query of Athena"] + self._cold_start("check_freshness")
        yield prices.ATHENA_MB, checks * _QUERIES_OF_A_CHECK * ATHENA_LEAST_MB
        yield prices.S3_WRITES, checks * (listed + _QUERIES_OF_A_CHECK * _WRITES_OF_A_RESULT + 1)
        yield prices.S3_READS, checks * listed * _READS_OF_AN_OBJECT
        yield prices.LAMBDA_CALLS, checks
        yield prices.LAMBDA_GB_SECONDS, checks * seconds * self.deployed.memory_gb["check_freshness"]
        logged = checks * (LOG_BYTES_OF_A_CALL + HOURLY_METRICS * LOG_BYTES_OF_A_METRIC)
        yield prices.LOG_GB, (logged + METRICS_OF_A_RUN * LOG_BYTES_OF_A_METRIC * DAYS_OF_A_MONTH) / _GIGABYTE
        yield prices.TRACES, checks

    def _waits(self, apps: int) -> Iterator[tuple[Price, float]]:
        """If a run needs more calls than an hour has, the first items try in vain, and then wait in the plan."""
        refused = self.refused_items(apps)
        if refused:
            passes = refused * DAYS_OF_A_MONTH
            memory = self.deployed.memory_gb["download_segments"]
            yield prices.LAMBDA_CALLS, passes
            yield prices.LAMBDA_GB_SECONDS, passes * memory * _REFUSED_SECONDS
            yield prices.S3_READS, passes
            yield prices.DYNAMODB_WRITES, passes * _REFUSED_WRITES
            yield prices.DYNAMODB_READS, passes * _REFUSED_READS
            children = passes / ITEMS_OF_A_BATCH
            yield prices.TRANSITIONS, children
            yield prices.EXPRESS_REQUESTS, children
            yield prices.EXPRESS_GB_SECONDS, passes * _EXPRESS_GB * _REFUSED_SECONDS

    def refused_items(self, apps: int) -> float:
        """The number of items of a day that find no calls left, for all keys together."""
        per_key = apps / self.keys(apps)
        hour = ceiling(self.deployed.configuration.calls_per_hour, Operation.DAILY)
        refused = 0.0
        for items, calls in ((per_key, len(self.reports)), (per_key * len(self.reports), 1)):
            refused += max(0.0, items - hour / calls)
        return refused * self.keys(apps)

    def keys(self, apps: int) -> int:
        """The number of API keys that this many apps need."""
        releases = self.deployed.configuration.releases
        calls = calls_needed(apps, len(self.reports), releases=releases) + apps / LOOK_AGAIN_DAYS
        return max(1, ceil(calls / calls_per_day(self.deployed.configuration.calls_per_hour)))

    # The inputs of the counts

    @property
    def _granularities(self) -> tuple[Granularity, ...]:
        return self.deployed.configuration.granularities

    @property
    def _vintages(self) -> float:
        """The number of Dates of an instance: a Date is published this often before it is final."""
        return self.parts.per_app / len(self.reports)

    def _items(self, apps: int) -> dict[str, int]:
        reports = len(self.reports)
        return {"Register": apps, "Land": apps * reports, "Publish": self.dates, "Verify": reports}

    def _unit(self, step: str, unit: Unit, apps: int) -> float:
        line = self.units.get((step, unit))
        if step == "list_releases" and unit is not Unit.READ_UNITS:  # it reads what is known of every app
            apps = min(apps, MOST_APPS_OF_A_DAY)
        return line.of(apps) if line else 0.0

    def _seconds(self, step: str, apps: int, memory_gb: float | None = None) -> float:
        """The duration of all calls of a step on one day: waiting, and computing on its share of a vCPU."""
        share = min(1.0, (self.deployed.memory_gb[step] if memory_gb is None else memory_gb) / VCPU_GB)
        reads, writes = (self._unit(step, unit, apps) for unit in (Unit.S3_READS, Unit.S3_WRITES))
        requests, calls = (self._unit(step, unit, apps) for unit in (Unit.REQUESTS, Unit.CALLS))
        apple = self._unit(step, Unit.APPLE_CALLS, apps)
        waits = (
            reads * SECONDS["a read of S3"] / _FETCHES_AT_ONCE.get(step, 1)
            + writes * SECONDS["a write or listing of S3"]
            + requests * SECONDS["a request to DynamoDB"]
            + apple * SECONDS["a call to Apple"]
            + (calls * SECONDS["a file from Apple"] if step == "download_segments" else 0)
            + self._unit(step, Unit.QUERIES, apps) * SECONDS["a query of Athena"]
        )
        cpu = (
            (reads + writes + requests + apple) * SECONDS["CPU of a call to AWS"]
            + calls * SECONDS["CPU of a Lambda call"]
            + self._cpu_of_rows(step, apps)
        )
        starts = min(calls, self._environments(step)) * self._cold_start(step, share)
        return waits + cpu / share + starts

    def _cpu_of_rows(self, step: str, apps: int) -> float:
        """From the kept results of the benchmarks of conversion and publication."""
        if step == "convert_instance":
            return self.rows.of(apps) * _cpu_per_row()
        if step == "publish_date":
            return self.parts.of(apps) * _cpu_per_part()
        if step == "compact_months":
            rows_of_a_date = self.rows.of(apps) / max(1, self.dates)
            return rows_of_a_date * _DATES_OF_A_MONTH * len(self.reports) * SECONDS["CPU of a million rows' KPIs"] / 1e6
        return 0.0

    def _environments(self, step: str) -> int:
        """The cold starts of a day's run: one per concurrent function."""
        map_name = next((name for name in MapName if step in name.traits.steps), None)
        return self.deployed.configuration.max_concurrency.of(map_name) if map_name else 1

    def _cold_start(self, step: str, share: float | None = None) -> float:
        share = min(1.0, self.deployed.memory_gb[step] / VCPU_GB) if share is None else share
        return float(_kept("cold_start")["functions"][step]["cpu_seconds"]) / share


_SECRET_READS_A_DAY = 40
_REFUSED_SECONDS = 0.1
_REFUSED_WRITES = 6  # two reservations that fail, on an item of up to 3 KB
_REFUSED_READS = 3


def _sampled(started: int, within_seconds: float) -> float:
    """The traces that X-Ray records by its default rule: one per second, and 5 % of the others (Developer Guide)."""
    first = min(started, within_seconds)
    return first + 0.05 * (started - first)


@cache
def _kept(name: str) -> Any:
    """The last full result of another benchmark."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def _cpu_per_row() -> float:
    """Converting a small file, so that the fixed cost of each file is included."""
    smallest = min(_kept("convert")["ours"]["whole"], key=lambda one: one["rows"])
    return float(smallest["cpu_seconds"] / smallest["rows"])


def _cpu_per_part() -> float:
    """Publishing many small parts."""
    most = max(_kept("publish")["publish"], key=lambda one: one["parts"])
    return float(most["cpu_seconds"] / most["parts"])
