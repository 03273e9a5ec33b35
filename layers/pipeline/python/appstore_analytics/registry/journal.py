"""The journal of part writes: recorded before they happen, read by a rollback.

A line belongs to the run, the instance and the Date. A write that was recorded but never happened does no harm, because
a rollback decides by the objects in S3.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key

from appstore_analytics.contract.layout import TableDate
from appstore_analytics.model.clock import Clock
from appstore_analytics.model.parts import JournalLine, PartVersion
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.registry.keys import journal_key, journal_prefix, parse_journal_key, run_partition
from appstore_analytics.registry.queries import query_items
from appstore_analytics.registry.runs import REMEMBERED

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class Journal:
    """The journal lines of every run."""

    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def note(self, lines: Iterable[JournalLine]) -> None:
        """Record writes that are about to happen, 25 per request. A retry records again, with the current versions."""
        expires_at = int((self._clock() + REMEMBERED).timestamp())
        with self._table.batch_writer() as batch:
            for line in lines:
                before = {} if line.before is None else {"before": _written(line.before)}
                batch.put_item({**_key(line), "vintage": str(line.vintage), **before, "expires_at": expires_at})

    def of_instance(self, run_id: str, app_id: str, vintage: Vintage) -> Iterator[JournalLine]:
        """A run's lines for one instance, by table and Date."""
        condition = Key("pk").eq(run_partition(run_id)) & Key("sk").begins_with(journal_prefix(app_id, vintage))
        return map(_line, query_items(self._table, condition))

    def of_version(self, table_date: TableDate, app_id: str, version: PartVersion) -> JournalLine | None:
        """The line of a current or earlier write; None if it has expired."""
        key = journal_key(version.run_id, app_id, version.vintage, table_date)
        item = self._table.get_item(Key=key, ConsistentRead=True).get("Item")
        return _line(item) if item else None

    def take_back(self, line: JournalLine, rollback_run_id: str) -> None:
        """Record that this write is taken back. The name of the first rollback that does so is kept."""
        self._table.update_item(
            Key=_key(line),
            UpdateExpression="SET taken_back_by = if_not_exists(taken_back_by, :rollback)",
            ExpressionAttributeValues={":rollback": rollback_run_id},
        )


def _key(line: JournalLine) -> dict[str, str]:
    return journal_key(line.run_id, line.app_id, line.vintage, line.table_date)


def _written(version: PartVersion) -> dict[str, str]:
    return {**asdict(version), "vintage": str(version.vintage)}


def _line(item: dict[str, Any]) -> JournalLine:
    run_id, app_id, table_date = parse_journal_key(item)
    before = item.get("before")
    return JournalLine(
        run_id=run_id,
        app_id=app_id,
        vintage=Vintage.parse(item["vintage"]),
        table_date=table_date,
        before=before and PartVersion(**{**before, "vintage": Vintage.parse(before["vintage"])}),
        taken_back_by=item.get("taken_back_by", ""),
    )
