"""The CDK context, parsed once; an invalid value is refused with one sentence."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

from appstore_analytics.contract.catalogue import CORE_REPORT_NAMES, REPORTS
from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.configuration import Account, Configuration
from appstore_analytics.contract.errors import ConfigurationRefused
from appstore_analytics.contract.names import SERVICE, Database, Names
from appstore_analytics.contract.schema_modes import SchemaModes
from appstore_analytics.contract.tables import CuratedTable, curated_tables
from infra.console import context_values as console_values
from infra.console.context_values import ConsoleVpc, refuse_console, refuse_region
from infra.context_values import (
    LEAST_POLL_SECONDS,
    LOOPBACK_HOSTS,
    OWN_KEY,
    PARSERS,
    URL,
    MaxConcurrency,
    Retention,
    boolean,
)


@dataclass(frozen=True, slots=True)
class DeploymentConfiguration:
    """The parsed context; the field names are its keys and the values its defaults.

    `name` is the prefix of every name, and `databases` has the Glue databases with other names (contract/names.py).
    `existing_databases` exist already and belong to no stack. With `lake_formation` the functions that ask Athena get
    Lake Formation's permissions as well. `permissions_boundary` (a policy's name or ARN), `kms_key_arn` and `tags`
    apply to every resource that supports them. `schedule` is in UTC: Apple reportedly publishes around 09:00, but does
    not document it. `segment_hosts` are the hosts from which signed URLs are fetched; `.example.com` includes all
    subdomains, because Apple's bucket and its region can change. `alarm_slack_secret` names a secret that holds the URL
    of an incoming webhook. `dashboard` creates a dashboard: the first three per account are free, each further one
    costs more than everything else together. With `releases` a daily run asks Apple which versions of the apps are on
    sale, one call per app. The page of a run links to the documentation in `repository_url`. A Date is missing
    `freshness_hours` after Apple should have published it. `console` adds the stack of the web console. Its database is
    Aurora DSQL, or the PostgreSQL whose secret `console_database` names, in the subnets of `console_vpc`.
    `console_digests` sends weekly digests from `digest_sender`, and to the Slack channel whose webhook is in
    `digest_slack_secret`. `bytes_scanned_cutoff` ends a query that would scan more. `local` is for the embedded AWS:
    loopback without TLS is allowed, and layers are built for this machine. Only with it `retain` can be false:
    destroying the stack then destroys data and keys.
    """

    name: str = SERVICE
    databases: Mapping[Database, str] = field(default_factory=dict)
    existing_databases: tuple[Database, ...] = ()
    lake_formation: bool = False
    permissions_boundary: str = ""
    kms_key_arn: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    accounts: tuple[Account, ...] = (Account("main"),)
    reports: tuple[str, ...] = CORE_REPORT_NAMES
    granularities: tuple[Granularity, ...] = (Granularity.DAILY,)
    schema_modes: SchemaModes = field(default_factory=SchemaModes)
    schedule: str = "cron(0 10 * * ? *)"
    calls_per_hour: int = 3500
    max_concurrency: MaxConcurrency = field(default_factory=MaxConcurrency)
    snapshot_poll_seconds: int = 3600
    alarm_email: str = ""
    alarm_slack_secret: str = ""
    dashboard: bool = True
    releases: bool = True
    repository_url: str = ""
    freshness_hours: int = 26
    retention: Retention = field(default_factory=Retention)
    bytes_scanned_cutoff: int = 1_000_000_000_000
    apple_base_url: str = "https://api.appstoreconnect.apple.com"
    segment_hosts: tuple[str, ...] = (".amazonaws.com",)
    console: bool = False
    console_database: str = ""
    console_vpc: ConsoleVpc = field(default_factory=ConsoleVpc)
    console_digests: bool = False
    digest_sender: str = ""
    digest_slack_secret: str = ""
    local: bool = False
    retain: bool = True

    @property
    def names(self) -> Names:
        """The names of all resources with a fixed name."""
        return Names(self.name, self.databases)

    @property
    def curated_tables(self) -> tuple[CuratedTable, ...]:
        """The Glue tables of the configured reports."""
        wanted = frozenset(self.reports)
        return curated_tables((report.name for report in REPORTS if report.name in wanted), self.granularities)

    @property
    def for_plan_run(self) -> Configuration:
        """The configuration that the state machine passes to plan_run."""
        return Configuration(
            self.accounts,
            self.reports,
            self.granularities,
            self.calls_per_hour,
            kept_versions_days=self.retention.noncurrent_lake,
            releases=self.releases,
        )


def parse_context(context: Mapping[str, Any]) -> DeploymentConfiguration:
    """The configuration in a CDK context; a value given with `-c` is a string and can be JSON.

    ConfigurationRefused when a value cannot work or a key is unknown (CDK's own have a colon or a dash).
    """
    known = {each.name for each in fields(DeploymentConfiguration)}
    for key in context:
        if OWN_KEY.fullmatch(key) and key not in known:
            raise ConfigurationRefused(f"Context key '{key}' is unknown: use one of {', '.join(sorted(known))}.")
    given = {key: context[key] for key in known if context.get(key) is not None}
    local = boolean("local", given.pop("local", False))
    parsers = {**PARSERS, **console_values.PARSERS}
    values = {key: parsers[key](key, value) for key, value in given.items()}
    configuration = DeploymentConfiguration(**values, local=local)
    _refuse_to_lose_data(configuration)
    _refuse_one_database_for_two(configuration.names)
    _refuse_too_many_passes(configuration)
    _refuse_plain_http(configuration)
    refuse_console(
        configuration.console_vpc,
        configuration.console_database,
        configuration.digest_sender,
        digests=configuration.console_digests,
    )
    if not configuration.curated_tables:
        raise ConfigurationRefused(
            "Context key 'granularities' leaves no table: add a granularity that Apple builds, DAILY."
        )
    return configuration


def refuse_where_console_cannot_be(configuration: DeploymentConfiguration, region: str) -> None:
    """ConfigurationRefused if a console is wanted in a region without its database."""
    if configuration.console and not configuration.local:
        refuse_region(region, configuration.console_database)


def _refuse_one_database_for_two(names: Names) -> None:
    if len(set(names.databases.values())) < len(names.databases):
        raise ConfigurationRefused(
            f"Context key 'databases' gives two databases one name: {', '.join(names.databases.values())}."
        )


def _refuse_to_lose_data(configuration: DeploymentConfiguration) -> None:
    if not configuration.retain and not configuration.local:
        raise ConfigurationRefused(
            "Context key 'retain' can be false only with local=true: on AWS data and keys outlive their stack."
        )


def _refuse_too_many_passes(configuration: DeploymentConfiguration) -> None:
    if configuration.snapshot_poll_seconds < LEAST_POLL_SECONDS and not configuration.local:
        raise ConfigurationRefused(
            f"Context key 'snapshot_poll_seconds' must be at least {LEAST_POLL_SECONDS}: a backfill that waits three "
            "days would fill the history of its execution."
        )


def _refuse_plain_http(configuration: DeploymentConfiguration) -> None:
    if not URL.fullmatch(configuration.apple_base_url):
        raise ConfigurationRefused(
            "Context key 'apple_base_url' must be a scheme and a host only, without a path or a slash at the end."
        )
    url = urlsplit(configuration.apple_base_url)
    loopback = url.hostname in LOOPBACK_HOSTS
    if url.scheme != "https" and not (configuration.local and loopback and url.scheme == "http"):
        raise ConfigurationRefused(
            "Context key 'apple_base_url' must begin with https:// (http is for loopback with local=true)."
        )
    if not configuration.local and (loopback or set(configuration.segment_hosts) & set(LOOPBACK_HOSTS)):
        raise ConfigurationRefused(
            "Context keys 'apple_base_url' and 'segment_hosts' can name loopback only with local=true."
        )
