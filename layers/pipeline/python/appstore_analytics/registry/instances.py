"""The ledger of instances: what Apple listed, what has landed, what stands in the lake.

LISTED ──► LANDED ──► CONVERTED
   └─► EXPIRED  └─► QUARANTINED
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.messages import AccessType
from appstore_analytics.registry.conditions import is_condition_failure
from appstore_analytics.registry.queries import query_items
from appstore_analytics.rules.vintage import Vintage

_REMEMBERED = timedelta(days=400)


class InstanceStatus(StrEnum):
    """How far an instance has come."""

    LISTED = "listed"
    LANDED = "landed"
    CONVERTED = "converted"
    QUARANTINED = "quarantined"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class SegmentRecord:
    """One segment in the raw bucket."""

    segment_id: str
    key: str
    size_bytes: int
    checksum: str


@dataclass(frozen=True, slots=True)
class LedgerInstance:
    """One instance of one app, as the ledger knows it. `table` is the curated table that its rows belong to.

    `converted_dates` are the ranges that backfills had converted of a snapshot; a daily instance is converted whole.
    """

    app_id: str
    table: str
    granularity: Granularity
    vintage: Vintage
    status: InstanceStatus = InstanceStatus.LISTED
    segments: tuple[SegmentRecord, ...] = ()
    converted_dates: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """Its sort key in the app's partition: sorted by access type and processing date."""
        return (
            f"{_prefix(self.vintage.access_type)}{self.vintage.processing_date.isoformat()}#{self.vintage.instance_id}"
        )

    def landed(self, segments: tuple[SegmentRecord, ...]) -> Self:
        """The same instance with its segments in the raw bucket."""
        return replace(self, status=InstanceStatus.LANDED, segments=segments)


class Instances:
    """The ledger. Every write names the states it may follow."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def add(self, instance: LedgerInstance) -> bool:
        """Note an instance that Apple lists; False when it was known already."""
        expires_at = int((datetime.now(UTC) + _REMEMBERED).timestamp())
        item = {
            "pk": _partition(instance.app_id),
            "sk": instance.key,
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

    def get(self, app_id: str, key: str) -> LedgerInstance | None:
        """One instance, None when the ledger does not know it."""
        item = self._table.get_item(Key={"pk": _partition(app_id), "sk": key}, ConsistentRead=True).get("Item")
        return _instance(item) if item else None

    def since(self, app_id: str, access_type: AccessType, processing_date: date) -> list[LedgerInstance]:
        """The instances of an app from a processing date on, oldest first."""
        first, last = f"{_prefix(access_type)}{processing_date.isoformat()}", f"{_prefix(access_type)}~"
        condition = Key("pk").eq(_partition(app_id)) & Key("sk").between(first, last)
        return [_instance(item) for item in query_items(self._table, condition)]

    def mark_landed(self, instance: LedgerInstance) -> None:
        """Its segments, all of them, are in the raw bucket."""
        segments = [
            {"id": segment.segment_id, "key": segment.key, "bytes": segment.size_bytes, "md5": segment.checksum}
            for segment in instance.segments
        ]
        self._move(instance, InstanceStatus.LANDED, (InstanceStatus.LISTED,), "segments", segments)

    def mark_converted(self, instance: LedgerInstance, dates: frozenset[str]) -> None:
        """Its rows stand in parts. `dates` are the backfill's ranges, for a snapshot."""
        self._move(
            instance,
            InstanceStatus.CONVERTED,
            (InstanceStatus.LANDED, InstanceStatus.CONVERTED),
            "converted_dates",
            sorted(instance.converted_dates | dates),
        )

    def mark_quarantined(self, instance: LedgerInstance, reason: str) -> None:
        """It breaks its report's contract; nothing of it is in the lake."""
        self._move(instance, InstanceStatus.QUARANTINED, (InstanceStatus.LANDED,), "reason", reason)

    def mark_expired(self, instance: LedgerInstance) -> None:
        """Apple no longer has it, and it never landed."""
        reason = "Apple answered 404 before it had landed"
        self._move(instance, InstanceStatus.EXPIRED, (InstanceStatus.LISTED,), "reason", reason)

    def _move(
        self,
        instance: LedgerInstance,
        to: InstanceStatus,
        allowed: tuple[InstanceStatus, ...],
        attribute: str,
        value: Any,
    ) -> None:
        """Move on, unless somebody else already moved it: then what they wrote stands."""
        condition = Attr("status").is_in(list(allowed))
        try:
            self._table.update_item(
                Key={"pk": _partition(instance.app_id), "sk": instance.key},
                UpdateExpression="SET #status = :to, #attribute = :value",
                ConditionExpression=condition,
                ExpressionAttributeNames={"#status": "status", "#attribute": attribute},
                ExpressionAttributeValues={":to": to, ":value": value},
            )
        except ClientError as error:
            if not is_condition_failure(error):
                raise


def _partition(app_id: str) -> str:
    return f"APP#{app_id}"


def _prefix(access_type: AccessType) -> str:
    return f"INSTANCE#{access_type}#"


def _instance(item: dict[str, Any]) -> LedgerInstance:
    _, access_type, processing_date, instance_id = item["sk"].split("#", 3)
    return LedgerInstance(
        app_id=item["pk"].removeprefix("APP#"),
        table=item["table"],
        granularity=Granularity(item["granularity"]),
        vintage=Vintage(date.fromisoformat(processing_date), AccessType(access_type), instance_id),
        status=InstanceStatus(item["status"]),
        segments=tuple(
            SegmentRecord(segment["id"], segment["key"], int(segment["bytes"]), segment["md5"])
            for segment in item.get("segments", ())
        ),
        converted_dates=frozenset(item.get("converted_dates", ())),
    )
