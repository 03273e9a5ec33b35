"""console_migrate: migrates the database to the code's schema when the console is deployed, and reads copies of it."""

from typing import Any

from appstore_analytics.wiring.telemetry import logger
from appstore_console.connections import DatabaseClients
from appstore_console.database.administering import administer
from appstore_console.settings import DatabaseRoleSettings, DatabaseSettings

DATABASE = DatabaseSettings.from_environment()
ROLES = DatabaseRoleSettings.from_environment()
CLIENTS = DatabaseClients()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
    """See appstore_console/database/administering.py."""
    return administer(event, DATABASE, ROLES, CLIENTS)
