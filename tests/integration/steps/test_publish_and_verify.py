import json
from collections.abc import Callable
from datetime import date
from typing import Any
from unittest.mock import patch

import pytest

from appstore_analytics.contract.errors import QueryInterrupted
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.tables import APPSTORE_TABLES
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.run_notes import read_rows
from appstore_analytics.model.items import PublishItem, VerifyItem
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.registry.dirty_dates import DirtyDates
from appstore_analytics.registry.runs import Runs
from appstore_analytics.steps import publish_date as publish_step
from local.apple.model import Series
from local.apple.truth import newest_vintages
from tests.integration.pipeline_in_process import APP, DOWNLOADS, LakeAthena, Pipeline

DONE = {"outcome": "done"}
DAY = date(2025, 6, 1)
DIRTY = TableDate("downloads", DAY)


def landed(pipeline: Pipeline) -> RunPlan:
    """A plan whose instances have become parts."""
    pipeline.run(pipeline.plan(), MapName.REGISTER)
    pipeline.world.advance(1)
    plan = pipeline.plan()
    pipeline.run(plan, MapName.REGISTER, MapName.LAND)
    return plan


def published(pipeline: Pipeline) -> VerifyItem:
    plan = landed(pipeline)
    pipeline.run(plan, MapName.PUBLISH)
    item = VerifyItem(plan.run_id, "downloads")
    pipeline.registry.runs.plan(item)
    return item


def rows_of(pipeline: Pipeline, run_id: str, what: str) -> list[dict[str, Any]]:
    return [*read_rows(pipeline.lake, f"runs/{run_id}/{what}/")]


def columns(table: str) -> set[str]:
    return {name for each in APPSTORE_TABLES if each.name == table for name, _ in each.columns}


# publish_date


def test_a_dirty_date_is_published_and_stays_dirty_until_it_is_proved(pipeline: Pipeline) -> None:
    plan = landed(pipeline)
    item = PublishItem(plan.run_id, "downloads", DAY.isoformat())
    pipeline.registry.runs.plan(item)
    assert pipeline.publish(item) == DONE
    (truth,) = [batch for batch in newest_vintages(pipeline.world, DOWNLOADS) if batch.date == DAY]
    assert pipeline.batches("downloads") == {(APP, DAY): (truth.rows, truth.sums)}
    assert pipeline.registry.dirty_dates.token(DIRTY) is not None
    pipeline.run(plan, MapName.VERIFY)
    assert pipeline.registry.dirty_dates.token(DIRTY) is None
    record = pipeline.record(item)
    assert record.verdict is Verdict.PUBLISHED
    assert (record.facts["rows"], record.facts["batches_changed"]) == (truth.rows, 1)


def test_the_second_time_rewrites_nothing(pipeline: Pipeline) -> None:
    plan = landed(pipeline)
    item = PublishItem(plan.run_id, "downloads", DAY.isoformat())
    pipeline.publish(item)
    before = pipeline.lake.head(DIRTY.curated_key)
    pipeline.registry.dirty_dates.mark(DIRTY)
    again = PublishItem(pipeline.plan().run_id, "downloads", DAY.isoformat())
    assert pipeline.publish(again) == DONE
    assert pipeline.lake.head(DIRTY.curated_key) == before
    assert pipeline.record(again).verdict is Verdict.UNCHANGED
    assert rows_of(pipeline, again.run_id, "batches") == []


def test_a_part_that_is_written_meanwhile_keeps_the_date_dirty(pipeline: Pipeline) -> None:
    plan = landed(pipeline)
    publish = publish_step.publish

    def publish_and_be_overtaken(*arguments: Any) -> Any:
        publication = publish(*arguments)
        pipeline.registry.dirty_dates.mark(DIRTY)
        return publication

    with patch.object(publish_step, "publish", publish_and_be_overtaken):
        pipeline.run(plan, MapName.PUBLISH, MapName.VERIFY)
    assert [each.day for each in pipeline.registry.dirty_dates.of_table("downloads")] == [DAY]


def test_the_restatement_ledger_says_what_was_replaced(pipeline: Pipeline) -> None:
    pipeline.daily()
    pipeline.world.advance(1)
    pipeline.daily()
    pipeline.world.restate(Series(APP, DOWNLOADS, pipeline.granularities[0]), DAY)
    pipeline.world.advance(1)
    plan = pipeline.plan()
    pipeline.run(plan)
    (row,) = [row for row in rows_of(pipeline, plan.run_id, "batches") if row["date"] == "2025-06-01"]
    assert set(row) == columns("batches")
    assert (row["processing_date"], row["replaced_processing_date"]) == ("2025-06-04", "2025-06-03")
    assert row["replaced_rows"] > row["rows"] > 0
    assert (row["app_id"], row["access_type"]) == (int(APP), "ONGOING")
    assert (row["is_final"], row["replaced_is_final"]) == (True, True)
    pipeline.world.advance(1)
    later = pipeline.plan()
    pipeline.run(later)
    finality = {
        row["date"]: (row["is_final"], row["replaced_is_final"]) for row in rows_of(pipeline, later.run_id, "batches")
    }
    assert finality["2025-06-04"] == (False, None)
    assert finality["2025-06-03"] == (True, False)


def test_a_crash_behind_the_flip_loses_no_line_of_the_restatement_ledger(pipeline: Pipeline) -> None:
    plan = landed(pipeline)
    item = PublishItem(plan.run_id, "downloads", DAY.isoformat())
    with patch.object(Runs, "finish", side_effect=MemoryError), pytest.raises(MemoryError):
        pipeline.publish(item)
    assert pipeline.lake.head(DIRTY.curated_key) is not None
    pipeline.publish(item)
    (row,) = rows_of(pipeline, plan.run_id, "batches")
    assert row["date"] == DAY.isoformat()
    record = pipeline.record(item)
    assert (record.verdict, record.facts["batches_changed"]) == (Verdict.PUBLISHED, 1)


def test_a_run_that_publishes_a_date_twice_has_both_in_the_restatement_ledger(pipeline: Pipeline) -> None:
    plan = landed(pipeline)
    item = PublishItem(plan.run_id, "downloads", DAY.isoformat())
    pipeline.publish(item)
    part = pipeline.lake.head(DIRTY.part_key(APP))
    assert part is not None
    pipeline.lake.remove(part.key, expected=part.etag)
    pipeline.publish(item)
    assert [row["replaced_rows"] is None for row in rows_of(pipeline, plan.run_id, "batches")] == [True, False]


def test_who_announced_a_date_that_somebody_else_published_claims_nothing(pipeline: Pipeline) -> None:
    plan = landed(pipeline)
    item = PublishItem(plan.run_id, "downloads", DAY.isoformat())
    other = PublishItem(pipeline.plan().run_id, "downloads", DAY.isoformat())
    with patch.object(Bucket, "swap", side_effect=MemoryError), pytest.raises(MemoryError):
        pipeline.publish(item)
    assert len(rows_of(pipeline, plan.run_id, "batches")) == 1
    with patch("appstore_analytics.lake.merge.WRITER_VERSION", "another"):
        pipeline.publish(other)
        pipeline.publish(item)
    assert rows_of(pipeline, plan.run_id, "batches") == []
    assert pipeline.record(item).verdict is Verdict.UNCHANGED


def test_a_date_without_parts_loses_its_object_and_says_what_went(pipeline: Pipeline) -> None:
    plan = landed(pipeline)
    item = PublishItem(plan.run_id, "downloads", DAY.isoformat())
    pipeline.publish(item)
    part = pipeline.lake.head(DIRTY.part_key(APP))
    assert part is not None
    pipeline.lake.remove(part.key, expected=part.etag)
    later = PublishItem(pipeline.plan().run_id, "downloads", DAY.isoformat())
    with patch.object(DirtyDates, "token", side_effect=[None, None]):
        pipeline.publish(later)
        pipeline.publish(later)
    assert pipeline.lake.head(DIRTY.curated_key) is None
    (row,) = rows_of(pipeline, later.run_id, "batches")
    assert (row["processing_date"], row["replaced_processing_date"], row["rows"]) == (None, "2025-06-03", 0)
    assert pipeline.record(later).verdict is Verdict.PUBLISHED


# verify_table


def test_equal_counts_are_verified_batch_by_batch(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"apps": 2})
    item = published(pipeline)
    assert pipeline.verify(item) == DONE
    record = pipeline.record(item)
    assert record.verdict is Verdict.VERIFIED
    truth = newest_vintages(pipeline.world, DOWNLOADS)
    assert (record.facts["rows"], record.facts["batches"]) == (sum(batch.rows for batch in truth), 6)
    rows = rows_of(pipeline, item.run_id, "verification")
    assert [set(row) for row in rows] == [columns("verification")] * 6
    expected = {(int(batch.app_id), batch.date.isoformat(), batch.rows, batch.rows, True) for batch in truth}
    assert {
        (row["app_id"], row["date"], row["rows_expected"], row["rows_athena"], row["equal"]) for row in rows
    } == expected
    assert len(pipeline.athena.queries) == 1


def test_only_dates_of_this_run_are_counted(pipeline: Pipeline) -> None:
    pipeline.verify(published(pipeline))
    pipeline.world.advance(1)
    plan = pipeline.plan()
    pipeline.run(plan)
    assert "DATE '2025-05-31'" not in pipeline.athena.queries[-1]
    assert "DATE '2025-06-03'" in pipeline.athena.queries[-1]


class SpoiledAthena(LakeAthena):
    """Athena that loses or doubles rows of one app in its first answers."""

    spoiled_answers = 1

    def table(self, name: str) -> Any:
        table = super().table(name)
        if len(self.queries) > self.spoiled_answers:
            return table
        return table.slice(1)  # the first row of the first app is lost


def test_a_difference_is_asked_once_more_only_for_its_dates(pipeline: Pipeline) -> None:
    item = published(pipeline)
    pipeline.athena = SpoiledAthena(pipeline.lake)
    pipeline.verify(item)
    assert pipeline.record(item).verdict is Verdict.VERIFIED
    assert [query.count("DATE '") for query in pipeline.athena.queries] == [3, 1]
    assert len(rows_of(pipeline, item.run_id, "verification")) == 3


def test_kpis_that_are_not_the_sums_of_the_rows_are_a_mismatch(pipeline: Pipeline) -> None:
    item = published(pipeline)
    pipeline.verify(item)
    assert len(pipeline.athena.kpi_queries) == 1
    one, other = list(pipeline.lake.list("marts/kpis/"))[:2]
    standing = pipeline.lake.head(one.key)
    assert standing is not None
    pipeline.lake.write(one.key, pipeline.lake.read(other.key) or b"", metadata=standing.metadata)
    pipeline.verify(item)
    record = pipeline.record(item)
    assert record.verdict is Verdict.MISMATCH
    assert "KPI amount " in record.reason
    assert record.reason.endswith("in marts.kpis.")


def test_a_difference_that_stays_is_a_mismatch_with_the_apps_name(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"apps": 2})
    item = published(pipeline)
    pipeline.athena = SpoiledAthena(pipeline.lake)
    pipeline.athena.spoiled_answers = 2
    assert pipeline.verify(item) == DONE
    record = pipeline.record(item)
    assert record.verdict is Verdict.MISMATCH
    assert record.facts["apps_different"] == [int(APP)]
    assert "1 of 6 batches differ" in record.reason
    assert "rows expected" in record.reason
    (different,) = [row["date"] for row in rows_of(pipeline, item.run_id, "verification") if not row["equal"]]
    dirty = pipeline.registry.dirty_dates.of_table("downloads")
    assert [each.day.isoformat() for each in dirty] == [different]


def test_what_a_run_published_and_did_not_prove_the_next_run_proves(pipeline: Pipeline) -> None:
    published(pipeline)
    before = [(stored.key, stored.etag) for stored in pipeline.lake.list("curated/")]
    plan = pipeline.plan()
    pipeline.run(plan)
    assert len(rows_of(pipeline, plan.run_id, "verification")) == len(before) == 3
    assert [(stored.key, stored.etag) for stored in pipeline.lake.list("curated/")] == before
    assert list(pipeline.registry.dirty_dates.of_table("downloads")) == []


def test_rows_that_nobody_published_are_a_mismatch(pipeline: Pipeline) -> None:
    item = published(pipeline)
    doubled = pipeline.lake.read(DIRTY.curated_key) or b""
    pipeline.lake.write(TableDate("downloads", date(2025, 6, 2)).curated_key, doubled, metadata={"digest": "unknown"})
    pipeline.verify(item)
    assert pipeline.record(item).verdict is Verdict.MISMATCH


def interrupt() -> None:
    raise QueryInterrupted("An Athena query was interrupted: HIVE_CANNOT_OPEN_SPLIT")


def test_an_interrupted_query_is_asked_once_more(pipeline: Pipeline) -> None:
    item = published(pipeline)
    pipeline.athena.before_answer = [interrupt]
    pipeline.verify(item)
    assert pipeline.record(item).verdict is Verdict.VERIFIED
    pipeline.athena.before_answer = [interrupt, interrupt]
    with pytest.raises(QueryInterrupted):
        pipeline.verify(item)


def test_the_second_time_verifies_again_and_writes_the_same(pipeline: Pipeline) -> None:
    item = published(pipeline)
    pipeline.verify(item)
    before = rows_of(pipeline, item.run_id, "verification")
    pipeline.verify(item)
    assert rows_of(pipeline, item.run_id, "verification") == before


def test_every_vintage_of_a_table_without_a_rule_is_counted(start: Callable[..., Pipeline]) -> None:
    pipeline = start(reports=("App Crashes Expanded",))
    pipeline.daily()
    pipeline.world.advance(2)
    assert pipeline.daily()["status"] == "SUCCEEDED"
    rows = json.loads(json.dumps([*pipeline.batches("crashes_expanded_vintages")], default=str))
    assert rows
    assert "crashes_expanded_vintages" in pipeline.athena.queries[-1]
