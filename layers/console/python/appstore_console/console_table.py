"""Every key of the console's DynamoDB table is built here. Items expire via the TTL attribute `expires_at`.

pk                   sk                 one item per
TICKET#<sha256>      TICKET             ticket for one connection of a live page
LIVE                 <connection id>    open connection of a live page
PLAN#<plan id>       PLAN               plan of a run, until it expires
LOCK#<name>          LOCK               lock while it is held
"""

from collections.abc import Mapping
from typing import Any

Key = dict[str, str]

LIVE_PARTITION = "LIVE"


def ticket_key(digest: str) -> Key:
    """The key of a ticket, by its hash."""
    return {"pk": f"TICKET#{digest}", "sk": "TICKET"}


def connection_key(connection_id: str) -> Key:
    """The key of an open connection."""
    return {"pk": LIVE_PARTITION, "sk": connection_id}


def plan_key(plan_id: str) -> Key:
    """The key of a plan."""
    return {"pk": f"PLAN#{plan_id}", "sk": "PLAN"}


def lock_key(name: str) -> Key:
    """The key of a lock."""
    return {"pk": f"LOCK#{name}", "sk": "LOCK"}


def connection_id_of(key: Mapping[str, Any]) -> str:
    """The connection in a key that `connection_key` built."""
    return str(key["sk"])
