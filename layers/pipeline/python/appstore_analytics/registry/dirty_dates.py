"""Dates whose parts have changed since they were last published and verified.

    convert_instance   writes its parts ─► mark (fresh token)
    publish_date       token ─► lists the parts … writes the table
    verify_table       counts in Athena ─► clear, only if the token is unchanged

A part written after the listing has a newer token, so its mark survives and the next run publishes it.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

from appstore_analytics.contract.layout import TableDate
from appstore_analytics.registry.conditions import is_condition_failure
from appstore_analytics.registry.keys import dirty_key, dirty_partition, parse_dirty_key
from appstore_analytics.registry.queries import query_items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class DirtyDates:
    """The marks, one partition per table."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def mark(self, table_date: TableDate) -> None:
        """Mark a Date dirty. A second mark only renews the token."""
        self._table.put_item(Item=_mark(table_date))

    def mark_all(self, table_dates: Iterable[TableDate]) -> None:
        """Mark many Dates, 25 per request; a crash in between leaves some of them marked."""
        with self._table.batch_writer() as batch:
            for table_date in table_dates:
                batch.put_item(_mark(table_date))

    def of_table(self, table: str) -> Iterator[TableDate]:
        """The dirty Dates of one table, oldest first."""
        for item in query_items(self._table, Key("pk").eq(dirty_partition(table))):
            yield parse_dirty_key(item)

    def token(self, table_date: TableDate) -> str | None:
        """The current token of the mark; None if the Date is clean. Read it before listing the parts."""
        item = self._table.get_item(Key=dirty_key(table_date), ConsistentRead=True).get("Item")
        return str(item["token"]) if item else None

    def clear(self, table_date: TableDate, token: str) -> bool:
        """Clear the mark if its token is unchanged; False if the Date was marked again."""
        try:
            self._table.delete_item(Key=dirty_key(table_date), ConditionExpression=Attr("token").eq(token))
        except ClientError as error:
            if is_condition_failure(error):
                return False
            raise
        return True


def _mark(table_date: TableDate) -> dict[str, str]:
    return {**dirty_key(table_date), "token": uuid4().hex}
