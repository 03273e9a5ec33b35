"""`publish` on a pipeline with data: the chosen Dates, marked only after confirmation, and the next run."""

import io
import json
from collections.abc import Iterator
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from asking import tables

from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.publishing import DatesToPublish, PublishPlan, mark_planned, plan_publish
from appstore_analytics.contract.layout import TableDate
from local.apple import World, WorldSettings
from operations import commands
from operations.commands.asked import Asked
from operations.exits import ExitStatus
from tests.aws_in_process import aws_in_process
from tests.integration.pipeline_in_process import DOWNLOADS, Pipeline

FIRST, LAST = date(2025, 6, 1), date(2025, 6, 2)
RANGE = ("--from", FIRST.isoformat(), "--to", LAST.isoformat())


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    with aws_in_process():
        world = World(WorldSettings(today=date(2025, 6, 3), apps=1, rows_per_date=4, segments_per_instance=1))
        made = Pipeline(world, reports=(DOWNLOADS,))
        for _ in range(3):
            made.whole()
            world.advance(1)
        assert dirty(made) == []
        yield made


def dirty(pipeline: Pipeline) -> list[date]:
    return [marked.day for marked in pipeline.registry.dirty_dates.of_table("downloads")]


def planned(pipeline: Pipeline, first: date = FIRST, last: date = LAST) -> PublishPlan:
    return plan_publish(tables(pipeline), first, last, pipeline.registry, pipeline.lake)


def ended(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    here = SimpleNamespace(tables=tables(pipeline), registry=pipeline.registry, lake=pipeline.lake)
    monkeypatch.setattr(Asked, "installation", lambda _: here)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(SystemExit) as end:
        commands.main(["publish", "--tables", "downloads", *RANGE, *arguments])
    return int(end.value.code or 0)


def test_the_plan_names_dates_with_an_object_or_a_part_and_marks_none(pipeline: Pipeline) -> None:
    lost = TableDate("downloads", LAST).curated_key
    stored = pipeline.lake.head(lost)
    assert stored
    pipeline.lake.remove(lost, expected=stored.etag)
    pipeline.registry.dirty_dates.mark(TableDate("downloads", FIRST))
    plan = planned(pipeline)
    assert plan.tables == (DatesToPublish("downloads", dates=2, dirty=1, first=FIRST, last=LAST),)
    assert (plan.is_good, plan.is_marked) == (True, False)
    assert plan.sentence == "2 Dates in 1 table to mark dirty. The next run publishes and verifies them."
    assert dirty(pipeline) == [FIRST]


def test_a_range_without_data_and_one_that_runs_backwards_mark_nothing(pipeline: Pipeline) -> None:
    nothing = planned(pipeline, date(2031, 1, 1), date(2031, 1, 31))
    assert (nothing.is_good, nothing.tables) == (False, ())
    mark_planned(nothing, tables(pipeline), pipeline.registry, pipeline.lake)
    with pytest.raises(Refused, match="--from 2025-06-02 must not be after --to 2025-06-01"):
        planned(pipeline, LAST, FIRST)
    assert dirty(pipeline) == []


def test_only_with_consent_are_dates_marked(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(pipeline, monkeypatch) == ExitStatus.GOOD
    assert "Nothing was marked. Pass --yes to mark them." in capsys.readouterr().err
    assert dirty(pipeline) == []
    assert ended(pipeline, monkeypatch, "--yes", "--json") == ExitStatus.GOOD
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (answer["is_marked"], answer["tables"][0]["dates"]) == (True, 2)
    assert dirty(pipeline) == [FIRST, LAST]


def test_the_next_run_rebuilds_a_damaged_object_and_takes_the_marks_away(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = TableDate("downloads", LAST).curated_key
    sound = pipeline.lake.read(key)
    stored = pipeline.lake.head(key)
    assert stored
    pipeline.lake.remove(key, expected=stored.etag)
    assert ended(pipeline, monkeypatch, "--yes") == ExitStatus.GOOD
    pipeline.whole()
    assert pipeline.lake.read(key) == sound
    assert dirty(pipeline) == []
