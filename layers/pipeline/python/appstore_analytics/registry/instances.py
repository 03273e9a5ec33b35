"""The ledger of instances: listed by Apple, landed, or in the tables.

LISTED ──► LANDED ──► CONVERTED ──► ROLLED_BACK     a reprocess sets QUARANTINED and ROLLED_BACK to LANDED again;
   └─► EXPIRED  └─► QUARANTINED                     a rollback also CONVERTED, if a Date may be the instance's now;
                                                    a refetch all of them (refetches.py)

A converted snapshot that fails when more Dates are requested stays CONVERTED, because its parts exist: the ledger
records the ranges that were quarantined, or that its raw bytes are gone.

An attempt to read an instance is recorded before it begins and removed when it ends, so that the ledger shows those
that died.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import date, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, ConditionBase, Key
from botocore.exceptions import ClientError

from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.model.clock import Clock
from appstore_analytics.model.instances import Attempt, InstanceStatus, LedgerInstance, Refetch, SegmentRecord
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.registry.conditions import is_condition_failure
from appstore_analytics.registry.keys import instance_key, instance_range, parse_instance_key
from appstore_analytics.registry.pages import ON_THE_ITEM, list_name, read_pages, write_pages
from appstore_analytics.registry.queries import query_items
from appstore_analytics.rules.refetches import counting

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_REMEMBERED = timedelta(days=400)


class Instances:
    """The ledger. Every write names the states that it can follow."""

    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def add(self, instance: LedgerInstance) -> bool:
        """Add an instance that Apple lists; False if it was known already."""
        expires_at = int((self._clock() + _REMEMBERED).timestamp())
        item: dict[str, str | int] = {
            **instance_key(instance.app_id, instance.vintage),
            "table": instance.table,
            "granularity": instance.granularity,
            "status": instance.status,
            "expires_at": expires_at,
        }
        try:
            self._table.put_item(Item=item, ConditionExpression=Attr("pk").not_exists())
        except ClientError as error:
            if is_condition_failure(error):
                return False
            raise
        return True

    def get(self, app_id: str, vintage: Vintage) -> LedgerInstance | None:
        """One instance, None if it is not in the ledger."""
        item = self._table.get_item(Key=instance_key(app_id, vintage), ConsistentRead=True).get("Item")
        return self._instance(item) if item else None

    def of_app(self, app_id: str, processing_date: date) -> list[LedgerInstance]:
        """The instances of an app from a processing date on, those of every access type."""
        return [instance for access_type in AccessType for instance in self.since(app_id, access_type, processing_date)]

    def since(self, app_id: str, access_type: AccessType, processing_date: date) -> list[LedgerInstance]:
        """The instances of an app and access type from a processing date on, oldest first."""
        partition, first, last = instance_range(app_id, access_type, processing_date)
        condition = Key("pk").eq(partition) & Key("sk").between(first, last)
        return [self._instance(item) for item in query_items(self._table, condition)]

    def _instance(self, item: dict[str, Any]) -> LedgerInstance:
        """The instance in an item, with its current segments: of its newest refetch, or of its first download."""
        key = {name: item[name] for name in ("pk", "sk")}
        counts = next((each for each in reversed(item.get("refetches", [])) if not each["taken_back_by"]), None)
        listed, entries = (counts, []) if counts else (item, item.get("segments", []))
        pages = int(listed.get("segment_pages", 0))
        return _instance(item, chain(entries, read_pages(self._table, key, listed.get("segment_list", ""), pages)))

    def mark_landed(self, instance: LedgerInstance) -> None:
        """Record that all its segments are in the raw bucket."""
        segments = segment_entries(instance.segments)
        key = instance_key(instance.app_id, instance.vintage)
        expires_at = int((self._clock() + _REMEMBERED).timestamp())
        name = list_name(segments)
        pages = write_pages(self._table, key, name, segments[ON_THE_ITEM:], expires_at)
        paged: dict[str, Any] = {"segment_list": name, "segment_pages": pages} if pages else {}
        allowed = (InstanceStatus.LISTED,)
        self._move(instance, InstanceStatus.LANDED, allowed, segments=segments[:ON_THE_ITEM], **paged)

    @contextmanager
    def attempt(self, instance: LedgerInstance, run_id: str) -> Iterator[None]:
        """Record an attempt to read an instance for the duration of this block, however it ends.

        Only a function that dies, or runs out of memory, leaves its attempt behind. A change of the instance's state
        removes all its attempts.
        """
        attempt = {str(Attempt(self._clock(), run_id))}
        self._change_attempts("ADD", instance, attempt)
        try:
            yield
        except MemoryError:
            raise
        except Exception:
            self._change_attempts("DELETE", instance, attempt)
            raise
        self._change_attempts("DELETE", instance, attempt)

    def mark_converted(
        self,
        instance: LedgerInstance,
        dates: frozenset[str],
        run_id: str,
        part_dates: Iterable[date],
        refused_dates: Iterable[date],
    ) -> bool:
        """Record that its rows are in the parts of `part_dates`, except for `refused_dates`. `dates` are the requested
        ranges of a snapshot.

        The first run that converts it owns it, until a reprocess names it. False when another execution has moved it or
        its segments meanwhile.
        """
        return self._move_converted(
            instance,
            InstanceStatus.CONVERTED,
            (InstanceStatus.LANDED, InstanceStatus.CONVERTED),
            converted_dates=sorted(instance.converted_dates | dates),
            quarantined_dates=[],
            reason="",
            converted_by=instance.converted_by or run_id,
            landed_again_by="",
            part_dates=sorted(day.isoformat() for day in part_dates),
            refused_dates=sorted(day.isoformat() for day in refused_dates),
        )

    def mark_quarantined(
        self, instance: LedgerInstance, dates: frozenset[str], reason: str, *, bytes_are_broken: bool = False
    ) -> None:
        """Record that it breaks its report's contract; the lake does not change. `dates` are the backfill's ranges."""
        noted = {
            "quarantined_dates": sorted(dates - instance.converted_dates),
            "reason": reason,
            "bytes_are_broken": bytes_are_broken,
        }
        if instance.status is InstanceStatus.CONVERTED:
            self._move_converted(instance, InstanceStatus.CONVERTED, (InstanceStatus.CONVERTED,), **noted)
        else:
            self._move_converted(instance, InstanceStatus.QUARANTINED, (InstanceStatus.LANDED,), **noted)

    def mark_expired(self, instance: LedgerInstance) -> None:
        """Record that Apple deleted it before it landed."""
        reason = "Apple answered 404 before it had landed"
        self._move(instance, InstanceStatus.EXPIRED, (InstanceStatus.LISTED,), reason=reason)

    def mark_raw_expired(self, instance: LedgerInstance) -> None:
        """Record that its raw bytes are gone, so it cannot be converted (again). The parts of a converted one stay."""
        noted = {"raw_has_expired": True, "reason": "its raw bytes had expired when it was to be converted"}
        if instance.converted_by:
            allowed = (InstanceStatus.LANDED, InstanceStatus.CONVERTED)
            self._move_converted(instance, InstanceStatus.CONVERTED, allowed, **noted)
        else:
            self._move_converted(instance, InstanceStatus.EXPIRED, (InstanceStatus.LANDED,), **noted)

    def mark_rolled_back(self, instance: LedgerInstance, rollback_run_id: str) -> None:
        """Record that its parts are rolled back; only a reprocess that names it makes it due again."""
        self._move(
            instance,
            InstanceStatus.ROLLED_BACK,
            (InstanceStatus.LANDED, InstanceStatus.CONVERTED),
            reason=f"rolled back by the run {rollback_run_id}",
        )

    def release(self, instance: LedgerInstance) -> None:
        """Make it due because a reprocess names it, for all requested Dates.

        The run that converts it next owns it; if it is already in the tables, its owner does not change.
        """
        if instance.quarantined_dates:
            self._move(instance, InstanceStatus.CONVERTED, (InstanceStatus.CONVERTED,), quarantined_dates=[], reason="")
        released = (InstanceStatus.QUARANTINED, InstanceStatus.ROLLED_BACK)
        self._move(instance, InstanceStatus.LANDED, released, quarantined_dates=[], converted_by="", reason="")

    def reopen(self, instance: LedgerInstance) -> None:
        """Make it due because the newer vintage was rolled back; the run that converted it still owns it."""
        self._move(instance, InstanceStatus.LANDED, (InstanceStatus.CONVERTED,))

    def _change_attempts(self, action: str, instance: LedgerInstance, attempts: set[str]) -> None:
        """Add an attempt to an instance that can be converted, or remove one."""
        self._update(
            instance,
            UpdateExpression=f"{action} attempts :attempts",
            ConditionExpression=Attr("status").is_in([InstanceStatus.LANDED, InstanceStatus.CONVERTED]),
            ExpressionAttributeValues={":attempts": attempts},
        )

    def _move_converted(
        self, instance: LedgerInstance, to: InstanceStatus, allowed: tuple[InstanceStatus, ...], **values: Any
    ) -> bool:
        """Change the status because of the segments' content, unless other segments are current by now; see `_move`."""
        condition = Attr("status").is_in(list(allowed)) & has_segments_of(instance)
        return self._move(instance, to, allowed, condition, **values)

    def _move(
        self,
        instance: LedgerInstance,
        to: InstanceStatus,
        allowed: tuple[InstanceStatus, ...],
        condition: ConditionBase | None = None,
        **values: Any,
    ) -> bool:
        """Set the new status; False, without a change, if another writer has already set one."""
        values["status"] = to
        return self._update(
            instance,
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values) + " REMOVE attempts",
            ConditionExpression=condition or Attr("status").is_in(list(allowed)),
            ExpressionAttributeNames={f"#{name}": name for name in values},
            ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
        )

    def _update(self, instance: LedgerInstance, **update: Any) -> bool:
        """Write if the condition still holds. Returns whether it was written."""
        try:
            self._table.update_item(Key=instance_key(instance.app_id, instance.vintage), **update)
        except ClientError as error:
            if is_condition_failure(error):
                return False
            raise
        return True


def has_segments_of(instance: LedgerInstance) -> ConditionBase:
    """The condition that the current segments are still those with which the instance was read."""
    counts = counting(instance.refetches)
    if counts is not None:
        return Attr("refetched_by").eq(counts.run_id)
    return Attr("refetched_by").not_exists() | Attr("refetched_by").eq("")


def segment_entries(segments: Iterable[SegmentRecord]) -> list[dict[str, Any]]:
    """The segments as the registry keeps them."""
    return [
        {"id": segment.segment_id, "key": segment.key, "bytes": segment.size_bytes, "md5": segment.checksum}
        for segment in segments
    ]


def _instance(item: dict[str, Any], segments: Iterable[dict[str, Any]]) -> LedgerInstance:
    app_id, vintage = parse_instance_key(item)
    return LedgerInstance(
        app_id=app_id,
        table=item["table"],
        granularity=Granularity(item["granularity"]),
        vintage=vintage,
        status=InstanceStatus(item["status"]),
        segments=tuple(
            SegmentRecord(segment["id"], segment["key"], int(segment["bytes"]), segment["md5"]) for segment in segments
        ),
        converted_dates=frozenset(item.get("converted_dates", ())),
        quarantined_dates=frozenset(item.get("quarantined_dates", ())),
        converted_by=item.get("converted_by", ""),
        refused_dates=frozenset(date.fromisoformat(day) for day in item.get("refused_dates", ())),
        raw_has_expired=item.get("raw_has_expired", False),
        attempts=frozenset(map(Attempt.from_text, item.get("attempts", ()))),
        reason=item.get("reason", ""),
        bytes_are_broken=item.get("bytes_are_broken", False),
        refetches=tuple(_refetch(each) for each in item.get("refetches", ())),
        landed_again_by=item.get("landed_again_by", ""),
        part_dates=frozenset(date.fromisoformat(day) for day in item.get("part_dates", ())),
    )


def _refetch(entry: dict[str, Any]) -> Refetch:
    values = {each.name: entry[each.name] for each in fields(Refetch)}
    return Refetch(**{**values, "status": InstanceStatus(entry["status"])})
