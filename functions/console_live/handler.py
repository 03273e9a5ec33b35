"""console_live: connections of live pages, and the nudges that they get."""

from typing import Any

from appstore_analytics.wiring.clock import utc_now
from appstore_analytics.wiring.telemetry import logger
from appstore_console.connections import open_console_table, open_live_gateway
from appstore_console.live.connections import Connections
from appstore_console.live.events import Live
from appstore_console.live.nudges import Pages
from appstore_console.settings import ConsoleTableSettings

TABLE = open_console_table(ConsoleTableSettings.from_environment().console_table)
CONNECTIONS = Connections(TABLE, utc_now)
LIVE = Live(TABLE, CONNECTIONS, Pages(CONNECTIONS, open_live_gateway()), utc_now)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
    """See appstore_console/live/events.py."""
    return LIVE.handle(event)
