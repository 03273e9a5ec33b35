"""The application data's PostgreSQL: an Aurora DSQL cluster of the console, or one that a person names by a secret."""

from collections.abc import Mapping

from aws_cdk import aws_dsql as dsql
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from appstore_console.settings import DatabaseSettings
from infra.acknowledgements import acknowledge
from infra.configuration import DeploymentConfiguration
from infra.naming import arn, removal_policy

MIGRATES = "console_migrate"
ADMINISTRATOR = "admin"
"""The database role that Aurora DSQL makes itself."""


class Database(Construct):
    """What each function needs to connect as a role of its own, named after the function.

    With Aurora DSQL IAM decides who connects as whom, and there is no password. With another PostgreSQL each role's
    login is kept in a secret that console_migrate alone writes and the role's function alone reads.
    """

    def __init__(
        self, scope: Construct, id_: str, configuration: DeploymentConfiguration, roles: tuple[str, ...]
    ) -> None:
        super().__init__(scope, id_)
        self._configuration = configuration
        self._admin_secret = configuration.console_database
        self._cluster = None if self._admin_secret else self._dsql(configuration)
        self._secrets = {role: self._secret(role) for role in roles} if self._admin_secret else {}

    @property
    def address(self) -> str:
        """The host; empty where the secret says it."""
        return self._cluster.attr_endpoint if self._cluster else ""

    @property
    def role_secrets(self) -> dict[str, str]:
        """The names of the secrets with the roles' logins; none with Aurora DSQL."""
        return {role: self._secret_name(role) for role in self._secrets}

    def settings(self, step: str) -> DatabaseSettings:
        """How a function connects, and as whom."""
        without_tls = self._configuration.local
        if self._cluster:
            role = ADMINISTRATOR if step == MIGRATES else step
            return DatabaseSettings(role, self.address, "", without_tls)
        secret = self._admin_secret if step == MIGRATES else self._secret_name(step)
        return DatabaseSettings("", "", secret, without_tls)

    def iam_roles(self, roles: Mapping[str, iam.Role]) -> dict[str, str]:
        """The IAM role of each database role, for Aurora DSQL to know them by."""
        return {name: role.role_arn for name, role in roles.items()} if self._cluster else {}

    def grant(self, step: str, role: iam.Role) -> None:
        """Let the function connect, and nothing else."""
        if self._cluster:
            action = "dsql:DbConnectAdmin" if step == MIGRATES else "dsql:DbConnect"
            _allow(role, action, self._cluster.attr_resource_arn)
        elif step == MIGRATES:
            # Secrets Manager puts six characters of its own behind a name.
            _allow(role, "secretsmanager:GetSecretValue", arn("secretsmanager", f"secret:{self._admin_secret}-??????"))
            for secret in self._secrets.values():
                _allow(role, "secretsmanager:PutSecretValue", secret.secret_arn)
        else:
            _allow(role, "secretsmanager:GetSecretValue", self._secrets[step].secret_arn)

    def _dsql(self, configuration: DeploymentConfiguration) -> dsql.CfnCluster:
        cluster = dsql.CfnCluster(self, "Cluster", deletion_protection_enabled=configuration.retain)
        cluster.apply_removal_policy(removal_policy(retain=configuration.retain))
        return cluster

    def _secret(self, role: str) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            role,
            secret_name=self._secret_name(role),
            description=f"PostgreSQL login of {role}, written by {MIGRATES}",
        )
        acknowledge(secret, "SMG4", f"{MIGRATES} sets a new password with each change of the console's code.")
        return secret

    def _secret_name(self, role: str) -> str:
        return f"{self._configuration.names.name}/console/{role}"


def _allow(role: iam.Role, action: str, resource: str) -> None:
    role.add_to_policy(iam.PolicyStatement(actions=[action], resources=[resource]))
