"""Login: a Cognito user pool with groups and a second factor. Only an admin can invite users."""

from aws_cdk import Duration
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from appstore_console.login.passwords import SHORTEST
from infra.acknowledgements import acknowledge
from infra.configuration import DeploymentConfiguration
from infra.naming import made_once_removal_policy

GROUPS = {
    "viewer": "Reads numbers and runs",
    "operator": "Also plans and starts runs",
    "admin": "Also manages users, grants and settings",
    "limited": "Sees only the apps that were granted to the person",
}
"""The roles, and `limited`. With `limited` in its groups, a token shows that the person does not see all apps."""

_ACCESS = Duration.minutes(10)
_SIGNED_IN = Duration.days(7)
_CHALLENGE = Duration.minutes(15)
"""Cognito's maximum, because people may have to install an authenticator app before they can scan the QR code."""


class Identity(Construct):
    """`pool` and `client`. There is no sign-up. The user name is the e-mail address; its case does not matter.

    Cognito's username is derived from the address (appstore_console/user_ids.py); the address itself is an alias.

    The pool outlives the stack, because a new one would be empty, and so do the groups: a deleted group loses its
    members, and a person without the group `limited` sees all apps. The pool has no custom attributes: Cognito cannot
    remove them, and some changes would replace the pool and delete all users.
    """

    def __init__(self, scope: Construct, id_: str, configuration: DeploymentConfiguration, console_url: str) -> None:
        super().__init__(scope, id_)
        self.pool = self._pool(configuration, console_url)
        self.client = self._client()
        for group, description in GROUPS.items():
            members = cognito.CfnUserPoolGroup(
                self,
                f"{group.capitalize()}s",
                user_pool_id=self.pool.user_pool_id,
                group_name=group,
                description=description,
            )
            members.apply_removal_policy(made_once_removal_policy(retain=configuration.retain))

    def _pool(self, configuration: DeploymentConfiguration, console_url: str) -> cognito.UserPool:
        pool = cognito.UserPool(
            self,
            "Pool",
            user_pool_name=configuration.names.prefixed("console"),
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(username=True, email=True),
            sign_in_case_sensitive=False,
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            mfa=cognito.Mfa.REQUIRED,
            mfa_second_factor=cognito.MfaSecondFactor(otp=True, sms=False),
            password_policy=cognito.PasswordPolicy(
                min_length=SHORTEST,
                require_lowercase=True,
                require_uppercase=True,
                require_digits=True,
                require_symbols=True,
                temp_password_validity=Duration.days(3),
            ),
            user_invitation=_invitation(console_url),
            user_verification=_verification(console_url),
            feature_plan=cognito.FeaturePlan.LITE,
            deletion_protection=configuration.retain,
            removal_policy=made_once_removal_policy(retain=configuration.retain),
        )
        acknowledge(
            pool,
            "COG3",
            "Threat protection costs $0.02 per user. Lockout, a second factor and throttling are in place without it.",
        )
        acknowledge(pool, "COG8", "The Lite plan has every feature that is used: passwords, TOTP, groups.")
        return pool

    def _client(self) -> cognito.UserPoolClient:
        """The console's app client. It sends passwords to Cognito over TLS and keeps refresh tokens in a cookie.

        It has no secret: a secret would give its holder no more than the console does. Users cannot change their own
        address, because addresses identify people.
        """
        return cognito.UserPoolClient(
            self,
            "Client",
            user_pool=self.pool,
            user_pool_client_name="console",
            auth_flows=cognito.AuthFlow(user_password=True),
            disable_o_auth=True,
            generate_secret=False,
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            access_token_validity=_ACCESS,
            id_token_validity=_ACCESS,
            refresh_token_validity=_SIGNED_IN,
            auth_session_validity=_CHALLENGE,
            read_attributes=cognito.ClientAttributes().with_standard_attributes(email=True, email_verified=True),
            write_attributes=cognito.ClientAttributes().with_standard_attributes(locale=True),
        )


def _invitation(console_url: str) -> cognito.UserInvitationConfig:
    return cognito.UserInvitationConfig(
        email_subject="Your access to App Store Analytics",
        email_body=(
            f"You have been invited to {console_url}<br>"
            "Sign in with this e-mail address and the temporary password {####} within three days. "
            "Have an authenticator app ready: the console asks for a second factor.<br>"
            "(Your id in its records is {username}.)"
        ),
    )


def _verification(console_url: str) -> cognito.UserVerificationConfig:
    return cognito.UserVerificationConfig(
        email_subject="Your code for App Store Analytics",
        email_body=f"The code for a new password at {console_url} is {{####}}. If you did not ask for it, do nothing.",
        email_style=cognito.VerificationEmailStyle.CODE,
    )
