"""Lists that belong to an item and are too long for it: DynamoDB limits an item to 400 KB.

Apple states no limit on the segments of an instance. The first entries are in the item itself, the others in separate
pages. An entry is some 300 bytes, and 800 with the longest ids: a page of 200 is 160 KB at most.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from appstore_analytics.registry.keys import Key, page_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

ON_THE_ITEM = 100
"""The number of entries in the item itself; hardly any list is longer."""

_ON_A_PAGE = 200

Entry = dict[str, Any]


def write_pages(table: "Table", key: Key, name: str, entries: Sequence[Entry], expires_at: int) -> int:
    """Write `entries` to pages of the list `name`. Returns the number of pages. A second run writes the same pages."""
    starts = range(0, len(entries), _ON_A_PAGE)
    for page, start in enumerate(starts):
        table.update_item(
            Key=page_key(key, name, page),
            UpdateExpression="SET entries = :entries, expires_at = :expires_at",
            ExpressionAttributeValues={
                ":entries": json.dumps(entries[start : start + _ON_A_PAGE]),
                ":expires_at": expires_at,
            },
        )
    return len(starts)


def read_pages(table: "Table", key: Key, name: str, pages: int) -> Iterator[Entry]:
    """The entries that `write_pages` wrote, in order."""
    for page in range(pages):
        item: dict[str, Any] = table.get_item(Key=page_key(key, name, page), ConsistentRead=True)["Item"]
        yield from json.loads(item["entries"])


def list_name(entries: Sequence[Entry]) -> str:
    """A name for a list that no other list has: two writers of different lists never share a page."""
    return hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()[:16]
