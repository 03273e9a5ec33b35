"""Queries of a partition of the registry, page by page."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import ConditionBase

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_dynamodb.type_defs import QueryInputTableQueryTypeDef


def query_items(table: "Table", condition: ConditionBase, attributes: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """Every item that meets a key condition, in the order of the sort keys, read consistently.

    With `attributes` the items have only these attributes.
    """
    query: QueryInputTableQueryTypeDef = {"KeyConditionExpression": condition, "ConsistentRead": True}
    if attributes:
        query["ProjectionExpression"] = ", ".join(f"#{name}" for name in attributes)
        query["ExpressionAttributeNames"] = {f"#{name}": name for name in attributes}
    while True:
        page = table.query(**query)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
