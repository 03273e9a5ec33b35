"""Reading a partition of the registry, page after page."""

from collections.abc import Iterator
from typing import Any


def query_items(table: Any, condition: Any) -> Iterator[dict[str, Any]]:
    """Every item that meets a key condition, in the order of the sort keys, as the last write left it."""
    query = {"KeyConditionExpression": condition, "ConsistentRead": True}
    while True:
        page = table.query(**query)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
