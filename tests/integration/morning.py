"""The state of a pipeline on one morning, restored many times without repeating the days before."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

from appstore_analytics.lake.objects import Bucket
from local.apple import World
from tests.aws_in_process import aws_in_process
from tests.integration.pipeline_in_process import Pipeline


@dataclass(frozen=True, eq=False)
class Morning:
    """The contents of the registry and the buckets; `world` creates the same simulated account again."""

    world: Callable[[], World]
    reports: tuple[str, ...]
    now: datetime
    items: list[dict[str, Any]]
    objects: dict[str, list[tuple[str, bytes, dict[str, str]]]]

    @classmethod
    def after(cls, world: Callable[[], World], reports: tuple[str, ...], live: Callable[[Pipeline], None]) -> "Morning":
        """The morning after `live` ran with a new pipeline."""
        with aws_in_process():
            pipeline = Pipeline(world(), reports=reports)
            live(pipeline)
            objects = {bucket.name: list(_stored(bucket)) for bucket in (pipeline.raw, pipeline.lake)}
            items = pipeline.registry.table.scan()["Items"]
            return cls(world, reports, pipeline.clock.now, items, objects)

    @contextmanager
    def begin(self) -> Iterator[Pipeline]:
        """The pipeline of that morning with its own clock, which also ends claims."""
        with aws_in_process():
            pipeline = Pipeline(self.world(), reports=self.reports)
            pipeline.clock.now = max(self.now, datetime.combine(pipeline.world.today, time(1), UTC))
            with pipeline.registry.table.batch_writer() as writer:
                for item in self.items:
                    writer.put_item(Item=item)
            for bucket in (pipeline.raw, pipeline.lake):
                for key, body, metadata in self.objects[bucket.name]:
                    bucket.write(key, body, metadata=metadata)
            yield pipeline


def _stored(bucket: Bucket) -> Iterator[tuple[str, bytes, dict[str, str]]]:
    for stored in bucket.list(""):
        standing = bucket.head(stored.key)
        assert standing is not None
        yield stored.key, bucket.read(stored.key) or b"", dict(standing.metadata)
