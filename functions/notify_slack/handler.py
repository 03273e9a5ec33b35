"""notify_slack: takes alarms from the topic and posts each one to Slack."""

from functools import partial
from typing import Any

import requests

from appstore_analytics.contract.settings import NotifySlackSettings
from appstore_analytics.slack.webhook import post, read_webhook
from appstore_analytics.steps.notify_slack import notify_slack
from appstore_analytics.wiring.connections import open_secrets_manager
from appstore_analytics.wiring.machine_errors import names_machine_errors
from appstore_analytics.wiring.telemetry import logger

SETTINGS = NotifySlackSettings.from_environment()
SECRETS = open_secrets_manager()
SESSION = requests.Session()


@logger.inject_lambda_context(clear_state=True)
@names_machine_errors("notify_slack")
def handler(event: dict[str, Any], _: object) -> None:
    """See steps/notify_slack.py. The URL is read for each message, so a new one takes effect at once."""
    url = read_webhook(SECRETS, SETTINGS.webhook_secret, SETTINGS.hosts, allow_loopback=SETTINGS.allow_loopback)
    notify_slack(event, partial(post, SESSION, url))
