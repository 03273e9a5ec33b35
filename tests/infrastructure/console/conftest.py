import pytest
from synthesis import Synthesis, context, synthesize_console

OWN_POSTGRES = {
    "console_database": "apps/postgres",
    "console_vpc": {"subnets": ["subnet-0123456789abcdef0"], "security_groups": ["sg-0123456789abcdef0"]},
    "console_digests": True,
    "digest_sender": "digest@example.com",
    "digest_slack_secret": "harbor/slack",
}


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """The console as cdk.json deploys it: with Aurora DSQL, without digests."""
    return synthesize_console(tmp_path_factory.mktemp("console"), context(console=True))


@pytest.fixture(scope="session")
def with_own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """The console with a PostgreSQL in a VPC and digests."""
    return synthesize_console(tmp_path_factory.mktemp("own-postgres"), context(console=True, **OWN_POSTGRES))


@pytest.fixture(scope="session")
def local_console(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """The console on the embedded AWS."""
    return synthesize_console(tmp_path_factory.mktemp("local"), context(console=True, local=True, retain=False))
