"""Two vintages of one Date, written and published at the same time by threads that can die at any call."""

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.parts import PartFile, write_parts
from appstore_analytics.lake.publication import publish
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.registry import Registry
from tests.aws_in_process import aws_in_process, new_bucket, new_registry
from tests.call_points import Call, DiedError, every_call_seen_by
from tests.lake_samples import APP, DAY, ENGAGEMENT, converted, row, tsv, vintage

CALLS_OF_A_WRITER = 10
"""At least the number of calls of one thread; a larger drawn number lets the thread survive."""


@dataclass(frozen=True)
class Writer:
    """One converter and publisher of one Date."""

    vintage: Vintage
    part: PartFile

    def convert_and_publish(self, registry: Registry, lake: Bucket) -> None:
        """convert_instance and then publish_date for one Date."""
        table_date = TableDate(ENGAGEMENT.name, self.part.day)
        write_parts(lake, ENGAGEMENT, APP, self.vintage, [self.part], _Unjournalled())
        registry.dirty_dates.mark(table_date)
        token = registry.dirty_dates.token(table_date)
        with TemporaryDirectory() as scratch:
            publish(lake, ENGAGEMENT, self.part.day, Path(scratch))
        registry.dirty_dates.clear(table_date, str(token))


class _Unjournalled:
    """No rollback of these writers happens."""

    run_id = "20250604T100000000Z-round"

    def note(self, *_: object) -> None:
        pass

    def is_taken_back(self, *_: object) -> bool:
        return False


class RandomDeaths:
    """Lets some threads die before or after one of their calls."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._left: dict[int, tuple[int, bool]] = {}
        self.deaths = 0

    def born(self) -> None:
        """Choose when this thread dies; it may survive."""
        self._left[threading.get_ident()] = self._chance.randrange(2 * CALLS_OF_A_WRITER), self._chance.random() < 0.5

    def before(self, call: Call) -> None:
        del call
        self._live(is_after=False)

    def after(self, call: Call) -> None:
        del call
        self._live(is_after=True)

    def _live(self, *, is_after: bool) -> None:
        calls, dies_after = self._left.get(threading.get_ident(), (-1, False))
        if calls == 0 and dies_after is is_after:
            self.deaths += 1
            raise DiedError
        if is_after and calls > 0:
            self._left[threading.get_ident()] = calls - 1, dies_after


def rounds(count: int, seed: int = 7) -> Iterator[tuple[str, str, int]]:
    """Run this many rounds. Returns each round's ETag, that of a sequential run, and the number of deaths."""
    chance = random.Random(seed)  # noqa: S311 (an order, not a secret)
    with TemporaryDirectory() as folder, aws_in_process():
        writers = [_writer(Path(folder), 21, rows=3), _writer(Path(folder), 22, rows=2)]
        registry, lake, alone = new_registry(), new_bucket("lake"), new_bucket("alone")
        for number in range(count):
            on_this_date = [replace(each, part=replace(each.part, day=_day(number))) for each in writers]
            deaths = RandomDeaths(chance)
            with every_call_seen_by(deaths):
                _at_once(on_this_date, lambda writer, deaths=deaths: _live(writer, deaths, registry, lake), chance)
            for writer in chance.sample(on_this_date, 2):  # the next run repeats what is not known to be done
                writer.convert_and_publish(registry, lake)
            for writer in on_this_date:
                writer.convert_and_publish(registry, alone)
            yield _etag(lake, _day(number)), _etag(alone, _day(number)), deaths.deaths


def _live(writer: Writer, deaths: RandomDeaths, registry: Registry, lake: Bucket) -> None:
    deaths.born()
    try:
        writer.convert_and_publish(registry, lake)
    except DiedError:
        return


def _at_once(writers: list[Writer], work: Callable[[Writer], None], chance: random.Random) -> None:
    gate = threading.Barrier(len(writers))

    def start(writer: Writer) -> None:
        gate.wait()
        work(writer)

    with ThreadPoolExecutor(len(writers)) as pool:
        for ended in [pool.submit(start, writer) for writer in chance.sample(writers, len(writers))]:
            ended.result()


def _writer(folder: Path, processing_day: int, rows: int) -> Writer:
    of = vintage(processing_day, f"instance-{processing_day}", AccessType.ONGOING)
    lines = [row(ENGAGEMENT, counts=str(number + processing_day)) for number in range(rows)]
    (part,) = converted([tsv(lines)], folder / str(processing_day), of=of).parts
    assert part.day == DAY
    return Writer(of, part)


def _day(number: int) -> date:
    return DAY - timedelta(days=number)


def _etag(bucket: Bucket, day: date) -> str:
    stored = bucket.head(TableDate(ENGAGEMENT.name, day).curated_key)
    assert stored is not None
    return stored.etag
