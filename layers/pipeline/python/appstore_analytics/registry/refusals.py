"""Entries of Apple's lists that no run can use: remembered, so that only the first run that meets one fails."""

from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Attr
from botocore.exceptions import ClientError

from appstore_analytics.model.clock import Clock
from appstore_analytics.registry.conditions import is_condition_failure
from appstore_analytics.registry.keys import refusal_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_REMEMBERED = timedelta(days=400)


class Refusals:
    """The refused entries of every app."""

    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def add(self, app_id: str, table: str, name: str, reason: str) -> bool:
        """Record why an entry of a table's list is refused; False if that is known already."""
        digest = sha256(f"{name}\n{reason}".encode()).hexdigest()[:16]
        item: dict[str, str | int] = {
            **refusal_key(app_id, table, digest),
            "name": name,
            "reason": reason,
            "expires_at": int((self._clock() + _REMEMBERED).timestamp()),
        }
        try:
            self._table.put_item(Item=item, ConditionExpression=Attr("pk").not_exists())
        except ClientError as error:
            if is_condition_failure(error):
                return False
            raise
        return True
