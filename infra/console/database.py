"""The PostgreSQL of the application data: an Aurora DSQL cluster of the console, or one that a secret names."""

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
"""The administrator role that Aurora DSQL creates."""


class Database(Construct):
    """The access of each function to PostgreSQL, with a database role named after the function.

    With Aurora DSQL, IAM decides which database role a function can use, and there are no passwords. With another
    PostgreSQL, each role's login is in a secret that only console_migrate writes and only the role's function reads.
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
        """The host; empty if it is in the secret."""
        return self._cluster.attr_endpoint if self._cluster else ""

    @property
    def role_secrets(self) -> dict[str, str]:
        """The names of the secrets with the roles' logins; none with Aurora DSQL."""
        return {role: self._secret_name(role) for role in self._secrets}

    def settings(self, step: str) -> DatabaseSettings:
        """The environment with which a function connects."""
        without_tls = self._configuration.local
        if self._cluster:
            role = ADMINISTRATOR if step == MIGRATES else step
            return DatabaseSettings(role, self.address, "", without_tls)
        secret = self._admin_secret if step == MIGRATES else self._secret_name(step)
        return DatabaseSettings("", "", secret, without_tls)

    def iam_roles(self, roles: Mapping[str, iam.Role]) -> dict[str, str]:
        """The IAM role of each database role, for Aurora DSQL."""
        return {name: role.role_arn for name, role in roles.items()} if self._cluster else {}

    def grant(self, step: str, role: iam.Role) -> None:
        """Let the function connect, and nothing else."""
        if self._cluster:
            action = "dsql:DbConnectAdmin" if step == MIGRATES else "dsql:DbConnect"
            _allow(role, action, self._cluster.attr_resource_arn)
        elif step == MIGRATES:
            # Secrets Manager appends six characters to a secret's name in its ARN.
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
