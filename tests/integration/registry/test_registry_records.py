import json
from datetime import date, timedelta
from typing import Any

import pytest

from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.model.instances import InstanceStatus, LedgerInstance, SegmentRecord
from appstore_analytics.model.items import LandItem, PublishItem, RegisterItem
from appstore_analytics.model.parts import JournalLine, PartVersion
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.registry import Registry
from appstore_analytics.registry.keys import dirty_key, instance_key, item_key
from appstore_analytics.registry.runs import open_items
from tests.aws_in_process import in_threads

APP = "1000000001"
SEGMENTS = (SegmentRecord("s-1", "raw/1.txt.gz", 10, "aa"), SegmentRecord("s-2", "raw/2.txt.gz", 20, "bb"))
DIRTY = TableDate("downloads", date(2025, 6, 1))
REGISTER = RegisterItem("run-1", "main", APP)
LAND = LandItem("run-1", "main", APP, Vintage(date(2025, 6, 2), AccessType.ONGOING, "i-1"))


def listed(day: int = 2, instance_id: str = "i-1", access_type: AccessType = AccessType.ONGOING) -> LedgerInstance:
    return LedgerInstance(APP, "downloads", Granularity.DAILY, Vintage(date(2025, 6, day), access_type, instance_id))


@pytest.fixture
def instance(registry: Registry) -> LedgerInstance:
    registry.instances.add(listed())
    return listed()


def status(registry: Registry, instance: LedgerInstance) -> InstanceStatus:
    found = registry.instances.get(APP, instance.vintage)
    assert found is not None
    return found.status


# the ledger of instances


def test_an_instance_is_added_once_and_never_thrown_back(registry: Registry, instance: LedgerInstance) -> None:
    registry.instances.mark_landed(instance.landed(SEGMENTS))
    assert not registry.instances.add(instance)
    assert registry.instances.get(APP, instance.vintage) == instance.landed(SEGMENTS)


def test_an_unknown_instance_is_none(registry: Registry) -> None:
    assert registry.instances.get(APP, listed().vintage) is None


def test_the_ledger_is_read_from_a_processing_date_on_oldest_first(registry: Registry) -> None:
    for each in (listed(4), listed(2), listed(3, "i-2"), listed(3), listed(3, "s-1", AccessType.ONE_TIME_SNAPSHOT)):
        registry.instances.add(each)
    assert registry.instances.since(APP, AccessType.ONGOING, date(2025, 6, 3)) == [
        listed(3),
        listed(3, "i-2"),
        listed(4),
    ]
    assert registry.instances.since("1000000002", AccessType.ONGOING, date.min) == []


def test_a_ledger_of_more_than_one_page_is_read_to_its_end(registry: Registry) -> None:
    padding = "x" * 200_000  # a page of DynamoDB ends after one megabyte
    for number in range(12):
        registry.instances.add(listed(2, f"i-{number:02}"))
        registry.table.update_item(
            Key=instance_key(APP, listed(2, f"i-{number:02}").vintage),
            UpdateExpression="SET padding = :padding",
            ExpressionAttributeValues={":padding": padding},
        )
    assert len(registry.instances.since(APP, AccessType.ONGOING, date.min)) == 12


def test_an_instance_goes_from_listed_over_landed_to_converted(registry: Registry, instance: LedgerInstance) -> None:
    registry.instances.mark_converted(instance, frozenset(), "run-1", [], [])
    assert status(registry, instance) is InstanceStatus.LISTED  # not before it has landed
    registry.instances.mark_landed(instance.landed(SEGMENTS))
    assert status(registry, instance) is InstanceStatus.LANDED
    registry.instances.mark_converted(instance, frozenset(), "run-1", [], [])
    assert status(registry, instance) is InstanceStatus.CONVERTED


def test_nothing_leads_back_from_converted(registry: Registry, instance: LedgerInstance) -> None:
    registry.instances.mark_landed(instance.landed(SEGMENTS))
    registry.instances.mark_converted(instance, frozenset(), "run-1", [], [])
    registry.instances.mark_landed(instance.landed(SEGMENTS[:1]))
    registry.instances.mark_quarantined(instance, frozenset(), "a header is missing")
    registry.instances.mark_expired(instance)
    found = registry.instances.get(APP, instance.vintage)
    assert found is not None
    assert (found.status, found.segments) == (InstanceStatus.CONVERTED, SEGMENTS)


def test_an_instance_that_never_landed_may_expire_and_then_stays_so(
    registry: Registry, instance: LedgerInstance
) -> None:
    registry.instances.mark_expired(instance)
    registry.instances.mark_landed(instance.landed(SEGMENTS))
    assert status(registry, instance) is InstanceStatus.EXPIRED


def test_a_landed_instance_may_be_quarantined_and_never_expires(registry: Registry, instance: LedgerInstance) -> None:
    registry.instances.mark_landed(instance.landed(SEGMENTS))
    registry.instances.mark_expired(instance)
    assert status(registry, instance) is InstanceStatus.LANDED
    registry.instances.mark_quarantined(instance, frozenset(), "a header is missing")
    assert status(registry, instance) is InstanceStatus.QUARANTINED


def test_the_ranges_converted_of_a_snapshot_add_up(registry: Registry, instance: LedgerInstance) -> None:
    registry.instances.mark_landed(instance.landed(SEGMENTS))
    for dates in ("2025-01-01/2025-01-31", "2025-02-01/2025-02-28"):
        found = registry.instances.get(APP, instance.vintage)
        assert found is not None
        registry.instances.mark_converted(found, frozenset({dates}), "run-1", [], [])
    found = registry.instances.get(APP, instance.vintage)
    assert found is not None
    assert found.converted_dates == {"2025-01-01/2025-01-31", "2025-02-01/2025-02-28"}


# dirty marks


def test_a_dirty_date_is_clean_after_its_mark_is_cleared(registry: Registry) -> None:
    registry.dirty_dates.mark(DIRTY)
    token = registry.dirty_dates.token(DIRTY)
    assert token is not None
    assert registry.dirty_dates.clear(DIRTY, token)
    assert registry.dirty_dates.token(DIRTY) is None
    assert not registry.dirty_dates.clear(DIRTY, token)


def test_a_mark_made_meanwhile_survives_the_clearing(registry: Registry) -> None:
    registry.dirty_dates.mark(DIRTY)
    token = registry.dirty_dates.token(DIRTY)
    assert token is not None
    registry.dirty_dates.mark(DIRTY)
    assert not registry.dirty_dates.clear(DIRTY, token)
    assert list(registry.dirty_dates.of_table("downloads")) == [DIRTY]


def test_dates_are_marked_25_a_request_and_what_dynamodb_leaves_is_asked_for_again(registry: Registry) -> None:
    dates = [TableDate("downloads", date(2025, 6, 1) + timedelta(number)) for number in range(30)]
    sizes: list[int] = []

    def count(params: dict[str, Any], **_: object) -> None:
        (puts,) = json.loads(params["body"])["RequestItems"].values()
        sizes.append(len(puts))

    def leave_one(parsed: dict[str, Any], **_: object) -> None:
        if len(sizes) == 1:
            left = registry.table.get_item(Key=dirty_key(dates[0]))["Item"]
            registry.table.delete_item(Key={name: left[name] for name in ("pk", "sk")})
            item = {name: {"S": value} for name, value in left.items()}
            parsed["UnprocessedItems"] = {registry.table.name: [{"PutRequest": {"Item": item}}]}

    events = registry.table.meta.client.meta.events
    events.register("before-call.dynamodb.BatchWriteItem", count)
    events.register_first("after-call.dynamodb.BatchWriteItem", leave_one)
    registry.dirty_dates.mark_all(dates)
    assert sizes == [25, 6]
    assert list(registry.dirty_dates.of_table("downloads")) == dates


def test_dirty_dates_are_listed_by_table_oldest_first(registry: Registry) -> None:
    days = [date(2025, 6, day) for day in (3, 1, 2)]
    for day in days:
        registry.dirty_dates.mark(TableDate("downloads", day))
    registry.dirty_dates.mark(TableDate("downloads_detailed", days[0]))
    assert [dirty.day for dirty in registry.dirty_dates.of_table("downloads")] == sorted(days)
    assert list(registry.dirty_dates.of_table("sessions")) == []


# runs and statistics


def test_an_item_is_planned_once_with_what_is_known_of_it(registry: Registry) -> None:
    assert registry.runs.plan(LAND, table="downloads")
    registry.runs.finish(LAND, Verdict.CONVERTED)
    assert not registry.runs.plan(LAND, table="sessions")
    record = registry.runs.get(LAND)
    assert record is not None
    assert (record.event, record.verdict, record.facts) == (
        {**LAND.to_event(), "record": "LAND#1000000001#INSTANCE#ONGOING#2025-06-02#i-1"},
        Verdict.CONVERTED,
        {"table": "downloads"},
    )


def test_an_item_that_never_ended_has_no_verdict_and_is_open(registry: Registry) -> None:
    registry.runs.plan(REGISTER)
    registry.runs.plan(RegisterItem("run-1", "main", "1000000002"))
    registry.runs.finish(REGISTER, Verdict.READY, "fine", rows=3)
    records = list(registry.runs.of_map("run-1", MapName.REGISTER))
    assert [RegisterItem.from_event(event).app_id for event in open_items(records)] == ["1000000002"]
    assert [(record.verdict, record.reason) for record in records] == [(Verdict.READY, "fine"), (None, "")]
    assert records[0].facts == {"rows": 3}


def test_planning_again_opens_an_item_and_keeps_its_facts(registry: Registry) -> None:
    registry.runs.plan(REGISTER)
    registry.runs.note(REGISTER, request_id="request-1")
    registry.runs.finish(REGISTER, Verdict.FAILED, "a reason")
    registry.table.update_item(
        Key=item_key(REGISTER),
        UpdateExpression="SET #error = :error",
        ExpressionAttributeNames={"#error": "error"},
        ExpressionAttributeValues={":error": "RoleMissing"},
    )
    registry.runs.plan_again(REGISTER)
    record = registry.runs.get(REGISTER)
    assert record is not None
    assert (record.verdict, record.reason, record.error) == (None, "", "")
    assert record.facts == {"request_id": "request-1"}


def test_items_are_found_by_run_map_and_the_beginning_of_their_key(registry: Registry) -> None:
    items = [PublishItem("run-1", "downloads", "2025-06-01"), PublishItem("run-1", "downloads_detailed", "2025-06-01")]
    for item in (*items, REGISTER, PublishItem("run-2", "downloads", "2025-06-01")):
        registry.runs.plan(item)
    found = list(registry.runs.of_map("run-1", MapName.PUBLISH))
    assert [PublishItem.from_event(record.event) for record in found] == items
    below = list(registry.runs.of_map("run-1", MapName.PUBLISH, "downloads"))
    assert [PublishItem.from_event(record.event) for record in below] == items[:1]


def test_calls_of_an_item_add_up_whoever_makes_them(registry: Registry) -> None:
    registry.runs.plan(REGISTER)
    in_threads(lambda _: registry.runs.note(REGISTER, 2), 10)
    registry.runs.note(REGISTER, 0)
    registry.runs.note(REGISTER, 3, request_id="request-1")
    registry.runs.finish(REGISTER, Verdict.READY, calls=4)
    record = registry.runs.get(REGISTER)
    assert record is not None
    assert (record.verdict, record.facts) == (Verdict.READY, {"calls": 27, "request_id": "request-1"})


def test_counters_add_up_whoever_counts(registry: Registry) -> None:
    assert registry.statistics.totals() == {}
    in_threads(lambda _: registry.statistics.add(requests_created=1, duplicates_prevented=0), 20)
    assert registry.statistics.totals() == {"requests_created": 20}


# rollback and reprocess


def converted(registry: Registry, instance: LedgerInstance, run_id: str = "run-1") -> LedgerInstance:
    registry.instances.mark_landed(instance.landed(SEGMENTS))
    registry.instances.mark_converted(instance, frozenset(), run_id, [], [DIRTY.day])
    found = registry.instances.get(APP, instance.vintage)
    assert found is not None
    return found


def test_the_first_run_that_converts_an_instance_answers_for_it(registry: Registry, instance: LedgerInstance) -> None:
    first = converted(registry, instance)
    registry.instances.mark_converted(first, frozenset(), "run-2", [], [])
    found = registry.instances.get(APP, instance.vintage)
    assert found is not None
    assert (found.converted_by, first.refused_dates, found.refused_dates) == ("run-1", {DIRTY.day}, frozenset())


def test_only_a_release_leads_back_from_rolled_back_and_the_next_run_answers(
    registry: Registry, instance: LedgerInstance
) -> None:
    registry.instances.mark_rolled_back(converted(registry, instance), "rollback-1")
    registry.instances.mark_converted(instance, frozenset(), "run-2", [], [])
    registry.instances.reopen(instance)
    assert status(registry, instance) is InstanceStatus.ROLLED_BACK
    registry.instances.release(instance)
    assert status(registry, instance) is InstanceStatus.LANDED
    found = registry.instances.get(APP, instance.vintage)
    assert found is not None
    registry.instances.mark_converted(found, frozenset(), "run-2", [], [])
    found = registry.instances.get(APP, instance.vintage)
    assert found is not None
    assert found.converted_by == "run-2"


def test_a_reopened_instance_is_still_the_run_s_that_had_converted_it(
    registry: Registry, instance: LedgerInstance
) -> None:
    registry.instances.reopen(converted(registry, instance))
    found = registry.instances.get(APP, instance.vintage)
    assert found is not None
    assert (found.status, found.converted_by) == (InstanceStatus.LANDED, "run-1")


def line(of: LedgerInstance, before: PartVersion | None = None, run_id: str = "run-1") -> JournalLine:
    return JournalLine(run_id, APP, of.vintage, DIRTY, before)


def test_a_journal_line_is_found_by_its_instance_and_by_what_it_wrote(registry: Registry) -> None:
    older = PartVersion("run-0", listed(1).vintage, "v-0", '"etag"')
    registry.journal.note([line(listed(), older)])
    registry.journal.note([line(listed(3))])
    registry.journal.note([line(listed(), run_id="run-2")])
    assert list(registry.journal.of_instance("run-1", APP, listed().vintage)) == [line(listed(), older)]
    written = PartVersion("run-1", listed(3).vintage, "any", "any")
    assert registry.journal.of_version(DIRTY, APP, written) == line(listed(3))
    assert registry.journal.of_version(DIRTY, APP, older) is None
    assert list(registry.runs.of_map("run-1", MapName.LAND)) == []  # these are not items


def test_who_tries_again_notes_what_stands_now_and_the_first_rollback_keeps_its_name(registry: Registry) -> None:
    older = PartVersion("run-0", listed(1).vintage, "v-0", '"etag"')
    registry.journal.note([line(listed())])
    registry.journal.note([line(listed(), older)])
    for rollback in ("rollback-1", "rollback-2"):
        registry.journal.take_back(line(listed()), rollback)
    (found,) = registry.journal.of_instance("run-1", APP, listed().vintage)
    assert (found.before, found.taken_back_by) == (older, "rollback-1")


# lists without a maximum length


def largest_item(registry: Registry) -> int:
    """The size of the largest item in bytes, as JSON: DynamoDB's limit is 400 KB."""
    items = registry.table.scan(ConsistentRead=True)["Items"]
    return max(len(json.dumps(item, default=str).encode()) for item in items)


@pytest.mark.parametrize("count", [1, 100, 101, 300, 301, 20_000])
def test_an_instance_may_have_any_number_of_segments(registry: Registry, instance: LedgerInstance, count: int) -> None:
    key = f"raw/app_store_discovery_and_engagement_detailed/{APP}/ONGOING/2025-06-02/{'i' * 36}/"
    segments = tuple(SegmentRecord(f"{n:036d}", f"{key}{n:036d}.txt.gz", 10**9 + n, "ab" * 16) for n in range(count))
    for _ in range(2):  # the second time after a crash
        registry.instances.mark_landed(instance.landed(segments))
    found = registry.instances.get(APP, instance.vintage)
    assert found is not None
    assert found.segments == segments
    assert registry.instances.of_app(APP, date(2025, 6, 1)) == [found]
    registry.runs.plan(LAND, table="downloads")
    rows = [{"segment_id": each.segment_id, "key": each.key, "bytes": each.size_bytes} for each in segments]
    registry.runs.note_landed(LAND, rows, calls=3, segments=count)
    record = registry.runs.get(LAND)
    assert record is not None
    assert list(registry.runs.landed("run-1", record)) == rows
    assert [each.record for each in registry.runs.of_map("run-1", MapName.LAND)] == [record.record]
    assert largest_item(registry) < 250_000
