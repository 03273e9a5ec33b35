"""A nudge says that there is news of a run, and no more: the page asks the API again, with its own rights."""

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
"""By run the apps that its changes are about. Changes of no single app bring none."""


def news_of_records(records: Iterable[Mapping[str, Any]]) -> News:
    """What a batch of the registry's stream tells. However many records of a run it has, that is one nudge."""
    app_ids: dict[str, set[str]] = defaultdict(set)
    for record in records:
        keys = record["dynamodb"]["Keys"]
        run_id, app_id = parse_run_key({name: value["S"] for name, value in keys.items()})
        app_ids[run_id] |= {app_id} - {""}
    return {run_id: frozenset(apps) for run_id, apps in app_ids.items()}


class Pages:
    """The pages that listen, and the way to them."""

    def __init__(self, connections: Connections, gateway: "ApiGatewayManagementApiClient") -> None:
        self._connections = connections
        self._gateway = gateway

    def tell(self, news: News) -> int:
        """Nudge every page that may hear of it, and close those that have been open for too long; how many nudges."""
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
        """The page opens another connection with a new ticket, if it still may."""
        self._connections.remove(connection_id)
        try:
            self._gateway.delete_connection(ConnectionId=connection_id)
        except self._gateway.exceptions.GoneException:
            return  # it was closed already
