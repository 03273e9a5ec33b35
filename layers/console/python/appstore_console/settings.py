"""What a function of the console is told by its environment: written by its template, read by the Lambda.

One class for each thing that a function needs; a function reads those that it was given (infra/console/stack.py).
"""

from dataclasses import dataclass

from appstore_analytics.contract.settings import Environment


@dataclass(frozen=True, slots=True)
class PipelineSettings(Environment):
    """Where the pipeline is.

    `pipeline_outputs` are outputs of its stack, as `answers.Installation` reads them, and `daily_schedule` is the cron
    expression (UTC) by which a run starts every day.
    """

    pipeline_outputs: dict[str, str]
    daily_schedule: str


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class DatabaseRoleSettings(Environment):
    """For console_migrate, which alone is the database's administrator: the roles to make, and how they will connect.

    `database_roles` has the IAM role of each database role, for Aurora DSQL. Elsewhere it is empty, and
    `database_role_secrets` names the secret in which each role's login is to be put.
    """

    database_roles: dict[str, str]
    database_role_secrets: dict[str, str]


@dataclass(frozen=True, slots=True)
class UserPoolSettings(Environment):
    """The people who may sign in."""

    user_pool_id: str


@dataclass(frozen=True, slots=True)
class LoginSettings(Environment):
    """The app client through which people sign in, and where a page that is signed in may open a WebSocket."""

    user_pool_client_id: str
    live_url: str


@dataclass(frozen=True, slots=True)
class ConsoleTableSettings(Environment):
    """The DynamoDB table of plans, tickets and connections."""

    console_table: str


@dataclass(frozen=True, slots=True)
class ActSettings(Environment):
    """For console_act: the address that a ticket opens, and the secret that signs unsubscribe links (may be empty)."""

    live_url: str
    unsubscribe_secret: str


@dataclass(frozen=True, slots=True)
class DigestSettings(Environment):
    """The weekly digest: who sends it, where its links lead, and the secrets of its signature and its Slack channel.

    `digest_slack_secret` is empty where no channel is told.
    """

    digest_sender: str
    console_url: str
    unsubscribe_secret: str
    digest_slack_secret: str
