"""The environment of the console's functions: written by their template, read by the Lambda.

One class for each kind of resource; a function reads the classes that its template sets (infra/console/stack.py).
"""

from dataclasses import dataclass

from appstore_analytics.contract.settings import Environment


@dataclass(frozen=True, slots=True)
class PipelineSettings(Environment):
    """The resources of the pipeline.

    `pipeline_outputs` are outputs of its stack, as `answers.Installation` reads them, and `daily_schedule` is the cron
    expression (UTC) of the daily run.
    """

    pipeline_outputs: dict[str, str]
    daily_schedule: str


@dataclass(frozen=True, slots=True)
class DatabaseSettings(Environment):
    """The access to PostgreSQL, with one of its roles.

    Aurora DSQL: `database_address` (`host` or `host:port`) with an IAM token. Any other PostgreSQL: `database_secret`
    names the function's own secret, JSON with host, port, dbname, username and password, and `ca` if no public
    authority has signed the server's certificate. `database_without_tls` is only for loopback, on the embedded AWS.
    """

    database_role: str
    database_address: str
    database_secret: str
    database_without_tls: bool


@dataclass(frozen=True, slots=True)
class DatabaseRoleSettings(Environment):
    """For console_migrate, the only administrator of the database: the roles to create, and how they will connect.

    `database_roles` has the IAM role of each database role, for Aurora DSQL. Otherwise it is empty, and
    `database_role_secrets` names the secret for each role's login.
    """

    database_roles: dict[str, str]
    database_role_secrets: dict[str, str]


@dataclass(frozen=True, slots=True)
class UserPoolSettings(Environment):
    """The user pool."""

    user_pool_id: str


@dataclass(frozen=True, slots=True)
class LoginSettings(Environment):
    """The app client for sign-in, and the origin to which a signed-in page can open a WebSocket."""

    user_pool_client_id: str
    live_url: str


@dataclass(frozen=True, slots=True)
class ConsoleTableSettings(Environment):
    """The DynamoDB table of plans, tickets and connections."""

    console_table: str


@dataclass(frozen=True, slots=True)
class ActSettings(Environment):
    """For console_act: the URL that a ticket opens, and the secret that signs unsubscribe links (can be empty)."""

    live_url: str
    unsubscribe_secret: str


@dataclass(frozen=True, slots=True)
class DigestSettings(Environment):
    """The weekly digest: its sender, the target of its links, and the secrets of its signature and its Slack channel.

    `digest_slack_secret` is empty without a Slack channel.
    """

    digest_sender: str
    console_url: str
    unsubscribe_secret: str
    digest_slack_secret: str
