"""What each function of the console is told by its environment: written by its template, read by the Lambda.

The first three are parts of others, so they have no slots: Python lays out no class with the slots of two.
"""

from dataclasses import dataclass

from appstore_analytics.contract.settings import Environment


@dataclass(frozen=True)
class PipelineSettings(Environment):
    """Where the pipeline is: the outputs of its stack, as `answers.Installation` reads them."""

    pipeline_outputs: dict[str, str]


@dataclass(frozen=True)
class DatabaseSettings(Environment):
    """How a function reaches PostgreSQL, and as which of its roles.

    Aurora DSQL: `database_address` (`host` or `host:port`) with a token of IAM. Any other PostgreSQL: `database_secret`
    names the function's own secret, JSON with host, port, dbname, username and password, and `ca` where the server's
    certificate is not signed by a public authority. `database_without_tls` is for loopback, on the embedded AWS only.
    """

    database_role: str
    database_address: str
    database_secret: str
    database_without_tls: bool


@dataclass(frozen=True)
class UserPoolSettings(Environment):
    """Who may sign in."""

    user_pool_id: str
    user_pool_client_id: str


@dataclass(frozen=True, slots=True)
class ConsoleReadSettings(PipelineSettings, DatabaseSettings):
    """console_read answers questions."""


@dataclass(frozen=True, slots=True)
class ConsoleActSettings(PipelineSettings, DatabaseSettings, UserPoolSettings):
    """console_act starts runs, manages users and hands out tickets for the live page, whose address is `live_url`."""

    console_table: str
    live_url: str


@dataclass(frozen=True, slots=True)
class ConsoleWebSettings(Environment):
    """console_web serves the pages and signs people in. `live_url` is where a page may open a WebSocket."""

    user_pool_client_id: str
    live_url: str


@dataclass(frozen=True, slots=True)
class ConsoleLiveSettings(Environment):
    """console_live holds the connections of live pages.

    Where it sends to them boto3 reads by itself, in AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI.
    """

    console_table: str


@dataclass(frozen=True, slots=True)
class ConsoleMigrateSettings(DatabaseSettings):
    """console_migrate, alone, is the database's administrator.

    `database_roles` has the IAM role of each database role, for Aurora DSQL. Elsewhere it is empty, and
    `database_role_secrets` names the secret in which each role's login is kept.
    """

    database_roles: dict[str, str]
    database_role_secrets: dict[str, str]


@dataclass(frozen=True, slots=True)
class SendDigestSettings(PipelineSettings, DatabaseSettings, UserPoolSettings):
    """send_digest writes to subscribers from `digest_sender`; its links lead to `console_url`."""

    digest_sender: str
    console_url: str
