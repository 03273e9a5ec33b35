"""Opens the resources of the API's two functions. Separate from connections.py, because other functions need none of
it."""

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
"""Kept while a function is warm: creating a client takes longer than most requests."""


def open_installation(settings: PipelineSettings) -> Installation:
    """The installed pipeline. Its parts are read on first use."""
    return Installation(settings.pipeline_outputs, _PIPELINE, utc_now)


def open_data(settings: DatabaseSettings) -> ApplicationData:
    """Application data in PostgreSQL. The connection opens on first use."""
    return ApplicationData.over(Database(settings, DatabaseClients()))


def open_accounts(settings: UserPoolSettings, table: "Table") -> Accounts:
    """The users. They are changed one at a time, under a lock in this table."""
    return Accounts(open_cognito(), settings.user_pool_id, table, utc_now)


def open_unsubscribing(api: Api, data: ApplicationData, secret: str) -> Unsubscribing:
    """The unsubscribe page, in front of the API; `secret` is empty if no digests are sent."""
    links = open_links(DatabaseClients().secrets_manager, secret) if secret else None
    return Unsubscribing(api, data.subscriptions, data.audit, links)


def open_links(secrets: "SecretsManagerClient", secret: str, console_url: str = "") -> Links:
    """Links signed with this secret, which is read on first use."""

    @cache
    def read() -> str:
        return secrets.get_secret_value(SecretId=secret)["SecretString"]

    return Links(console_url.rstrip("/"), read)
