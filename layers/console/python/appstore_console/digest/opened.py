"""Opening what send_digest sends with, and what console_act checks the links of a digest with."""

from functools import cache, partial
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
from appstore_console.digest.links import Links
from appstore_console.digest.mailbox import Mailbox
from appstore_console.digest.sending import WeeklyDigest
from appstore_console.digest.unsubscribing import Unsubscribing
from appstore_console.http.api import Api
from appstore_console.opened import open_installation
from appstore_console.people import Accounts
from appstore_console.settings import DatabaseSettings, DigestSettings, PipelineSettings, UserPoolSettings
from appstore_console.signed_in import today_of

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


def open_digest(
    pipeline: PipelineSettings, database: DatabaseSettings, pool: UserPoolSettings, digest: DigestSettings
) -> WeeklyDigest:
    """The digest; it changes nobody, so it needs no lock."""
    clients = DatabaseClients()
    connection = Database(database, clients)
    console = Console(partial(open_installation, pipeline), ApplicationData.over(connection), utc_now)
    return WeeklyDigest(
        console,
        StoredDigestsSent(connection),
        today_of(Accounts(open_cognito(), pool.user_pool_id, None, utc_now)),
        Mailbox(open_ses(), digest.digest_sender),
        _links(clients.secrets_manager, digest.unsubscribe_secret, digest.console_url),
        partial(_post, clients.secrets_manager, digest.digest_slack_secret) if digest.digest_slack_secret else None,
    )


def open_unsubscribing(api: Api, data: ApplicationData, secret: str) -> Unsubscribing:
    """The page that ends a digest, in front of the API; `secret` is empty where no digests are sent."""
    links = _links(DatabaseClients().secrets_manager, secret) if secret else None
    return Unsubscribing(api, data.subscriptions, data.audit, links)


def _links(secrets: "SecretsManagerClient", secret: str, console_url: str = "") -> Links:
    """Signed with this secret, which is read when it is first needed."""

    @cache
    def read() -> str:
        return secrets.get_secret_value(SecretId=secret)["SecretString"]

    return Links(console_url.rstrip("/"), read)


def _post(secrets: "SecretsManagerClient", secret: str, text: str) -> None:
    """The URL is read each time: a digest is rare, and a new one counts at once."""
    url = read_webhook(secrets, secret, SLACK_HOSTS, allow_loopback=False)
    post(requests.Session(), url, text)
