"""The console's context keys. An invalid value is refused with one sentence."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from appstore_analytics.contract.errors import ConfigurationRefused
from infra.aws_rules import REGIONS_WITH_DSQL, is_e_mail
from infra.context_values import SECRET_NAME, boolean, json_value, slack_secret, texts

_SUBNET = re.compile(r"subnet-(?:[0-9a-f]{8}|[0-9a-f]{17})")
_SECURITY_GROUP = re.compile(r"sg-(?:[0-9a-f]{8}|[0-9a-f]{17})")
_MOST_SUBNETS = 16
_MOST_SECURITY_GROUPS = 5
_LIKE = '{"subnets": ["subnet-0123456789abcdef0"], "security_groups": ["sg-0123456789abcdef0"]}'


@dataclass(frozen=True, slots=True)
class ConsoleVpc:
    """The subnets and security groups of the functions that reach PostgreSQL; empty for no VPC."""

    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.subnets)


def _console_database(key: str, value: Any) -> str:
    if not isinstance(value, str) or (value and not SECRET_NAME.fullmatch(value)):
        raise ConfigurationRefused(
            f"Context key '{key}' must be the name of a secret with a PostgreSQL's host, port, dbname, username and "
            "password, or empty for Aurora DSQL; never the password itself."
        )
    return value


def _console_vpc(key: str, value: Any) -> ConsoleVpc:
    given = dict(json_value(key, value, dict, f"an object like {_LIKE}"))
    if not given:
        return ConsoleVpc()
    if set(given) != {"subnets", "security_groups"}:
        raise ConfigurationRefused(f"Context key '{key}' must name both subnets and security groups, like {_LIKE}.")
    return ConsoleVpc(
        _ids(f"{key}.subnets", given["subnets"], _SUBNET, _MOST_SUBNETS, "subnet-0123456789abcdef0"),
        _ids(
            f"{key}.security_groups",
            given["security_groups"],
            _SECURITY_GROUP,
            _MOST_SECURITY_GROUPS,
            "sg-0123456789abcdef0",
        ),
    )


def _ids(key: str, value: Any, pattern: re.Pattern[str], most: int, like: str) -> tuple[str, ...]:
    ids = texts(key, value, f'a list like ["{like}"]')
    if not 1 <= len(ids) <= most or not all(map(pattern.fullmatch, ids)):
        raise ConfigurationRefused(f"Context key '{key}' must hold 1 to {most} ids like {like}.")
    return ids


def _digest_sender(key: str, value: Any) -> str:
    if not isinstance(value, str) or (value and not is_e_mail(value)):
        raise ConfigurationRefused(
            f"Context key '{key}' must be an e-mail address that SES has verified, or empty for none."
        )
    return value


def refuse_console(console_vpc: ConsoleVpc, console_database: str, digest_sender: str, *, digests: bool) -> None:
    """ConfigurationRefused if two context keys of the console contradict each other."""
    if console_vpc and not console_database:
        raise ConfigurationRefused(
            "Context key 'console_vpc' is for a PostgreSQL in a VPC: name its secret in 'console_database', or leave "
            "'console_vpc' empty, because Aurora DSQL needs no VPC."
        )
    if digests and not digest_sender:
        raise ConfigurationRefused(
            "Context key 'digest_sender' is empty, but 'console_digests' is true: give an address that SES has "
            "verified, from which digests are sent."
        )


def refuse_region(region: str, console_database: str) -> None:
    """ConfigurationRefused if the console needs Aurora DSQL and this region does not have it.

    The region is empty if only CloudFormation will know it.
    """
    if region and not console_database and region not in REGIONS_WITH_DSQL:
        raise ConfigurationRefused(
            f"Context key 'console': {region} has no Aurora DSQL. Name the secret of your own PostgreSQL in "
            "'console_database', or deploy to a region that has it (infra/aws_rules.py lists them)."
        )


PARSERS: Mapping[str, Callable[[str, Any], Any]] = {
    "console": boolean,
    "console_database": _console_database,
    "console_vpc": _console_vpc,
    "console_digests": boolean,
    "digest_sender": _digest_sender,
    "digest_slack_secret": slack_secret,
}
