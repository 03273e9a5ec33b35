"""The waits of runs, to be shown during the run and afterwards."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key
from botocore.exceptions import ClientError

from appstore_analytics.contract.waits import WaitFor
from appstore_analytics.model.waits import Wait
from appstore_analytics.registry.conditions import is_condition_failure
from appstore_analytics.registry.keys import WAITS_PREFIX, run_partition, wait_key
from appstore_analytics.registry.queries import query_items
from appstore_analytics.registry.runs import REMEMBERED

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class Waits:
    """The waits of every run. Waits for the same reason that end in the same minute are one item."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def note(self, run_id: str, waits_for: WaitFor, until: datetime, now: datetime) -> None:
        """Record that a step, or the whole run, comes back at `until`."""
        self._table.update_item(
            Key=wait_key(run_id, waits_for, until),
            UpdateExpression=(
                "SET waits_for = :what, #until = :until, since = if_not_exists(since, :now), expires_at = :expires_at "
                "ADD #times :one"
            ),
            ExpressionAttributeNames={"#until": "until", "#times": "times"},
            ExpressionAttributeValues={
                ":what": waits_for,
                ":until": int(until.timestamp()),
                ":now": int(now.timestamp()),
                ":expires_at": int((now + REMEMBERED).timestamp()),
                ":one": 1,
            },
        )

    def end(self, run_id: str, waits_for: WaitFor, until: datetime, now: datetime) -> None:
        """Record that the wait that was to end at `until` is over. Without such a wait nothing is recorded."""
        try:
            self._table.update_item(
                Key=wait_key(run_id, waits_for, until),
                UpdateExpression="SET #until = :now",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeNames={"#until": "until"},
                ExpressionAttributeValues={":now": int(now.timestamp())},
            )
        except ClientError as error:
            if not is_condition_failure(error):
                raise

    def of_run(self, run_id: str) -> Iterator[Wait]:
        """The past and current waits of a run, by their end."""
        condition = Key("pk").eq(run_partition(run_id)) & Key("sk").begins_with(WAITS_PREFIX)
        return map(_wait, query_items(self._table, condition))


def _wait(item: dict[str, Any]) -> Wait:
    since, until = (datetime.fromtimestamp(int(item[name]), UTC) for name in ("since", "until"))
    return Wait(WaitFor(item["waits_for"]), since, until, int(item["times"]))
