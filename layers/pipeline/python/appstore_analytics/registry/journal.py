"""The journal of part writes: noted before they happen, read by a rollback.

A line belongs to the run, the instance and the Date. A write that was noted and never happened does no harm, because a
rollback decides by what stands in S3.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

from boto3.dynamodb.conditions import Key

from appstore_analytics.contract.layout import RUN_PARTITION, TableDate
from appstore_analytics.model.parts import JournalLine, PartVersion
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.registry.instances import instance_key
from appstore_analytics.registry.queries import query_items
from appstore_analytics.registry.runs import REMEMBERED


class Journal:
    """The journal lines of every run."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def note(self, lines: Iterable[JournalLine]) -> None:
        """Note writes that are about to happen, 25 a request. Who tries again notes again, by what stands now."""
        expires_at = int((datetime.now(UTC) + REMEMBERED).timestamp())
        with self._table.batch_writer() as batch:
            for line in lines:
                before = {} if line.before is None else {"before": _written(line.before)}
                batch.put_item({**_key(line), "vintage": str(line.vintage), **before, "expires_at": expires_at})

    def of_instance(self, run_id: str, app_id: str, vintage: Vintage) -> Iterator[JournalLine]:
        """What a run noted of one instance, by table and Date."""
        condition = Key("pk").eq(RUN_PARTITION.format(run_id)) & Key("sk").begins_with(_prefix(app_id, vintage))
        return map(_line, query_items(self._table, condition))

    def of_version(self, table_date: TableDate, app_id: str, version: PartVersion) -> JournalLine | None:
        """The line of a write that stands or stood; None when it is no longer remembered."""
        key = _key(JournalLine(version.run_id, app_id, version.vintage, table_date, None))
        item = self._table.get_item(Key=key, ConsistentRead=True).get("Item")
        return _line(item) if item else None

    def take_back(self, line: JournalLine, rollback_run_id: str) -> None:
        """Say that this write does not count any more. The first rollback that says so keeps its name there."""
        self._table.update_item(
            Key=_key(line),
            UpdateExpression="SET taken_back_by = if_not_exists(taken_back_by, :rollback)",
            ExpressionAttributeValues={":rollback": rollback_run_id},
        )


def _prefix(app_id: str, vintage: Vintage) -> str:
    return f"PART#{app_id}#{instance_key(vintage)}#"


def _key(line: JournalLine) -> dict[str, str]:
    place = f"{line.table_date.table}#{line.table_date.day.isoformat()}"
    return {"pk": RUN_PARTITION.format(line.run_id), "sk": f"{_prefix(line.app_id, line.vintage)}{place}"}


def _written(version: PartVersion) -> dict[str, str]:
    return {**asdict(version), "vintage": str(version.vintage)}


def _line(item: dict[str, Any]) -> JournalLine:
    _, app_id, _ = item["sk"].split("#", 2)
    _, table, day = item["sk"].rsplit("#", 2)
    before = item.get("before")
    return JournalLine(
        run_id=item["pk"].removeprefix(RUN_PARTITION.format("")),
        app_id=app_id,
        vintage=Vintage.parse(item["vintage"]),
        table_date=TableDate(table, date.fromisoformat(day)),
        before=before and PartVersion(**{**before, "vintage": Vintage.parse(before["vintage"])}),
        taken_back_by=item.get("taken_back_by", ""),
    )
