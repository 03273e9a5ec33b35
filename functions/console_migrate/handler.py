"""console_migrate: migrates the database to the code's schema when the console is deployed."""

from typing import Any

from appstore_analytics.wiring.telemetry import logger
from appstore_console.connections import DatabaseClients
from appstore_console.custom_resource import answer
from appstore_console.database.migrate import migrate
from appstore_console.settings import DatabaseRoleSettings, DatabaseSettings

DATABASE = DatabaseSettings.from_environment()
ROLES = DatabaseRoleSettings.from_environment()
CLIENTS = DatabaseClients()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _: object) -> list[str]:
    """See appstore_console/custom_resource.py."""
    return answer(event, lambda: migrate(DATABASE, ROLES, CLIENTS))
