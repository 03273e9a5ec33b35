"""The items of a run, from plan to verdict.

A manifest item is *planned* first; its terminal record is the same DynamoDB item with a verdict. So an item that died
is still there, without a verdict, and counts as failed.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.model.clock import Clock
from appstore_analytics.model.items import Item, ItemRecord
from appstore_analytics.registry.conditions import is_condition_failure
from appstore_analytics.registry.keys import item_key, items_prefix, record_key, record_of, run_partition
from appstore_analytics.registry.pages import ON_THE_ITEM, read_pages, write_pages
from appstore_analytics.registry.queries import query_items
from appstore_analytics.registry.reservation import Reservation

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

REMEMBERED = timedelta(days=90)
"""The retention of a run's items and of the journal of its writes."""

_LANDED = "landed"


class Runs:
    """The items of runs."""

    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def plan(self, item: Item, **facts: Any) -> bool:
        """Plan an item, with known facts; False if it is planned already."""
        expires_at = int((self._clock() + REMEMBERED).timestamp())
        key = item_key(item)
        event = {**item.to_event(), "record": record_of(key)}  # for the state machine to write a caught error
        planned = {**key, "event": event, **facts, "expires_at": expires_at}
        try:
            self._table.put_item(Item=planned, ConditionExpression=Attr("pk").not_exists())
        except ClientError as error:
            if is_condition_failure(error):
                return False
            raise
        return True

    def plan_again(self, item: Item) -> None:
        """Plan an item again that can have ended in an earlier pass of the same run; its facts are kept."""
        if not self.plan(item):
            self._table.update_item(
                Key=item_key(item),
                UpdateExpression="REMOVE verdict, reason, #error",
                ExpressionAttributeNames={"#error": "error"},
            )

    def note(self, item: Item, calls: int = 0, **facts: Any) -> None:
        """Record facts about an item that has not ended. `calls` to App Store Connect add up."""
        self._write(item, calls, facts)

    def note_landed(self, item: Item, rows: Sequence[dict[str, Any]], calls: int, **facts: Any) -> None:
        """Store the segments that an item has landed, one row each; there can be any number."""
        expires_at = int((self._clock() + REMEMBERED).timestamp())
        pages = write_pages(self._table, item_key(item), _LANDED, rows[ON_THE_ITEM:], expires_at)
        self._write(item, calls, {**facts, "landed": rows[:ON_THE_ITEM], "landed_pages": pages})

    def landed(self, run_id: str, record: ItemRecord) -> Iterator[dict[str, Any]]:
        """The segments that an item has landed."""
        yield from record.facts.get("landed", ())
        pages = int(record.facts.get("landed_pages", 0))
        yield from read_pages(self._table, record_key(run_id, record.record), _LANDED, pages)

    @contextmanager
    def calls_of_a_failure(self, item: Item, calls: Reservation) -> Iterator[None]:
        """Count the calls of a block that fails with any error; a block that succeeds counts them in its own write."""
        try:
            yield
        except BaseException:
            self.note(item, calls.made)
            raise

    def finish(self, item: Item, verdict: Verdict, reason: str = "", calls: int = 0, **facts: Any) -> None:
        """Write an item's terminal record. A second write changes only `calls`, which add up."""
        self._write(item, calls, {**facts, "verdict": verdict, "reason": reason})

    def of_map(self, run_id: str, map_name: MapName, *names: str) -> Iterator[ItemRecord]:
        """The items of one Map, sorted; `names` narrow them to those whose identity begins with them."""
        condition = Key("pk").eq(run_partition(run_id)) & Key("sk").begins_with(items_prefix(map_name, *names))
        return map(_record, query_items(self._table, condition))

    def ends_of_map(
        self, run_id: str, map_name: MapName, *names: str, facts: Sequence[str] = ()
    ) -> Iterator[ItemRecord]:
        """The same with only the outcome of each item and these facts: a run of a thousand apps has 26,000 items."""
        condition = Key("pk").eq(run_partition(run_id)) & Key("sk").begins_with(items_prefix(map_name, *names))
        return map(_record, query_items(self._table, condition, ("pk", "sk", "verdict", "error", *facts)))

    def get(self, item: Item) -> ItemRecord | None:
        """One item, None if it was never planned."""
        found = self._table.get_item(Key=item_key(item), ConsistentRead=True).get("Item")
        return _record(found) if found else None

    def _write(self, item: Item, calls: int, facts: dict[str, Any]) -> None:
        sets = ["SET " + ", ".join(f"#{name} = :{name}" for name in facts)] if facts else []
        adds = ["ADD #calls :calls"] if calls else []
        if not sets + adds:
            return
        values = {**facts, "calls": calls} if calls else facts
        self._table.update_item(
            Key=item_key(item),
            UpdateExpression=" ".join(sets + adds),
            ExpressionAttributeNames={f"#{name}": name for name in values},
            ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
        )


def open_items(records: Iterable[ItemRecord]) -> Iterator[dict[str, Any]]:
    """The events of items without a verdict: the work of a Map."""
    return (record.event for record in records if record.verdict is None)


_OWN = frozenset({"pk", "sk", "event", "verdict", "reason", "error", "expires_at"})


def _record(item: dict[str, Any]) -> ItemRecord:
    return ItemRecord(
        record=record_of(item),
        event=item.get("event", {}),
        verdict=Verdict(item["verdict"]) if "verdict" in item else None,
        reason=item.get("reason", ""),
        error=item.get("error", ""),
        facts={name: value for name, value in item.items() if name not in _OWN},
    )
