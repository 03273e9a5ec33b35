"""An instance on which the converter dies twice is quarantined, and can be converted again after a person has acted."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

import pytest

from appstore_analytics.contract.errors import DownloadBroken, InstanceQuarantined
from appstore_analytics.contract.maps import MapName
from appstore_analytics.lake import conversion
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.model.instances import Attempt, InstanceStatus
from appstore_analytics.model.items import LandItem
from appstore_analytics.steps import convert_instance
from tests.call_points import DiedError
from tests.integration.pipeline_in_process import Pipeline

DONE = {"outcome": "done"}
AT_THE_FILE = (convert_instance, "convert")
AT_THE_PARTS = (Bucket, "swap")


@pytest.fixture
def item(pipeline: Pipeline) -> LandItem:
    (item,) = land_items(pipeline, first=True)
    pipeline.download(item)
    return item


def land_items(pipeline: Pipeline, *, first: bool = False) -> list[LandItem]:
    """The items that a new run plans to land; the first one also creates the report request."""
    if first:
        pipeline.run(pipeline.plan(), MapName.REGISTER)
    pipeline.world.advance(1)
    plan = pipeline.plan()
    pipeline.run(plan, MapName.REGISTER)
    return pipeline.land_items(plan)


@contextmanager
def deaths(place: tuple[object, str] = AT_THE_FILE, death: type[BaseException] = DiedError) -> Iterator[None]:
    with patch.object(*place, side_effect=death):
        yield


def dies(pipeline: Pipeline, item: LandItem, death: type[BaseException] = DiedError) -> None:
    pipeline.clock.pass_by(minutes=1)
    with deaths(death=death), pytest.raises(death):
        pipeline.convert(item)


@contextmanager
def later() -> Iterator[None]:
    """Move the start of everything begun before back by an hour."""
    begun = Attempt.from_text

    def an_hour_earlier(text: str) -> Attempt:
        attempt = begun(text)
        return Attempt(attempt.begun_at - timedelta(hours=1), attempt.run_id)

    with patch.object(Attempt, "from_text", an_hour_earlier):
        yield


@pytest.mark.parametrize("death", [DiedError, MemoryError])
def test_the_third_attempt_quarantines_what_the_function_died_of_twice(
    pipeline: Pipeline, item: LandItem, death: type[BaseException]
) -> None:
    dies(pipeline, item, death)
    dies(pipeline, item, death)
    with deaths(), pytest.raises(InstanceQuarantined, match=r"The converter died twice on the instance "):
        pipeline.convert(item)
    instance = pipeline.instance(item)
    assert (instance.status, instance.attempts) == (InstanceStatus.QUARANTINED, frozenset())
    assert pipeline.convert(item) == DONE
    assert pipeline.bytes_of("parts/") == {}


def test_a_death_in_each_of_two_runs_counts_too(pipeline: Pipeline, item: LandItem) -> None:
    for _ in range(2):
        (again,) = [each for each in land_items(pipeline) if each.vintage == item.vintage]
        with later():
            dies(pipeline, again)
    (third,) = [each for each in land_items(pipeline) if each.vintage == item.vintage]
    with later(), pytest.raises(InstanceQuarantined):
        pipeline.convert(third)
    assert item.vintage not in [each.vintage for each in land_items(pipeline)]


def test_deaths_while_parts_are_written_are_not_the_files_doing(pipeline: Pipeline, item: LandItem) -> None:
    for _ in range(3):
        with deaths(AT_THE_PARTS), pytest.raises(DiedError):
            pipeline.convert(item)
        assert pipeline.instance(item).attempts == frozenset()
    assert pipeline.convert(item) == DONE


def test_one_death_is_forgiven_and_forgotten_once_the_instance_is_converted(pipeline: Pipeline, item: LandItem) -> None:
    for _ in range(3):
        dies(pipeline, item)
        assert pipeline.convert(item) == DONE
        assert pipeline.instance(item).attempts == frozenset()


def test_an_error_is_no_death(pipeline: Pipeline, item: LandItem) -> None:
    for _ in range(3):
        with deaths(death=DownloadBroken), pytest.raises(DownloadBroken):
            pipeline.convert(item)
        assert pipeline.instance(item).attempts == frozenset()
    assert pipeline.convert(item) == DONE


def test_runs_that_convert_at_the_same_time_do_not_count_as_dead(pipeline: Pipeline, item: LandItem) -> None:
    instance = pipeline.instance(item)
    for run_id in ("another", "a third", "a fourth"):
        attempt = Attempt(pipeline.clock(), run_id)
        pipeline.registry.instances._change_attempts("ADD", instance, {str(attempt)})
    assert pipeline.convert(item) == DONE


def test_a_reprocess_tries_again_twice(pipeline: Pipeline, item: LandItem) -> None:
    for _ in range(2):
        dies(pipeline, item)
    with pytest.raises(InstanceQuarantined):
        pipeline.convert(item)
    plan = pipeline.whole(operation="reprocess")
    assert pipeline.instance(item).status is InstanceStatus.CONVERTED
    assert pipeline.report()["status"] == "SUCCEEDED", plan


def test_a_converted_instance_that_kills_a_reprocess_keeps_its_parts(pipeline: Pipeline, item: LandItem) -> None:
    pipeline.convert(item)
    before = pipeline.bytes_of("parts/")
    for _ in range(2):
        dies(pipeline, item)
    with pytest.raises(InstanceQuarantined):
        pipeline.convert(item)
    assert pipeline.bytes_of("parts/") == before
    assert pipeline.instance(item).status is InstanceStatus.CONVERTED
    assert pipeline.convert(item) == DONE


def test_the_attempt_is_in_the_ledger_before_the_file_is_read(pipeline: Pipeline, item: LandItem) -> None:
    seen = []

    def look(*arguments: object) -> conversion.Conversion:
        seen.append({attempt.run_id for attempt in pipeline.instance(item).attempts})
        return conversion.convert(*arguments)  # type: ignore[arg-type]

    with patch.object(convert_instance, "convert", look):
        pipeline.convert(item)
    assert seen == [{item.run_id}]


def test_the_run_that_gives_up_fails_with_the_reason_and_publishes_the_rest(pipeline: Pipeline, item: LandItem) -> None:
    for _ in range(2):
        dies(pipeline, item)
    with later():
        pipeline.world.advance(1)
        plan = pipeline.plan()
        pipeline.run(plan)
    assert pipeline.summarize(plan)["status"] == "FAILED"
    (error,) = pipeline.report()["errors"]
    assert (error["verdict"], "twice" in error["reason"]) == ("quarantined", True)
    assert len(pipeline.bytes_of("curated/")) == 3
