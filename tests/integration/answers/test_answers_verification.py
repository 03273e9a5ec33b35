"""`verify`: what was converted against what Athena counts."""

from collections.abc import Collection, Iterator
from datetime import date

import pytest
from asking import days, tables

from appstore_analytics.answers.schema import EQUAL
from appstore_analytics.answers.verification import Verification, verify
from appstore_analytics.contract.layout import TableDate
from local.apple import World, WorldSettings
from tests.aws_in_process import aws_in_process
from tests.integration.pipeline_in_process import APP, Pipeline

OTHER = "1000000002"
TODAY = date(2025, 6, 5)


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    with aws_in_process():
        pipeline = Pipeline(World(WorldSettings(today=date(2025, 6, 1), apps=2, rows_per_date=4)))
        days(pipeline, 4)
        assert pipeline.world.today == TODAY
        yield pipeline


def verified(
    pipeline: Pipeline, start: date = date(2025, 6, 1), app_ids: Collection[str] | None = None
) -> Verification:
    return verify(tables(pipeline), start, TODAY, pipeline.lake, pipeline.athena, app_ids)  # type: ignore[arg-type]


def test_athena_agrees_with_what_stands_published(pipeline: Pipeline) -> None:
    found = verified(pipeline)
    assert found.is_good
    assert [table.verdict for table in found.tables] == [EQUAL]
    assert found.tables[0].rows_expected == found.tables[0].rows_athena > 0


def test_an_object_that_somebody_replaced_is_named_by_date_and_app(pipeline: Pipeline) -> None:
    other, day = (TableDate("downloads", day) for day in (date(2025, 6, 2), date(2025, 6, 3)))
    stored = pipeline.lake.head(day.curated_key)
    whole = pipeline.lake.read(day.curated_key)
    assert whole
    pipeline.lake.write(day.curated_key, pipeline.lake.read(other.curated_key) or b"", metadata=stored.metadata)
    try:
        found = verified(pipeline)
    finally:
        pipeline.lake.write(day.curated_key, whole, metadata=stored.metadata)
    assert not found.is_good
    assert {(one.table_name, one.date) for one in found.differences} == {("downloads", day.day)}
    assert {one.app_id for one in found.differences} <= {APP, OTHER}


def test_where_nothing_is_published_nothing_is_claimed(pipeline: Pipeline) -> None:
    assert verified(pipeline, start=TODAY).sentence == "Nothing is published in this range."


def test_only_the_asked_apps_are_compared(pipeline: Pipeline) -> None:
    everything, of_one, of_none = (verified(pipeline, app_ids=app_ids) for app_ids in (None, {APP}, set()))
    assert 0 < of_one.tables[0].rows_expected < everything.tables[0].rows_expected
    assert of_none.sentence == "Nothing is published of these apps in this range."
