"""A Date's KPI object and its rows' object have the same rows, or the Date is published again."""

import io
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from appstore_analytics.contract.kpis.stored import PORTFOLIO, TOTAL, definitions
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.tables import CuratedTable, tables_by_name
from appstore_analytics.lake.kpis.objects import KpiObject
from appstore_analytics.lake.kpis.schema import DEFINITIONS
from appstore_analytics.lake.objects import Bucket, StoredObject
from appstore_analytics.lake.parts import write_parts
from appstore_analytics.lake.publication import PublicationState, publish
from appstore_analytics.lake.published import DIGEST
from tests.integration.lake.parts_of_instances import OTHER_APP, Instance, Interrupted, Noted, land
from tests.lake_samples import APP, DAY, ENGAGEMENT, converted, row, tsv, vintage

OF_DAY = TableDate("engagement", DAY)
STATES = tables_by_name()["subscription_states_vintages"]


def land_impressions(bucket: Bucket, scratch: Path, day: int, *counts: int, app_id: int = APP) -> None:
    rows = [row(ENGAGEMENT, app_id, event="Impression", counts=str(count), territory="NA") for count in counts]
    _land(bucket, scratch, ENGAGEMENT, rows, vintage(day, f"instance-{day}"), app_id)


def _land(bucket: Bucket, scratch: Path, table: CuratedTable, rows: Any, of: Any, app_id: int = APP) -> None:
    write_parts(bucket, table, app_id, of, converted([tsv(rows)], scratch, table, app_id, of).parts, Noted())


def totals(bucket: Bucket, of_day: TableDate = OF_DAY) -> dict[tuple[int, str], int]:
    content = bucket.read(of_day.kpis_key)
    assert content is not None
    rows = pq.read_table(io.BytesIO(content)).to_pylist()
    return {(each["app_id"], each["kpi"]): each["amount"] for each in rows if each["dimension"] == TOTAL}


def digests(bucket: Bucket) -> list[str | None]:
    found = [bucket.head(key) for key in (OF_DAY.curated_key, OF_DAY.kpis_key)]
    return [None if each is None else each.metadata[DIGEST] for each in found]


class Dying(Bucket):
    """A process that dies before it changes the object at one key."""

    def __init__(self, bucket: Bucket, key: str) -> None:
        super().__init__(bucket._client, bucket.name)
        self._key = key

    def swap(self, key: str, *args: Any, **options: Any) -> bool:
        if key == self._key:
            raise KeyboardInterrupt
        return super().swap(key, *args, **options)

    def remove(self, key: str, *, expected: str) -> bool:
        if key == self._key:
            raise KeyboardInterrupt
        return super().remove(key, expected=expected)


class NoParts(Bucket):
    """Parts can be listed but not read."""

    def __init__(self, bucket: Bucket) -> None:
        super().__init__(bucket._client, bucket.name)

    def fetch(self, key: str, *args: Any, **options: Any) -> StoredObject:
        assert not key.startswith("parts/")
        return super().fetch(key, *args, **options)


def test_the_kpis_are_of_the_rows_that_are_published(bucket: Bucket, tmp_path: Path) -> None:
    land_impressions(bucket, tmp_path, 21, 1, 2)
    land_impressions(bucket, tmp_path, 21, 4, app_id=OTHER_APP)
    publish(bucket, ENGAGEMENT, DAY, tmp_path)
    found = totals(bucket)
    assert (found[APP, "impressions"], found[OTHER_APP, "impressions"], found[PORTFOLIO, "impressions"]) == (3, 4, 7)
    assert found[APP, "taps"] == 0
    rows, kpis = digests(bucket)
    assert rows == kpis


def test_a_second_publication_changes_neither_object(bucket: Bucket, tmp_path: Path) -> None:
    land_impressions(bucket, tmp_path, 21, 1)
    publish(bucket, ENGAGEMENT, DAY, tmp_path)
    before = [bucket.head(key) for key in (OF_DAY.curated_key, OF_DAY.kpis_key)]
    assert publish(bucket, ENGAGEMENT, DAY, tmp_path).state is PublicationState.UNCHANGED
    assert [bucket.head(key) for key in (OF_DAY.curated_key, OF_DAY.kpis_key)] == before


def test_a_table_of_which_no_kpi_is_made_has_no_object(bucket: Bucket, tmp_path: Path) -> None:
    detailed = tables_by_name()["engagement_detailed"]
    land(bucket, tmp_path, Instance(vintage(21), (1,)), detailed)
    publish(bucket, detailed, DAY, tmp_path)
    assert bucket.head(TableDate(detailed.name, DAY).curated_key) is not None
    assert [stored.key for stored in bucket.list("marts/")] == []
    assert publish(bucket, detailed, DAY, tmp_path).state is PublicationState.UNCHANGED


@pytest.mark.parametrize("key", [OF_DAY.kpis_key, OF_DAY.curated_key], ids=["the KPIs", "the rows"])
def test_who_dies_before_a_swap_leaves_a_date_whose_objects_the_next_run_makes_equal(
    bucket: Bucket, tmp_path: Path, key: str
) -> None:
    land_impressions(bucket, tmp_path, 21, 1)
    publish(bucket, ENGAGEMENT, DAY, tmp_path)
    land_impressions(bucket, tmp_path, 22, 5)
    with pytest.raises(KeyboardInterrupt):
        publish(Dying(bucket, key), ENGAGEMENT, DAY, tmp_path)
    rows, kpis = digests(bucket)
    assert (rows == kpis) is (key == OF_DAY.kpis_key), "the KPIs are ahead of the rows, never behind them"
    assert publish(bucket, ENGAGEMENT, DAY, tmp_path).state is PublicationState.PUBLISHED
    rows, kpis = digests(bucket)
    assert rows == kpis
    assert totals(bucket)[APP, "impressions"] == 5


@pytest.mark.parametrize("key", [OF_DAY.kpis_key, OF_DAY.curated_key], ids=["the KPIs", "the rows"])
def test_a_date_without_parts_loses_its_kpis_first_and_then_its_rows(bucket: Bucket, tmp_path: Path, key: str) -> None:
    land_impressions(bucket, tmp_path, 21, 1)
    publish(bucket, ENGAGEMENT, DAY, tmp_path)
    for part in list(bucket.list(OF_DAY.parts_prefix)):
        bucket.remove(part.key, expected=part.etag)
    with pytest.raises(KeyboardInterrupt):
        publish(Dying(bucket, key), ENGAGEMENT, DAY, tmp_path)
    rows, kpis = digests(bucket)
    assert rows is not None
    assert (kpis is None) is (key == OF_DAY.curated_key)
    assert publish(bucket, ENGAGEMENT, DAY, tmp_path).state is PublicationState.REMOVED
    assert digests(bucket) == [None, None]
    assert publish(bucket, ENGAGEMENT, DAY, tmp_path).state is PublicationState.UNCHANGED


def test_kpis_without_rows_are_removed(bucket: Bucket, tmp_path: Path) -> None:
    bucket.write(OF_DAY.kpis_key, b"left", metadata={DIGEST: "of nothing"})
    assert publish(bucket, ENGAGEMENT, DAY, tmp_path).state is PublicationState.UNCHANGED
    assert digests(bucket) == [None, None]


@pytest.mark.parametrize("damage", ["deleted", "of older definitions", "of other rows"])
def test_kpis_that_are_not_current_are_built_from_the_rows_object_alone_with_the_same_bytes(
    bucket: Bucket, tmp_path: Path, damage: str
) -> None:
    land_impressions(bucket, tmp_path, 21, 1, 2)
    land_impressions(bucket, tmp_path, 21, 4, app_id=OTHER_APP)
    digest = publish(bucket, ENGAGEMENT, DAY, tmp_path).digest
    rows, kpis = bucket.head(OF_DAY.curated_key), bucket.read(OF_DAY.kpis_key)
    metadata = {DIGEST: digest, DEFINITIONS: definitions(ENGAGEMENT)}
    if damage == "deleted":
        bucket._client.delete_object(Bucket=bucket.name, Key=OF_DAY.kpis_key)
    else:
        changed = {DEFINITIONS: "older"} if damage == "of older definitions" else {DIGEST: "another"}
        bucket.write(OF_DAY.kpis_key, b"old", metadata=metadata | changed)
    assert publish(NoParts(bucket), ENGAGEMENT, DAY, tmp_path).state is PublicationState.UNCHANGED
    assert bucket.head(OF_DAY.curated_key) == rows
    assert bucket.read(OF_DAY.kpis_key) == kpis
    standing = bucket.head(OF_DAY.kpis_key)
    assert standing is not None
    assert dict(standing.metadata) == metadata


def test_who_loses_the_race_for_the_kpis_looks_again(bucket: Bucket, tmp_path: Path) -> None:
    land_impressions(bucket, tmp_path, 21, 1)

    def other_writer() -> Any:
        land_impressions(bucket, tmp_path, 22, 7)
        (tmp_path / "other").mkdir()
        publish(bucket, ENGAGEMENT, DAY, tmp_path / "other")
        yield

    publication = publish(Interrupted(bucket, "swap", other_writer()), ENGAGEMENT, DAY, tmp_path)
    rows, kpis = digests(bucket)
    assert rows == kpis == publication.digest
    assert totals(bucket)[APP, "impressions"] == 7


def test_of_several_vintages_only_the_newest_counts(bucket: Bucket, tmp_path: Path) -> None:
    for day, count in ((21, "5"), (22, "9")):
        rows = [row(STATES, state_metric="Full price", counts=count)]
        _land(bucket, tmp_path, STATES, rows, vintage(day, f"instance-{day}"))
    publish(bucket, STATES, DAY, tmp_path)
    assert totals(bucket, TableDate(STATES.name, DAY))[APP, "active_paid_subscriptions"] == 9


def test_definitions_differ_between_tables_and_are_told_with_the_object(bucket: Bucket, tmp_path: Path) -> None:
    land_impressions(bucket, tmp_path, 21, 1)
    publish(bucket, ENGAGEMENT, DAY, tmp_path)
    content = bucket.read(OF_DAY.kpis_key)
    assert content is not None
    footer = pq.read_metadata(io.BytesIO(content)).metadata
    assert footer[DEFINITIONS.encode()].decode() == definitions(ENGAGEMENT) != definitions(STATES)
    assert KpiObject.look(bucket, ENGAGEMENT, OF_DAY).is_current(footer[DIGEST.encode()].decode())
