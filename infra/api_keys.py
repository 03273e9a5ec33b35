"""One secret per App Store Connect account; a person puts the API key in after the first deployment."""

from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.configuration import DeploymentConfiguration
from infra.naming import API_KEY_SECRET_PREFIX, removal_policy


class ApiKeys(Construct):
    """`secrets` by account. A new one holds random text, no key; deploying again keeps what a person put in.

    Apple shows a private key once, so on AWS a secret outlives the stack. Who destroys the stack and deploys it anew
    first deletes the secret or takes it back with `cdk import`: its name is taken.
    """

    def __init__(self, scope: Construct, id_: str, configuration: DeploymentConfiguration) -> None:
        super().__init__(scope, id_)
        self.secrets = {account.name: self._secret(account.name, configuration) for account in configuration.accounts}

    def _secret(self, account: str, configuration: DeploymentConfiguration) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            account,
            secret_name=f"{API_KEY_SECRET_PREFIX}{account}",
            description=f"App Store Connect API key of the account '{account}'",
            removal_policy=removal_policy(local=configuration.local),
        )
        acknowledge(
            secret,
            "SMG4",
            "Apple has no call that makes an API key: a person creates and revokes it in App Store Connect.",
        )
        return secret
