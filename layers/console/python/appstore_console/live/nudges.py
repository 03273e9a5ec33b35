"""A nudge says only that a run has changed: the page then reads the API, with its own rights."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from appstore_analytics.registry.keys import parse_run_key
from appstore_console.live.connections import Connection, Connections

if TYPE_CHECKING:
    from mypy_boto3_apigatewaymanagementapi import ApiGatewayManagementApiClient

_AT_ONCE = 16

News = Mapping[str, frozenset[str]]
"""The changed apps by run. Changes that concern no single app add none."""


def news_of_records(records: Iterable[Mapping[str, Any]]) -> News:
    """The changes in a batch of the registry's stream. Many records of one run make one nudge."""
    app_ids: dict[str, set[str]] = defaultdict(set)
    for record in records:
        keys = record["dynamodb"]["Keys"]
        run_id, app_id = parse_run_key({name: value["S"] for name, value in keys.items()})
        app_ids[run_id] |= {app_id} - {""}
    return {run_id: frozenset(apps) for run_id, apps in app_ids.items()}


class Pages:
    """The open connections, and the endpoint that sends to them."""

    def __init__(self, connections: Connections, gateway: "ApiGatewayManagementApiClient") -> None:
        self._connections = connections
        self._gateway = gateway

    def tell(self, news: News) -> int:
        """Nudge every connection that can see the change, and close expired ones. Returns the number of nudges."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return sum(pool.map(lambda connection: self._tell_one(connection, news), self._connections.all()))

    def _tell_one(self, connection: Connection, news: News) -> int:
        if connection.has_expired:
            self._close(connection.connection_id)
            return 0
        runs = [run_id for run_id, app_ids in news.items() if connection.may_hear(app_ids)]
        try:
            for run_id in runs:
                message = json.dumps({"run": run_id}).encode()
                self._gateway.post_to_connection(ConnectionId=connection.connection_id, Data=message)
        except self._gateway.exceptions.GoneException:
            self._connections.remove(connection.connection_id)
            return 0
        return len(runs)

    def _close(self, connection_id: str) -> None:
        """The page then connects again with a new ticket, if it can still get one."""
        self._connections.remove(connection_id)
        try:
            self._gateway.delete_connection(ConnectionId=connection_id)
        except self._gateway.exceptions.GoneException:
            return  # it was closed already
