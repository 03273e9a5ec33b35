import gzip
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from appstore_analytics.apple.client import AppStoreConnect
from appstore_analytics.contract.catalogue.definition import Column, snake_case
from appstore_analytics.contract.configuration import Account, Configuration
from appstore_analytics.contract.errors import InputRefused
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.schema_modes import SchemaModes
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.lake.parts import part_version
from appstore_analytics.lake.run_notes import read_plan
from appstore_analytics.model.instances import InstanceStatus
from appstore_analytics.model.items import LandItem
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.steps.plan_run import plan_run
from local.apple import FaultKind
from local.apple.files import NEW_HEADER
from tests.integration.pipeline_in_process import APP, CRASHES, DOWNLOADS, Pipeline


def lake(pipeline: Pipeline) -> dict[str, str]:
    return pipeline.bytes_of("parts/") | pipeline.bytes_of("curated/")


def apple_calls(pipeline: Pipeline) -> int:
    return sum(sum(counts.values()) for counts in pipeline.world.statistics.by_route().values())


def delete(pipeline: Pipeline, prefix: str) -> None:
    for key in pipeline.bytes_of(prefix):
        pipeline.lake._client.delete_object(Bucket=pipeline.lake.name, Key=key)


def test_everything_is_reprocessed_without_apple_to_the_same_bytes(start: Callable[..., Pipeline]) -> None:
    pipeline = start(reports=(DOWNLOADS, CRASHES))
    pipeline.whole()
    pipeline.world.advance(2)
    pipeline.whole()
    before, calls = lake(pipeline), apple_calls(pipeline)
    pipeline.whole(operation="reprocess")
    report = pipeline.report()
    assert lake(pipeline) == before
    assert report["instances"] > 0
    assert (report["parts_written"], report["parts_replaced"], report["apple_calls"]) == (0, 0, 0)
    for prefix in ("parts/", "curated/"):
        delete(pipeline, prefix)
    pipeline.whole(operation="reprocess")
    assert lake(pipeline) == before
    assert apple_calls(pipeline) == calls


def test_a_reprocess_brings_a_rolled_back_run_back(pipeline: Pipeline, days: list[RunPlan]) -> None:
    before, calls = lake(pipeline), apple_calls(pipeline)
    pipeline.rollback(days[2])
    assert lake(pipeline) != before
    plan = pipeline.whole(operation="reprocess", run_id=days[2].run_id)
    assert lake(pipeline) == before
    assert apple_calls(pipeline) == calls
    (item,) = pipeline.land_items(plan)
    assert pipeline.instance(item).status is InstanceStatus.CONVERTED
    pipeline.rollback(days[2])  # its writes have been taken back already; the current ones are the reprocess's
    assert lake(pipeline) == before
    pipeline.rollback(plan)
    assert lake(pipeline) != before
    assert pipeline.instance(item).status is InstanceStatus.ROLLED_BACK


def test_what_a_rollback_could_not_put_away_is_the_reprocesss_afterwards(
    pipeline: Pipeline, days: list[RunPlan]
) -> None:
    key = TableDate("downloads", date(2025, 6, 1)).part_key(APP)
    client = pipeline.lake._client
    versions = client.list_object_versions(Bucket=pipeline.lake.name, Prefix=key)["Versions"]
    (expired,) = [version["VersionId"] for version in versions if not version["IsLatest"]]
    client.delete_object(Bucket=pipeline.lake.name, Key=key, VersionId=expired)
    rollback = pipeline.plan(operation="rollback", run_id=days[2].run_id)
    pipeline.run(rollback)
    plan = pipeline.whole(operation="reprocess", run_id=days[2].run_id)
    stored = pipeline.lake.head(key)
    assert stored is not None
    assert part_version(stored).run_id == plan.run_id


def test_a_reprocess_of_unchanged_code_that_is_rolled_back_changes_nothing(
    pipeline: Pipeline, days: list[RunPlan]
) -> None:
    before = lake(pipeline)
    plan = pipeline.whole(operation="reprocess")
    pipeline.rollback(plan)
    assert lake(pipeline) == before
    assert {pipeline.instance(item).status for item in pipeline.land_items(plan)} == {InstanceStatus.CONVERTED}


def test_new_bytes_of_a_reprocess_are_rolled_back_to_the_old_ones_and_the_instance_stays_converted(
    pipeline: Pipeline, days: list[RunPlan], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = lake(pipeline)
    monkeypatch.setattr("appstore_analytics.lake.conversion.WRITER_VERSION", "a new one")
    plan = pipeline.whole(operation="reprocess")
    assert pipeline.report()["parts_replaced"] > 0
    assert lake(pipeline) != before
    pipeline.rollback(plan)
    assert lake(pipeline) == before
    newest = max(pipeline.land_items(plan), key=lambda item: item.vintage)
    assert pipeline.instance(newest).status is InstanceStatus.CONVERTED


def test_a_quarantined_instance_is_released_by_a_reprocess_and_by_nothing_else(pipeline: Pipeline) -> None:
    pipeline.whole()
    pipeline.world.advance(1)
    pipeline.fault(FaultKind.SHORT_ROW, "/segments$")
    plan = pipeline.plan()
    pipeline.run(plan)
    assert pipeline.summarize(plan)["status"] == "FAILED"
    (item,) = pipeline.land_items(plan)
    (segment,) = pipeline.instance(item).segments
    assert pipeline.land_items(pipeline.whole()) == []

    again = pipeline.plan(operation="reprocess", run_id=plan.run_id)
    pipeline.run(again)
    assert pipeline.record(pipeline.land_items(again)[0]).error == "InstanceQuarantined"
    assert pipeline.instance(item).status is InstanceStatus.QUARANTINED

    pipeline.raw.write(segment.key, _mended(pipeline, segment.key))  # as if the catalogue had learned to read it
    pipeline.whole(operation="reprocess", run_id=plan.run_id)
    assert pipeline.instance(item).status is InstanceStatus.CONVERTED
    assert pipeline.batches("downloads")


def test_a_file_that_strict_quarantined_is_released_by_a_reprocess_once_the_mode_is_evolve(
    pipeline: Pipeline,
) -> None:
    item, plan = _quarantined_by_strict(pipeline)
    pipeline.schema_modes = SchemaModes()  # as after a deployment with other schema_modes
    pipeline.whole(operation="reprocess", run_id=plan.run_id)
    assert pipeline.report()["unknown_columns"] == {"downloads": [NEW_HEADER]}
    assert pipeline.instance(item).status is InstanceStatus.CONVERTED
    assert _extras(pipeline) == [{NEW_HEADER: "Everyone"}]


def test_a_file_that_strict_quarantined_is_released_by_a_reprocess_once_the_catalogue_knows_its_column(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    item, plan = _quarantined_by_strict(pipeline)
    _learn(monkeypatch, NEW_HEADER)
    pipeline.whole(operation="reprocess", run_id=plan.run_id)
    assert pipeline.report()["unknown_columns"] == {}
    assert pipeline.instance(item).status is InstanceStatus.CONVERTED
    table = pipeline.athena.table("downloads")
    assert set(table[snake_case(NEW_HEADER)].to_pylist()) == {"Everyone"}
    assert "extra" not in table.column_names


def test_a_reprocess_moves_what_the_catalogue_has_learnt_out_of_extra(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.run(pipeline.plan(), MapName.REGISTER)
    pipeline.world.advance(1)
    pipeline.fault(FaultKind.HEADER_ADDED, "/segments$")
    pipeline.whole()
    before = pipeline.athena.table("downloads")
    assert _extras(pipeline) == [{NEW_HEADER: "Everyone"}]
    _learn(monkeypatch, NEW_HEADER)
    pipeline.whole(operation="reprocess")
    after = pipeline.athena.table("downloads")
    assert set(after[snake_case(NEW_HEADER)].to_pylist()) == {"Everyone"}
    assert after.drop_columns(snake_case(NEW_HEADER)) == before.drop_columns("extra")


def _quarantined_by_strict(pipeline: Pipeline) -> tuple[LandItem, RunPlan]:
    pipeline.run(pipeline.plan(), MapName.REGISTER)
    pipeline.world.advance(1)
    pipeline.schema_modes = SchemaModes(exceptions=("downloads",))
    pipeline.fault(FaultKind.HEADER_ADDED, "/segments$")
    plan = pipeline.plan()
    pipeline.run(plan)
    assert pipeline.summarize(plan)["status"] == "FAILED"
    (item,) = pipeline.land_items(plan)
    assert pipeline.instance(item).status is InstanceStatus.QUARANTINED
    (error,) = pipeline.report()["errors"]
    assert f"does not know the column '{NEW_HEADER}'" in error["reason"]
    assert pipeline.bytes_of("curated/") == {}
    return item, plan


def _learn(monkeypatch: pytest.MonkeyPatch, header: str) -> None:
    """As after a deployment with a patched catalogue."""
    known = tables_by_name()["downloads"]
    wider = replace(known, report=replace(known.report, columns=(*known.report.columns, Column(header))))
    monkeypatch.setitem(tables_by_name(), "downloads", wider)


def _extras(pipeline: Pipeline) -> list[dict[str, str]]:
    """The distinct ones."""
    found = {tuple(each) for each in pipeline.athena.table("downloads")["extra"].to_pylist()}
    return [dict(each) for each in sorted(found)]


def _mended(pipeline: Pipeline, key: str) -> bytes:
    lines = gzip.decompress(pipeline.raw.read(key) or b"").decode().splitlines()
    cells = lines[0].count("\t")
    return gzip.compress("".join(f"{line}\n" for line in lines if line.count("\t") == cells).encode(), mtime=0)


@pytest.mark.parametrize(
    ("limits", "processing_dates"),
    [
        ({}, ["2025-06-03", "2025-06-04"]),
        ({"start_processing_date": "2025-06-04"}, ["2025-06-04"]),
        ({"end_processing_date": "2025-06-03"}, ["2025-06-03"]),
        ({"start_processing_date": "2025-06-05"}, []),
        ({"app_ids": [APP], "reports": ["downloads"]}, ["2025-06-03", "2025-06-04"]),
    ],
)
def test_only_what_is_named_is_reprocessed(
    pipeline: Pipeline, days: list[RunPlan], limits: dict[str, object], processing_dates: list[str]
) -> None:
    plan = pipeline.whole(operation="reprocess", **limits)
    records = pipeline.registry.runs.of_map(plan.run_id, MapName.LAND)
    assert [record.facts["processing_date"] for record in records] == processing_dates


def test_an_app_without_anything_to_reprocess_is_unchanged(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"apps": 2})
    pipeline.whole()
    pipeline.whole(operation="reprocess", app_ids=[APP])
    assert pipeline.report()["apps_by_verdict"] == {"unchanged": [APP]}


def test_raw_bytes_that_expired_are_said_to_have(pipeline: Pipeline, days: list[RunPlan]) -> None:
    pipeline.rollback(days[2])
    (item,) = pipeline.land_items(days[2])
    (segment,) = pipeline.instance(item).segments
    pipeline.raw._client.delete_object(Bucket=pipeline.raw.name, Key=segment.key)
    plan = pipeline.plan(operation="reprocess")
    pipeline.run(plan)
    assert pipeline.summarize(plan)["status"] == "FAILED"
    (error,) = pipeline.report()["errors"]
    assert error["verdict"] is not Verdict.QUARANTINED
    assert error["reason"].startswith("The raw bytes of the instance 2025-06-04/ONGOING/")
    assert "start_processing_date" in error["reason"]
    assert pipeline.instance(item).status is InstanceStatus.EXPIRED
    assert pipeline.land_items(pipeline.whole()) == []  # it is not retried every day


def test_without_named_apps_those_of_the_last_daily_run_are_reprocessed(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"apps": 2})
    daily = pipeline.whole()
    pipeline.whole(operation="reprocess", app_ids=[APP])
    configuration = Configuration((Account("main"),), pipeline.reports, pipeline.granularities, 3500, 30)

    def refuse(account: str) -> AppStoreConnect:
        raise AssertionError(f"{account}: a reprocess does without Apple")

    answer = plan_run("all", pipeline.clock.now, {"operation": "reprocess"}, configuration, pipeline.lake, refuse)
    assert read_plan(pipeline.lake, answer["run_id"]).accounts == daily.accounts


def test_a_reprocess_names_a_run_that_wrote_something(pipeline: Pipeline, days: list[RunPlan]) -> None:
    with pytest.raises(InputRefused, match="run_id is not a run of the last 90 days"):
        pipeline.plan(operation="reprocess", run_id="20250602T100000123Z-unknown")
    rollback = pipeline.rollback(days[2])
    with pytest.raises(InputRefused, match="run_id names a rollback"):
        pipeline.plan(operation="reprocess", run_id=rollback.run_id)
