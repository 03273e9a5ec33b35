"""Counters over all time, by atomic ADD."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from appstore_analytics.registry.keys import STATISTICS_KEY

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class Statistics:
    """The counters of the registry since its creation."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def add(self, **counts: int) -> None:
        """Add to counters such as `requests_created` and `duplicates_prevented`; zeros cost nothing."""
        counts = {name: count for name, count in counts.items() if count}
        if counts:
            self._table.update_item(
                Key=STATISTICS_KEY,
                UpdateExpression="ADD " + ", ".join(f"#{name} :{name}" for name in counts),
                ExpressionAttributeNames={f"#{name}": name for name in counts},
                ExpressionAttributeValues={f":{name}": count for name, count in counts.items()},
            )

    def totals(self) -> dict[str, int]:
        """Every counter."""
        item: Mapping[str, Any] = self._table.get_item(Key=STATISTICS_KEY, ConsistentRead=True).get("Item", {})
        return {name: int(count) for name, count in item.items() if name not in STATISTICS_KEY}
