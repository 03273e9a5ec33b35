"""console_read: the API's reading routes, which need only the token's rights."""

from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from appstore_analytics.wiring.clock import utc_now
from appstore_analytics.wiring.telemetry import logger
from appstore_console.console import Console
from appstore_console.http.api import Api
from appstore_console.http.asked import Asking
from appstore_console.opened import open_data, open_installation
from appstore_console.routes.reading import READING
from appstore_console.settings import DatabaseSettings, PipelineSettings

PIPELINE = PipelineSettings.from_environment()
DATA = open_data(DatabaseSettings.from_environment())
API = Api(READING, Asking(Console(partial(open_installation, PIPELINE), DATA, utc_now, PIPELINE.daily_schedule)))


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """See appstore_console/routes/reading.py."""
    return API(event, context)
