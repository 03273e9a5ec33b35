"""Opens the clients with which send_digest sends."""

from functools import partial
from typing import TYPE_CHECKING

import requests

from appstore_analytics.contract.settings import SLACK_HOSTS
from appstore_analytics.slack.webhook import post, read_webhook
from appstore_analytics.wiring.clock import utc_now
from appstore_console.connections import DatabaseClients, open_cognito, open_ses
from appstore_console.console import Console
from appstore_console.database.connection import Database
from appstore_console.database.data import ApplicationData
from appstore_console.database.digests_sent import StoredDigestsSent
from appstore_console.digest.mailbox import Mailbox
from appstore_console.digest.sending import WeeklyDigest
from appstore_console.opened import open_installation, open_links
from appstore_console.people import Accounts
from appstore_console.settings import DatabaseSettings, DigestSettings, PipelineSettings, UserPoolSettings
from appstore_console.signed_in import today_of

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


def open_digest(
    pipeline: PipelineSettings, database: DatabaseSettings, pool: UserPoolSettings, digest: DigestSettings
) -> WeeklyDigest:
    """The digest. It changes no users, so it needs no lock."""
    clients = DatabaseClients()
    connection = Database(database, clients)
    console = Console(partial(open_installation, pipeline), ApplicationData.over(connection), utc_now)
    return WeeklyDigest(
        console,
        StoredDigestsSent(connection),
        today_of(Accounts(open_cognito(), pool.user_pool_id, None, utc_now)),
        Mailbox(open_ses(), digest.digest_sender),
        open_links(clients.secrets_manager, digest.unsubscribe_secret, digest.console_url),
        partial(_post, clients.secrets_manager, digest.digest_slack_secret) if digest.digest_slack_secret else None,
    )


def _post(secrets: "SecretsManagerClient", secret: str, text: str) -> None:
    """The URL is read every time: digests are rare, and a new URL takes effect at once."""
    url = read_webhook(secrets, secret, SLACK_HOSTS, allow_loopback=False)
    post(requests.Session(), url, text)
