"""KPIs of older definitions are built again: newest Dates first, a few per run, from their rows alone."""

import io
from collections.abc import Iterator
from datetime import date
from types import SimpleNamespace

import pytest

from appstore_analytics.contract.kpis import stored
from appstore_analytics.contract.kpis.stored import definitions
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.tables import curated_tables, tables_by_name
from appstore_analytics.lake.kpis.schema import DEFINITIONS
from appstore_analytics.lake.published import published_dates
from appstore_analytics.steps import older_kpis
from local.apple import World, WorldSettings
from operations import commands
from operations.commands.asked import Asked
from tests.aws_in_process import aws_in_process
from tests.integration.pipeline_in_process import DOWNLOADS, Pipeline

TABLE = tables_by_name()["downloads"]


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    """The state after three days, without any dirty Date."""
    with aws_in_process():
        world = World(WorldSettings(today=date(2025, 6, 3), apps=1, rows_per_date=4, segments_per_instance=1))
        made = Pipeline(world, reports=(DOWNLOADS,))
        made.whole()
        for _ in range(2):
            world.advance(1)
            made.whole()
        yield made


def current(pipeline: Pipeline) -> list[date]:
    """The Dates with KPIs of the current definitions."""
    heads = {day: pipeline.lake.head(TableDate("downloads", day).kpis_key) for day in dates(pipeline)}
    return [day for day, head in heads.items() if head and head.metadata[DEFINITIONS] == definitions(TABLE)]


def dates(pipeline: Pipeline) -> list[date]:
    return published_dates(pipeline.lake, TABLE)


def test_without_older_kpis_nothing_is_marked(pipeline: Pipeline) -> None:
    assert current(pipeline) == dates(pipeline)
    assert pipeline.registry.kpi_builds.planned_from("downloads", definitions(TABLE)) == date.min
    older_kpis.mark_older_kpis([TABLE], pipeline.registry, pipeline.lake)
    assert list(pipeline.registry.dirty_dates.of_table("downloads")) == []


def test_each_daily_run_builds_some_newest_first_and_none_is_left(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = pipeline.bytes_of("curated/")
    monkeypatch.setattr(stored, "_VERSION", "of tomorrow")
    monkeypatch.setattr(older_kpis, "DATES_OF_A_RUN", 2)
    every = dates(pipeline)
    assert len(every) > 2
    assert current(pipeline) == []
    for times in range(1, len(every)):
        pipeline.whole()  # on the same day: Apple has nothing new
        assert current(pipeline) == every[-2 * times :]
        if current(pipeline) == every:
            break
    assert current(pipeline) == every
    assert pipeline.bytes_of("curated/") == rows, "no row was written again"
    assert list(pipeline.registry.dirty_dates.of_table("downloads")) == []


def test_the_command_marks_every_date_of_the_tables_with_kpis(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = curated_tables((DOWNLOADS, "App Downloads Detailed"), pipeline.granularities)
    here = SimpleNamespace(tables=both, registry=pipeline.registry, lake=pipeline.lake)
    monkeypatch.setattr(Asked, "installation", lambda _: here)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(SystemExit) as end:
        commands.main(["rebuild-kpis", "--yes"])
    assert not end.value.code
    assert [marked.day for marked in pipeline.registry.dirty_dates.of_table("downloads")] == dates(pipeline)
