"""Opening what the API's two functions answer from. Apart from connections.py, because the others need none of it."""

from functools import cache
from typing import TYPE_CHECKING

from appstore_analytics.answers.installation import Installation
from appstore_analytics.wiring.clock import utc_now
from appstore_console.connections import DatabaseClients, PipelineClients, open_cognito
from appstore_console.database.connection import Database
from appstore_console.database.data import ApplicationData
from appstore_console.digest.links import Links
from appstore_console.digest.unsubscribing import Unsubscribing
from appstore_console.http.api import Api
from appstore_console.people import Accounts
from appstore_console.settings import DatabaseSettings, PipelineSettings, UserPoolSettings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_secretsmanager import SecretsManagerClient

_PIPELINE = PipelineClients()
"""Kept while a function is warm: making a client takes longer than most questions."""


def open_installation(settings: PipelineSettings) -> Installation:
    """The installed pipeline, whose parts are read when a question needs them."""
    return Installation(settings.pipeline_outputs, _PIPELINE, utc_now)


def open_data(settings: DatabaseSettings) -> ApplicationData:
    """Application data in PostgreSQL, which is reached when it is first needed."""
    return ApplicationData.over(Database(settings, DatabaseClients()))


def open_accounts(settings: UserPoolSettings, table: "Table") -> Accounts:
    """Everybody who may sign in. Changes of people are made one at a time, under a lock in this table."""
    return Accounts(open_cognito(), settings.user_pool_id, table, utc_now)


def open_unsubscribing(api: Api, data: ApplicationData, secret: str) -> Unsubscribing:
    """The page that ends a digest, in front of the API; `secret` is empty where no digests are sent."""
    links = open_links(DatabaseClients().secrets_manager, secret) if secret else None
    return Unsubscribing(api, data.subscriptions, data.audit, links)


def open_links(secrets: "SecretsManagerClient", secret: str, console_url: str = "") -> Links:
    """Links signed with this secret, which is read when it is first needed."""

    @cache
    def read() -> str:
        return secrets.get_secret_value(SecretId=secret)["SecretString"]

    return Links(console_url.rstrip("/"), read)
