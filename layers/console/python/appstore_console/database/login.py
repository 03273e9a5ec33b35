"""PostgreSQL's address, user and password: an IAM token for Aurora DSQL, a secret for any other."""

import json
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from appstore_analytics.contract.errors import ConfigurationRefused
from appstore_console.settings import DatabaseSettings

if TYPE_CHECKING:
    from mypy_boto3_dsql import AuroraDSQLClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

ADMINISTRATOR = "admin"
"""The administrator role that Aurora DSQL creates; its tokens are for another IAM action."""

_POSTGRES_PORT = 5432
_DSQL_DATABASE = "postgres"
"""The only database of a cluster."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_TOKEN_SECONDS = 300
_FIELDS = ("host", "dbname", "username", "password")


class _Signer(Protocol):
    """Methods that boto3 adds to the client of Aurora DSQL, and its stubs leave out."""

    def generate_db_connect_auth_token(self, *, Hostname: str, Region: str, ExpiresIn: int) -> str:  # noqa: N803
        """A token for a database role."""

    def generate_db_connect_admin_auth_token(self, *, Hostname: str, Region: str, ExpiresIn: int) -> str:  # noqa: N803
        """A token for the administrator."""


class Clients(Protocol):
    """AWS clients for a login."""

    @property
    def dsql(self) -> "AuroraDSQLClient":
        """Signs tokens, without a call to AWS."""

    @property
    def secrets_manager(self) -> "SecretsManagerClient":
        """Holds logins."""


@dataclass(frozen=True, slots=True)
class Login:
    """One login. `tls` is None only on loopback of the embedded AWS."""

    host: str
    port: int
    database: str
    user: str
    password: str
    tls: ssl.SSLContext | None

    def __repr__(self) -> str:
        return f"Login({self.user!r} at {self.host}:{self.port}/{self.database})"  # no password in logs


def login_of(settings: DatabaseSettings, clients: Clients) -> Login:
    """A fresh login: tokens expire after minutes, and secrets can change.

    ConfigurationRefused if the secret does not describe a PostgreSQL.
    """
    if settings.database_secret:
        return _by_secret(settings, clients)
    host, _, port = settings.database_address.partition(":")
    return Login(
        host=host,
        port=int(port or _POSTGRES_PORT),
        database=_DSQL_DATABASE,
        user=settings.database_role,
        password=_token(host, settings.database_role, clients.dsql),
        tls=_tls(host, "", left_out=settings.database_without_tls),
    )


def read_secret(name: str, secrets_manager: "SecretsManagerClient") -> dict[str, Any]:
    """The fields of a PostgreSQL secret. ConfigurationRefused names a missing field, and never contains a value."""
    try:
        fields = json.loads(secrets_manager.get_secret_value(SecretId=name)["SecretString"])
    except (KeyError, ValueError):
        raise ConfigurationRefused(f"The secret {name} is not a JSON object with {', '.join(_FIELDS)}.") from None
    missing = [field for field in _FIELDS if not isinstance(fields, dict) or not fields.get(field)]
    if missing:
        raise ConfigurationRefused(f"The secret {name} has no {missing[0]}: it needs {', '.join(_FIELDS)}.")
    if not str(fields.get("port") or _POSTGRES_PORT).isdecimal():
        raise ConfigurationRefused(f"The port in the secret {name} is not a number.")
    return dict(fields)


def _by_secret(settings: DatabaseSettings, clients: Clients) -> Login:
    fields = read_secret(settings.database_secret, clients.secrets_manager)
    host = str(fields["host"])
    return Login(
        host=host,
        port=int(fields.get("port") or _POSTGRES_PORT),
        database=str(fields["dbname"]),
        user=str(fields["username"]),
        password=str(fields["password"]),
        tls=_tls(host, str(fields.get("ca") or ""), left_out=settings.database_without_tls),
    )


def _token(host: str, role: str, client: "AuroraDSQLClient") -> str:
    signer, region = cast(_Signer, client), client.meta.region_name
    if role == ADMINISTRATOR:
        return signer.generate_db_connect_admin_auth_token(Hostname=host, Region=region, ExpiresIn=_TOKEN_SECONDS)
    return signer.generate_db_connect_auth_token(Hostname=host, Region=region, ExpiresIn=_TOKEN_SECONDS)


def _tls(host: str, authority: str, *, left_out: bool) -> ssl.SSLContext | None:
    """TLS that verifies the server's name and certificate; None only on loopback of the embedded AWS."""
    if left_out and host in _LOOPBACK:
        return None
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authority:
        try:
            context.load_verify_locations(cadata=authority)
        except ssl.SSLError:
            raise ConfigurationRefused("The ca of the database's secret is not a PEM certificate.") from None
    return context
