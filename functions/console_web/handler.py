"""console_web: the console's pages and its login."""

from pathlib import Path
from typing import Any

from appstore_analytics.wiring.telemetry import logger
from appstore_console.connections import open_login_cognito
from appstore_console.login.cognito import Login
from appstore_console.pages import Pages
from appstore_console.settings import LoginSettings
from appstore_console.web import answer

SETTINGS = LoginSettings.from_environment()
PAGES = Pages(Path(__file__).parent / "pages", SETTINGS.live_url)
LOGIN = Login(open_login_cognito(), SETTINGS.user_pool_client_id)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
    """See appstore_console/web.py."""
    return answer(event, PAGES, LOGIN)
