"""A Slack incoming webhook. Its URL is a credential: it is kept in a secret and never in a log, error or state."""

from collections.abc import Collection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from appstore_analytics.contract.errors import ConfigurationRefused

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_TIMEOUT_SECONDS = (5, 10)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class NotDeliveredError(Exception):
    """Slack did not accept the message. Lambda retries twice, then sends it to the dead-letter queue."""


def read_webhook(secrets: "SecretsManagerClient", secret: str, hosts: Collection[str], *, allow_loopback: bool) -> str:
    """The URL in a secret; ConfigurationRefused names the secret if it holds no https URL of one of the hosts."""
    url = str(secrets.get_secret_value(SecretId=secret)["SecretString"]).strip()
    if not _may_be_called(url, hosts, allow_loopback=allow_loopback):
        raise ConfigurationRefused(
            f"The secret '{secret}' must hold the URL of a Slack incoming webhook: https://{sorted(hosts)[0]}/services/…"
        )
    return url


def post(session: requests.Session, url: str, text: str) -> None:
    """Post one message. NotDeliveredError does not contain the URL, unlike the errors of `requests`."""
    try:
        answer = session.post(url, json={"text": text}, timeout=_TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        raise NotDeliveredError(f"Slack could not be reached: {type(error).__name__}.") from None
    if answer.status_code != 200:
        raise NotDeliveredError(f"Slack answered {answer.status_code} to a message.")


def _may_be_called(url: str, hosts: Collection[str], *, allow_loopback: bool) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    if allow_loopback and parts.hostname in _LOOPBACK:
        return True
    # a user or a port can hide the real host
    return parts.scheme == "https" and parts.hostname in hosts and port is None and parts.username is None
