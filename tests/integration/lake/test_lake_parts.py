"""The newest vintage replaces a part as a whole."""

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.errors import ObjectContended
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.lake.objects import Bucket, StoredObject
from appstore_analytics.lake.parts import PutBack, part_version, put_parts_back, write_parts
from appstore_analytics.lake.publication import PublicationState, publish
from appstore_analytics.model.parts import JournalLine, PartOutcome, PartVersion
from appstore_analytics.model.vintage import Vintage
from tests.integration.lake.parts_of_instances import OTHER_APP, Instance, Interrupted, Noted, counts, land, overwriting
from tests.lake_samples import APP, DAY, ENGAGEMENT, converted, row, tsv, vintage


class Forgetful(Bucket):
    """A bucket whose first swap is applied but its answer lost, so that boto3 retries and gets 412."""

    forgotten = False

    def swap(self, key: str, *args: Any, **options: Any) -> bool:
        done = super().swap(key, *args, **options)
        if not self.forgotten:
            self.forgotten = True
            return False
        return done


def test_a_newer_vintage_replaces_the_whole_part_and_rows_vanish(bucket: Bucket, tmp_path: Path) -> None:
    old, new = Instance(vintage(21), (1, 2, 3)), Instance(vintage(22, "instance-2"), (9,))
    assert land(bucket, tmp_path, old) == [PartOutcome.WRITTEN]
    assert land(bucket, tmp_path, new) == [PartOutcome.REPLACED]
    publish(bucket, ENGAGEMENT, DAY, tmp_path)
    assert counts(bucket) == [(APP, 9)]


def test_an_older_vintage_gives_up_and_the_same_one_is_content(bucket: Bucket, tmp_path: Path) -> None:
    new = Instance(vintage(22), (9,))
    land(bucket, tmp_path, new)
    assert land(bucket, tmp_path, Instance(vintage(21), (1, 2))) == [PartOutcome.REFUSED]
    assert land(bucket, tmp_path, new) == [PartOutcome.UNCHANGED]
    snapshot = Vintage(new.vintage.processing_date, AccessType.ONE_TIME_SNAPSHOT, "z")
    assert land(bucket, tmp_path, Instance(snapshot, (1,))) == [PartOutcome.REFUSED]


def test_a_new_conversion_of_the_same_instance_takes_effect(bucket: Bucket, tmp_path: Path) -> None:
    land(bucket, tmp_path, Instance(vintage(21), (1,)))
    assert land(bucket, tmp_path, Instance(vintage(21), (2,))) == [PartOutcome.REPLACED]


def test_a_writer_that_was_not_first_looks_again(bucket: Bucket, tmp_path: Path) -> None:
    newer = (land(bucket, tmp_path / "newer", Instance(vintage(22), (9,))) for _ in range(1))
    slower = Instance(vintage(21), (1,))
    assert land(Interrupted(bucket, "swap", newer), tmp_path, slower) == [PartOutcome.REFUSED]
    older = (land(bucket, tmp_path / "older", Instance(vintage(22), (9,), OTHER_APP)) for _ in range(1))
    slower = Instance(vintage(23), (1,), OTHER_APP)
    assert land(Interrupted(bucket, "swap", older), tmp_path, slower) == [PartOutcome.REPLACED]


def test_a_writer_that_is_never_first_says_so(bucket: Bucket, tmp_path: Path) -> None:
    key = TableDate("engagement", DAY).part_key(str(APP))
    others = overwriting(bucket, key, {"vintage": str(vintage(20)), "rows": "1", "sums": "{}"})
    with pytest.raises(ObjectContended):
        land(Interrupted(bucket, "swap", others), tmp_path, Instance(vintage(21), (1,)))


def test_a_write_whose_answer_was_lost_is_still_reported(bucket: Bucket, tmp_path: Path) -> None:
    forgetful = Forgetful(bucket._client, bucket.name)
    assert land(forgetful, tmp_path, Instance(vintage(21), (1,))) == [PartOutcome.WRITTEN]
    forgetful = Forgetful(bucket._client, bucket.name)
    published = publish(forgetful, ENGAGEMENT, DAY, tmp_path)
    assert published.state is PublicationState.PUBLISHED
    assert len(published.changes) == 1


def test_a_write_is_noted_with_what_it_replaces_and_none_is_noted_that_does_not_happen(
    bucket: Bucket, tmp_path: Path
) -> None:
    first, second = Noted("run-1"), Noted("run-2")
    land(bucket, tmp_path, Instance(vintage(21), (1,)), journal=first)
    standing = bucket.head(TableDate("engagement", DAY).part_key(str(APP)))
    assert standing is not None
    land(bucket, tmp_path, Instance(vintage(22), (2,)), journal=second)
    land(bucket, tmp_path, Instance(vintage(22), (2,)), journal=second)  # it is current
    land(bucket, tmp_path, Instance(vintage(21), (1,)), journal=first)  # a newer one is current
    assert first.befores == [None]
    assert second.befores == [part_version(standing)]
    assert part_version(standing) == PartVersion("run-1", vintage(21), standing.version_id, standing.etag)


def test_over_its_own_earlier_write_the_line_stays(bucket: Bucket, tmp_path: Path) -> None:
    journal = Noted()
    land(bucket, tmp_path, Instance(vintage(21), (1,)), journal=journal)
    assert land(bucket, tmp_path, Instance(vintage(21), (2,)), journal=journal) == [PartOutcome.REPLACED]
    assert journal.befores == [None]


def test_no_write_goes_on_once_another_has_failed_for_all(bucket: Bucket, tmp_path: Path) -> None:
    failed = threading.Event()
    answered: list[bool] = []

    class OneFails(Bucket):
        def swap(self, key: str, *args: Any, **options: Any) -> bool:
            if str(DAY) not in key:
                failed.set()
                raise MemoryError
            assert failed.wait(timeout=10)
            answered.append(super().swap(key, *args, **options))
            return True

    rows = [row(ENGAGEMENT, APP, date=str(day)) for day in (DAY, DAY - timedelta(1))]
    parts = converted([tsv(rows)], tmp_path, ENGAGEMENT, APP, vintage(21)).parts
    with pytest.raises(MemoryError):
        write_parts(OneFails(bucket._client, bucket.name), ENGAGEMENT, APP, vintage(21), parts, Noted())
    assert answered == [True]


def test_a_writer_that_was_not_first_notes_again_what_it_really_replaces(bucket: Bucket, tmp_path: Path) -> None:
    journal = Noted("run-2")
    older = (land(bucket, tmp_path / "older", Instance(vintage(20), (9,))) for _ in range(1))
    land(Interrupted(bucket, "swap", older), tmp_path, Instance(vintage(21), (1,)), journal=journal)
    nothing, replaced = journal.befores
    assert (nothing, replaced and replaced.vintage) == (None, vintage(20))


def test_what_was_taken_back_and_still_stands_is_written_anew_by_another_run(bucket: Bucket, tmp_path: Path) -> None:
    instance = Instance(vintage(21), (1,))
    land(bucket, tmp_path, instance)
    again = Noted("run-2", taken_back=True)
    assert land(bucket, tmp_path, instance, journal=again) == [PartOutcome.REPLACED]
    assert land(bucket, tmp_path, instance, journal=again) == [PartOutcome.UNCHANGED]


def test_a_part_is_put_back_with_its_bytes_and_metadata_or_goes(bucket: Bucket, tmp_path: Path) -> None:
    engagement = TableDate("engagement", DAY)
    key = engagement.part_key(str(APP))
    lines: dict[str, JournalLine] = {}

    def standing() -> StoredObject:
        stored = bucket.head(key)
        assert stored is not None
        return stored

    def write(processed: int, before: PartVersion | None) -> PartVersion:
        run_id = f"run-{processed}"
        land(bucket, tmp_path, Instance(vintage(processed), (processed,)), journal=Noted(run_id))
        lines[run_id] = JournalLine(run_id, str(APP), vintage(processed), engagement, before)
        return part_version(standing())

    def put_back() -> tuple[PutBack, PartVersion | None]:
        return put_parts_back(bucket, key, lambda version: lines.get(version.run_id))

    def take_back(run_id: str) -> None:
        lines[run_id] = replace(lines[run_id], taken_back_by="rollback")

    old = write(21, before=None)
    stood = standing()
    new = write(22, before=old)
    assert put_back() == (PutBack.UNCHANGED, new)

    take_back("run-22")
    put, stands = put_back()
    assert (put, stands and stands.run_id) == (PutBack.RESTORED, "run-21")
    assert (standing().etag, standing().metadata) == (stood.etag, stood.metadata)

    take_back("run-21")
    assert put_back() == (PutBack.DELETED, None)
    assert bucket.head(key) is None

    newest = write(23, before=replace(old, run_id="run-too-old-to-be-remembered", version_id="expired"))
    take_back("run-23")
    assert put_back() == (PutBack.EXPIRED, newest)
