"""send_digest: sends the weekly digest to every subscriber, on Mondays."""

from typing import Any

from appstore_analytics.wiring.machine_errors import names_machine_errors
from appstore_analytics.wiring.telemetry import logger
from appstore_console.digest.opened import open_digest
from appstore_console.settings import DatabaseSettings, DigestSettings, PipelineSettings, UserPoolSettings

DIGEST = open_digest(
    PipelineSettings.from_environment(),
    DatabaseSettings.from_environment(),
    UserPoolSettings.from_environment(),
    DigestSettings.from_environment(),
)


@logger.inject_lambda_context(clear_state=True)
@names_machine_errors("send_digest")
def handler(_event: dict[str, Any], _: object) -> dict[str, int]:
    """See appstore_console/digest/sending.py."""
    return DIGEST.send()
