"""console_act: the API's routes that change something, and data for admins only."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from appstore_analytics.wiring.clock import utc_now
from appstore_analytics.wiring.telemetry import logger
from appstore_console.audited import Audit
from appstore_console.connections import open_console_table
from appstore_console.console import Console, Desk
from appstore_console.http.api import Api
from appstore_console.http.asked import Asking
from appstore_console.opened import open_accounts, open_data, open_installation, open_unsubscribing
from appstore_console.routes.acting import ACTING
from appstore_console.settings import (
    ActSettings,
    ConsoleTableSettings,
    DatabaseSettings,
    PipelineSettings,
    UserPoolSettings,
)
from appstore_console.signed_in import today_of

PIPELINE = PipelineSettings.from_environment()
SETTINGS = ActSettings.from_environment()
TABLE = open_console_table(ConsoleTableSettings.from_environment().console_table)
ACCOUNTS = open_accounts(UserPoolSettings.from_environment(), TABLE)
CONSOLE = Console(
    lambda: open_installation(PIPELINE),
    open_data(DatabaseSettings.from_environment()),
    utc_now,
    PIPELINE.daily_schedule,
    desk=Desk(ACCOUNTS, TABLE, SETTINGS.live_url, has_digests=bool(SETTINGS.unsubscribe_secret)),
)
AUDIT = Audit(CONSOLE.data.audit)
API = Api(ACTING, Asking(CONSOLE, today_of(ACCOUNTS), AUDIT), AUDIT)
ANSWERS = open_unsubscribing(API, CONSOLE.data, SETTINGS.unsubscribe_secret)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """See appstore_console/routes/acting.py."""
    return ANSWERS(event, context)
