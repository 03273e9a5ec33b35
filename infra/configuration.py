"""What the CDK context says, parsed once and refused with one sentence when it cannot work."""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar
from urllib.parse import urlsplit

from appstore_analytics.contract.catalogue import CORE_REPORT_NAMES, REPORTS, REPORTS_BY_NAME
from appstore_analytics.contract.catalogue.definition import Granularity, ReportDefinition
from appstore_analytics.contract.configuration import Account, Configuration
from appstore_analytics.contract.errors import ConfigurationRefused
from appstore_analytics.contract.layout import is_app_id
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.names import SERVICE, Database, Names
from appstore_analytics.contract.schema_modes import SchemaMode, SchemaModes
from appstore_analytics.contract.tables import CuratedTable, curated_tables, report_names

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
LOG_RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""The retentions that CloudWatch Logs offers."""

LONGEST_NAME = 40
"""A Lambda function's name has at most 64 characters and ends with its step: a test adds them up."""

_MAXIMAL_CONCURRENCY = 1000
_NAME = re.compile(rf"(?=.{{2,{LONGEST_NAME}}}$)[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_TAKEN_BY_AWS = re.compile(
    r"primary|(?:sthree|amzn-s3-demo)(?:-.*)?"
)  # a workgroup of every account; S3's own prefixes
_DATABASE_NAME = re.compile(r"(?!information_schema$)[a-z][a-z0-9_]{0,127}")
_ACCOUNT_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_HOST = re.compile(r"\.?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
_CRON = re.compile(r"cron\((?:\S+ ){5}\S+\)")
_E_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_SECRET_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,500}")
_LONGEST_TOLERANCE_HOURS = 72
_DEFAULT = "default"
_OWN_KEY = re.compile(r"[a-z_]+")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class MaxConcurrency:
    """How many children of each Distributed Map run at once. The Maps run one after the other."""

    register: int = 10
    restore: int = 20
    land: int = 20
    publish: int = 10
    verify: int = 4

    def of(self, map_name: MapName) -> int:
        """The limit of one Map."""
        return int(getattr(self, map_name.lower()))


@dataclass(frozen=True, slots=True)
class Retention:
    """Days until something expires. What `curated/`, `parts/` and `appstore/` hold now never does."""

    raw: int = 400  # a year with its restatements can be converted again without Apple, who forgets after 35 days
    noncurrent_lake: int = 30  # a month to notice a wrong Date and to roll its run back
    runs: int = 90  # manifests and plans, for looking into a run
    query_results: int = 7  # verify_table reads its result at once; the rest is for people
    logs: int = 30


@dataclass(frozen=True, slots=True)
class DeploymentConfiguration:
    """The parsed context; the field names are its keys and the values its defaults.

    `name` begins the name of everything that has one, and `databases` has those Glue databases that are to be called
    otherwise (contract/names.py).
    `schedule` is in UTC: Apple publishes around 09:00, by hearsay. `segment_hosts` are the hosts from which signed URLs
    are fetched, `.example.com` meaning any below: Apple's bucket and its region may change, its S3 not so soon.
    `alarm_slack_secret` names a secret that holds the URL of an incoming webhook. `dashboard`: an account has three for
    nothing, each further one costs more than all the rest. `freshness_hours` after Apple should have published a Date
    it is missing. `bytes_scanned_cutoff` ends a query that would scan more. `local` is for the embedded AWS: loopback
    without TLS is allowed, layers fit this machine, and destroying the stack destroys the data.
    """

    name: str = SERVICE
    databases: Mapping[Database, str] = field(default_factory=dict)
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
    freshness_hours: int = 26
    retention: Retention = field(default_factory=Retention)
    bytes_scanned_cutoff: int = 1_000_000_000_000
    apple_base_url: str = "https://api.appstoreconnect.apple.com"
    segment_hosts: tuple[str, ...] = (".amazonaws.com",)
    local: bool = False

    @property
    def names(self) -> Names:
        """The names of everything that has a fixed one."""
        return Names(self.name, self.databases)

    @property
    def curated_tables(self) -> tuple[CuratedTable, ...]:
        """The Glue tables of the configured reports."""
        wanted = frozenset(self.reports)
        return curated_tables((report.name for report in REPORTS if report.name in wanted), self.granularities)

    @property
    def for_plan_run(self) -> Configuration:
        """What the state machine hands to plan_run."""
        return Configuration(
            self.accounts,
            self.reports,
            self.granularities,
            self.calls_per_hour,
            kept_versions_days=self.retention.noncurrent_lake,
        )


def parse_context(context: Mapping[str, Any]) -> DeploymentConfiguration:
    """The configuration in a CDK context; a value given with `-c` is a string and may be JSON.

    ConfigurationRefused when a value cannot work or a key is unknown (CDK's own have a colon or a dash).
    """
    known = {each.name for each in fields(DeploymentConfiguration)}
    for key in context:
        if _OWN_KEY.fullmatch(key) and key not in known:
            raise ConfigurationRefused(f"Context key '{key}' is unknown: use one of {', '.join(sorted(known))}.")
    given = {key: context[key] for key in known if context.get(key) is not None}
    local = _boolean("local", given.pop("local", False))
    values = {key: _PARSERS[key](key, value) for key, value in given.items()}
    configuration = DeploymentConfiguration(**values, local=local)
    _refuse_one_database_for_two(configuration.names)
    _refuse_plain_http(configuration)
    if not configuration.curated_tables:
        raise ConfigurationRefused(
            "Context key 'granularities' leaves no table: add a granularity that Apple builds, DAILY."
        )
    return configuration


def _refuse_one_database_for_two(names: Names) -> None:
    if len(set(names.databases.values())) < len(names.databases):
        raise ConfigurationRefused(
            f"Context key 'databases' gives two databases one name: {', '.join(names.databases.values())}."
        )


def _refuse_plain_http(configuration: DeploymentConfiguration) -> None:
    url = urlsplit(configuration.apple_base_url)
    loopback = url.hostname in LOOPBACK_HOSTS
    if url.scheme != "https" and not (configuration.local and loopback and url.scheme == "http"):
        raise ConfigurationRefused(
            "Context key 'apple_base_url' must begin with https:// (http is for loopback with local=true)."
        )
    if not url.hostname or url.path or url.query or url.username:
        raise ConfigurationRefused(
            "Context key 'apple_base_url' must be a scheme and a host only, without a path or a slash at the end."
        )
    if not configuration.local and (loopback or set(configuration.segment_hosts) & set(LOOPBACK_HOSTS)):
        raise ConfigurationRefused(
            "Context keys 'apple_base_url' and 'segment_hosts' may name loopback only with local=true."
        )


def _json(key: str, value: Any, kind: type[T], wanted: str) -> T:
    if isinstance(value, str) and kind is not str:
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            raise ConfigurationRefused(f"Context key '{key}' must be {wanted}; '{value}' is not JSON.") from None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ConfigurationRefused(f"Context key '{key}' must be {wanted}.")
    return value


def _texts(key: str, value: Any, wanted: str) -> tuple[str, ...]:
    texts = _json(key, value, list, wanted)
    if not all(isinstance(text, str) for text in texts):
        raise ConfigurationRefused(f"Context key '{key}' must be {wanted}: put each entry in quotes.")
    if len(set(texts)) < len(texts):
        raise ConfigurationRefused(f"Context key '{key}' names an entry twice: remove one.")
    return tuple(texts)


def _boolean(key: str, value: Any) -> bool:
    return _json(key, value, bool, "true or false")


def _positive(key: str, value: Any) -> int:
    number = _json(key, value, int, "a whole number above 0")
    if number < 1:
        raise ConfigurationRefused(f"Context key '{key}' must be a whole number above 0.")
    return number


def _poll_seconds(key: str, value: Any) -> int:
    seconds = _positive(key, value)
    if seconds > 24 * 3600:
        raise ConfigurationRefused(
            f"Context key '{key}' must be at most 86400 seconds: a snapshot is waited for at least daily."
        )
    return seconds


def is_name(text: str) -> bool:
    """Whether an installation can have this name: AWS takes what begins with it, for every kind of resource."""
    return bool(_NAME.fullmatch(text)) and not _TAKEN_BY_AWS.fullmatch(text)


def _name(key: str, value: Any) -> str:
    if not isinstance(value, str) or not is_name(value):
        raise ConfigurationRefused(
            f"Context key '{key}' must have 2 to {LONGEST_NAME} characters of a-z, 0-9 and single inner hyphens, begin "
            f'with a letter, and be none of AWS\'s own names, like "{SERVICE}-staging".'
        )
    return value


def _databases(key: str, value: Any) -> dict[Database, str]:
    roles = ", ".join(Database)
    given = _json(key, value, dict, f"an object with some of {roles}")
    unknown = next((role for role in given if role not in [*Database]), None)
    if unknown is not None:
        raise ConfigurationRefused(f"Context key '{key}' does not know '{unknown}': use {roles}.")
    for role, name in given.items():
        if not isinstance(name, str) or not _DATABASE_NAME.fullmatch(name):
            raise ConfigurationRefused(
                f"Context key '{key}.{role}' must be the name of a Glue database: at most 128 characters of a-z, 0-9 "
                "and underscores, beginning with a letter."
            )
    return {Database(role): name for role, name in given.items()}


def _accounts(key: str, value: Any) -> tuple[Account, ...]:
    entries = _json(key, value, list, 'a list like [{"name": "main", "app_ids": ["1000000001"]}]')
    accounts = tuple(_account(key, entry) for entry in entries)
    if not accounts:
        raise ConfigurationRefused(f"Context key '{key}' is empty: name at least one account.")
    names = [account.name for account in accounts]
    if len(set(names)) < len(names):
        raise ConfigurationRefused(f"Context key '{key}' names an account twice: give each its own name.")
    app_ids = [app_id for account in accounts for app_id in account.app_ids]
    if len(set(app_ids)) < len(app_ids):
        raise ConfigurationRefused(f"Context key '{key}' names an app id twice: keep it in one account.")
    return accounts


def _account(key: str, entry: Any) -> Account:
    known = {each.name for each in fields(Account)}
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or entry.keys() - known:
        raise ConfigurationRefused(
            f"Context key '{key}' must hold entries with 'name' and, if wanted, 'app_ids' and 'reader_key', "
            "nothing else."
        )
    if not _ACCOUNT_NAME.fullmatch(entry["name"]):
        raise ConfigurationRefused(
            f"Context key '{key}': '{entry['name']}' must consist of a-z, 0-9 and inner hyphens."
        )
    app_ids = _texts(f"{key}.app_ids", entry.get("app_ids", []), "a list of app ids in quotes")
    wrong = next((app_id for app_id in app_ids if not is_app_id(app_id)), None)
    if wrong is not None:
        raise ConfigurationRefused(
            f"Context key '{key}': the app id '{wrong}' must consist of digits, like \"1000000001\"."
        )
    return Account(entry["name"], app_ids, _boolean(f"{key}.reader_key", entry.get("reader_key", False)))


def _reports(key: str, value: Any) -> tuple[str, ...]:
    if value == "core":
        return CORE_REPORT_NAMES
    if value == "all":
        return tuple(report.name for report in REPORTS)
    wanted = _texts(key, value, '"core", "all" or a list of reports like ["engagement"]')
    if not wanted:
        raise ConfigurationRefused(f'Context key \'{key}\' is empty: use "core", "all" or name a report.')
    return tuple(dict.fromkeys(_report(key, name).name for name in wanted))


def _report(key: str, name: str) -> ReportDefinition:
    found = report_names().get(name)
    if found is None:
        raise ConfigurationRefused(
            f"Context key '{key}': there is no report '{name}'; use Apple's name or a table's, like \"engagement\"."
        )
    return REPORTS_BY_NAME[found]


def _schema_modes(key: str, value: Any) -> SchemaModes:
    given = dict(_json(key, value, dict, 'an object like {"default": "evolve", "purchases": "strict"}'))
    wrong = next((name for name, mode in given.items() if mode not in [*SchemaMode]), None)
    if wrong is not None:
        raise ConfigurationRefused(f"Context key '{key}': '{wrong}' must be one of {', '.join(SchemaMode)}.")
    default = SchemaMode(given.pop(_DEFAULT, SchemaMode.EVOLVE))
    named = [(_report(key, name).table, SchemaMode(mode)) for name, mode in given.items()]
    if len(dict(named)) < len(named):
        raise ConfigurationRefused(f"Context key '{key}' names a report twice, by Apple's name and by its table.")
    modes = dict.fromkeys((report.table for report in REPORTS), default) | dict(named)
    # The function's environment has room for few names, so the mode of most reports is the default.
    usual, _ = Counter(modes.values()).most_common(1)[0]
    return SchemaModes(usual, tuple(table for table, mode in modes.items() if mode is not usual))


def _granularities(key: str, value: Any) -> tuple[Granularity, ...]:
    allowed = ", ".join(Granularity)
    names = _texts(key, value, f'a list like ["DAILY"], of {allowed}')
    if not names or not set(names) <= set(Granularity):
        raise ConfigurationRefused(f"Context key '{key}' must name at least one of {allowed}, and nothing else.")
    return tuple(granularity for granularity in Granularity if granularity in names)


def _schedule(key: str, value: Any) -> str:
    if not isinstance(value, str) or not _CRON.fullmatch(value):
        raise ConfigurationRefused(
            f"Context key '{key}' must be a cron expression of six fields in UTC, like cron(0 10 * * ? *)."
        )
    return value


def _alarm_email(key: str, value: Any) -> str:
    if not isinstance(value, str) or (value and not _E_MAIL.fullmatch(value)):
        raise ConfigurationRefused(f"Context key '{key}' must be an e-mail address, or empty for none.")
    return value


def _alarm_slack_secret(key: str, value: Any) -> str:
    if not isinstance(value, str) or (value and not _SECRET_NAME.fullmatch(value)):
        raise ConfigurationRefused(
            f"Context key '{key}' must be the name of a secret, like \"appstore-analytics-slack\", or empty for none; "
            "never the webhook's URL."
        )
    return value


def _freshness_hours(key: str, value: Any) -> int:
    hours = _positive(key, value)
    if hours > _LONGEST_TOLERANCE_HOURS:
        raise ConfigurationRefused(f"Context key '{key}' must be at most {_LONGEST_TOLERANCE_HOURS} hours: three days.")
    return hours


def _apple_base_url(key: str, value: Any) -> str:
    return _json(key, value, str, "a URL in quotes")


def _segment_hosts(key: str, value: Any) -> tuple[str, ...]:
    hosts = _texts(key, value, 'a list of hosts like [".amazonaws.com"]')
    wrong = next((host for host in hosts if not _HOST.fullmatch(host) and host not in LOOPBACK_HOSTS), None)
    if not hosts or wrong is not None:
        raise ConfigurationRefused(
            f"Context key '{key}' must name hosts in lower case without scheme, port or path, like \".amazonaws.com\"."
        )
    return hosts


def _numbers(key: str, value: Any, kind: type[MaxConcurrency] | type[Retention]) -> dict[str, int]:
    names = [each.name for each in fields(kind)]
    given = _json(key, value, dict, f"an object with some of {', '.join(names)}")
    unknown = next((name for name in given if name not in names), None)
    if unknown is not None:
        raise ConfigurationRefused(f"Context key '{key}' does not know '{unknown}': use {', '.join(names)}.")
    return {name: _positive(f"{key}.{name}", number) for name, number in given.items()}


def _max_concurrency(key: str, value: Any) -> MaxConcurrency:
    numbers = _numbers(key, value, MaxConcurrency)
    if any(number > _MAXIMAL_CONCURRENCY for number in numbers.values()):
        raise ConfigurationRefused(
            f"Context key '{key}' must stay at or below {_MAXIMAL_CONCURRENCY}, the usual Lambda quota."
        )
    return MaxConcurrency(**numbers)


def _retention(key: str, value: Any) -> Retention:
    retention = Retention(**_numbers(key, value, Retention))
    if retention.logs not in LOG_RETENTION_DAYS:
        raise ConfigurationRefused(
            f"Context key '{key}.logs' must be one of {', '.join(map(str, LOG_RETENTION_DAYS))}."
        )
    return retention


_PARSERS: Mapping[str, Callable[[str, Any], Any]] = {
    "name": _name,
    "databases": _databases,
    "accounts": _accounts,
    "reports": _reports,
    "granularities": _granularities,
    "schema_modes": _schema_modes,
    "schedule": _schedule,
    "calls_per_hour": _positive,
    "max_concurrency": _max_concurrency,
    "snapshot_poll_seconds": _poll_seconds,
    "alarm_email": _alarm_email,
    "alarm_slack_secret": _alarm_slack_secret,
    "dashboard": _boolean,
    "freshness_hours": _freshness_hours,
    "retention": _retention,
    "bytes_scanned_cutoff": _positive,
    "apple_base_url": _apple_base_url,
    "segment_hosts": _segment_hosts,
}
