"""One secret per API key of App Store Connect; a person puts the key in after the first deployment."""

from typing import Literal

from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.configuration import DeploymentConfiguration
from infra.naming import made_once_removal_policy


class ApiKeys(Construct):
    """The secrets of the keys that register, `admin`, and of those that read, `reader`; often they are the same.

    A new secret contains random text, not a key; deploying again keeps a key that was put in. Apple shows a private key
    once, so on AWS a secret outlives the stack; only a first deployment that fails deletes it, so that it can be
    repeated. After destroying the stack the name is still taken: a new stack takes the secret back with `./manage.py
    adopt`.
    """

    def __init__(self, scope: Construct, id_: str, configuration: DeploymentConfiguration) -> None:
        super().__init__(scope, id_)
        accounts = configuration.accounts
        names = dict.fromkeys(name for each in accounts for name in (each.admin_key_name, each.reader_key_name))
        self.by_key_name = {name: self._secret(name, configuration) for name in names}
        self.admin = [self.by_key_name[account.admin_key_name] for account in accounts]
        self.reader = [self.by_key_name[account.reader_key_name] for account in accounts]

    def of(self, whose: Literal["admin", "reader", "every"]) -> list[secretsmanager.Secret]:
        """The secrets of the registering keys, of the reading keys, or of all."""
        return {"admin": self.admin, "reader": self.reader, "every": list(self.by_key_name.values())}[whose]

    def _secret(self, key_name: str, configuration: DeploymentConfiguration) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            key_name.replace("/", "."),
            secret_name=f"{configuration.names.api_key_secret_prefix}{key_name}",
            description=f"API key '{key_name}' of App Store Connect",
            removal_policy=made_once_removal_policy(retain=configuration.retain),
        )
        acknowledge(
            secret,
            "SMG4",
            "Apple has no API for creating an API key: a person creates and revokes it in App Store Connect.",
        )
        return secret
