from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from local.apple import World, WorldSettings
from tests.aws_in_process import aws_in_process
from tests.integration.pipeline_in_process import Pipeline


@pytest.fixture
def start() -> Iterator[Callable[..., Pipeline]]:
    """Starts a pipeline; `world` are the settings of its simulated account, all other arguments are the pipeline's."""

    def started(world: dict[str, Any] | None = None, **pipeline: Any) -> Pipeline:
        usual = {"today": date(2025, 6, 2), "apps": 1, "rows_per_date": 4, "segments_per_instance": 1}
        return Pipeline(World(WorldSettings(**usual | (world or {}))), **pipeline)

    with aws_in_process():
        yield started


@pytest.fixture
def pipeline(start: Callable[..., Pipeline]) -> Pipeline:
    return start()
