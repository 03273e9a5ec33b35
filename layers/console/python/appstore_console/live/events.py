"""The events of console_live: a page connects or disconnects, the registry's stream, and runs that start or end."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from appstore_analytics.model.clock import Clock
from appstore_analytics.rules.times import run_id
from appstore_console import tickets
from appstore_console.live.connections import Connections
from appstore_console.live.nudges import News, Pages, news_of_records

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

PROTOCOL = "console"
"""The WebSocket subprotocol that a page requests, with its ticket as a second one."""


@dataclass(frozen=True)
class Live:
    """The console's table, the open connections, and the clock."""

    table: "Table"
    connections: Connections
    pages: Pages
    clock: Clock

    def handle(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The response for API Gateway, or the number of nudges sent."""
        if "Records" in event:
            return {"nudges": self.pages.tell(news_of_records(event["Records"]))}
        if "detail" in event:
            return {"nudges": self.pages.tell(_news_of_execution(event["detail"]))}
        connection_id = event["requestContext"]["connectionId"]
        if event["requestContext"]["eventType"] == "CONNECT":
            return self._connect(connection_id, event.get("headers") or {})
        self.connections.remove(connection_id)
        return _status(HTTPStatus.OK)

    def _connect(self, connection_id: str, headers: Mapping[str, str]) -> dict[str, Any]:
        """Accept a connection with a valid ticket, once. The ticket is not in the URL, so it is not in any log."""
        ticket = _ticket_in(headers)
        holder = tickets.redeem(self.table, self.clock, ticket) if ticket else None
        if holder is None:
            return _status(HTTPStatus.UNAUTHORIZED)
        self.connections.add(connection_id, holder)
        return {**_status(HTTPStatus.OK), "headers": {"Sec-WebSocket-Protocol": PROTOCOL}}


def _ticket_in(headers: Mapping[str, str]) -> str:
    """The second of two subprotocols; empty if the page requests anything else."""
    asked = next((value for name, value in headers.items() if name.lower() == "sec-websocket-protocol"), "")
    protocols = [each.strip() for each in asked.split(",")]
    return protocols[1] if len(protocols) == 2 and protocols[0] == PROTOCOL else ""


def _news_of_execution(detail: Mapping[str, Any]) -> News:
    """A run that started or ended, which concerns no single app."""
    seconds, milliseconds = divmod(int(detail["startDate"]), 1000)
    started_at = datetime.fromtimestamp(seconds, UTC) + timedelta(milliseconds=milliseconds)
    return {run_id(started_at, detail["name"]): frozenset()}


def _status(status: HTTPStatus) -> dict[str, Any]:
    return {"statusCode": status.value}
