"""DynamoDB's errors for a failed condition."""

from typing import Any

from botocore.exceptions import ClientError


def is_condition_failure(error: ClientError) -> bool:
    """Whether the write failed because of its own condition, which is an answer and not a fault."""
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"


def item_that_stood(error: ClientError) -> dict[str, Any]:
    """The item as it was when the condition failed, in DynamoDB's typed form (ReturnValuesOnConditionCheckFailure)."""
    item: dict[str, Any] = error.response.get("Item") or {}  # type: ignore[assignment]
    return item
