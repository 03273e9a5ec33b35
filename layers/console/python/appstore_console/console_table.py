"""Every key of the console's DynamoDB table is built here. Items expire via the TTL attribute `expires_at`.

pk                   sk                 one item per
TICKET#<sha256>      TICKET             ticket that opens one connection of a live page
LIVE                 <connection id>    open connection of a live page
"""

Key = dict[str, str]

LIVE_PARTITION = "LIVE"


def ticket_key(digest: str) -> Key:
    """The key of a ticket, by its hash."""
    return {"pk": f"TICKET#{digest}", "sk": "TICKET"}


def connection_key(connection_id: str) -> Key:
    """The key of an open connection."""
    return {"pk": LIVE_PARTITION, "sk": connection_id}
