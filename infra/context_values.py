"""The values of the context's keys, one parser per key. An invalid value is refused with one sentence."""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, fields
from typing import Any, TypeVar

from appstore_analytics.contract.catalogue import CORE_REPORT_NAMES, REPORTS, REPORTS_BY_NAME
from appstore_analytics.contract.catalogue.definition import Granularity, ReportDefinition
from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.errors import ConfigurationRefused
from appstore_analytics.contract.layout import is_app_id
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.names import CONSOLE_SUFFIX, LONGEST_NAME, SERVICE, Database, api_key_output, is_name
from appstore_analytics.contract.schema_modes import SchemaMode, SchemaModes
from appstore_analytics.contract.tables import report_names
from infra.aws_rules import MOST_TAGS, is_e_mail, is_key_arn, is_policy, is_tag, refusal_of_cron

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
LOG_RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""The retentions that CloudWatch Logs offers."""

_MAXIMAL_CONCURRENCY = 1000
_DATABASE_NAME = re.compile(r"(?!information_schema$)[a-z][a-z0-9_]{0,127}")
_ACCOUNT_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_HOST = re.compile(r"\.?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
SECRET_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,500}")
_LONGEST_TOLERANCE_HOURS = 72
_MOST_API_KEYS = 50  # a role's policies can have 10,240 characters in all, and each secret's ARN has about 120
_LONGEST_HOSTS = 2_000  # part of the 4 KB that all variables of a function share
_LEAST_BYTES_SCANNED = 10_000_000  # Athena's own minimum
_LONGEST_RETENTION_DAYS = 36_500
MOST_EVENTS = 25_000  # of an execution's history; AWS ends an execution that exceeds it
EVENTS_OF_A_LOOK = 80
"""The most events of one check for a snapshot; retries and patient Maps, which are the exception, come on top."""
LEAST_POLL_SECONDS = 900  # a backfill checks for 72 hours
_DEFAULT = "default"
URL = re.compile(
    r"https?://(?:\[[0-9a-f:]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)"
    r"(?::(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]))?"
)
_REPOSITORY = re.compile(r"https://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[1-9]\d{0,4})?(?:/[A-Za-z0-9._~-]+)+")
OWN_KEY = re.compile(r"[a-z_]+")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class MaxConcurrency:
    """The concurrency of each Distributed Map. The Maps run one after the other."""

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
    """Days until something expires. Contents of `curated/`, `parts/` and `appstore/` never expire."""

    raw: int = 400  # converting a year again needs no files from Apple, which keeps them for only 35 days
    noncurrent_lake: int = 30  # a month to notice a wrong Date and to roll its run back
    runs: int = 90  # manifests and plans, for looking into a run
    query_results: int = 7  # verify_table reads its result at once; the rest is for people
    logs: int = 30


def json_value(key: str, value: Any, kind: type[T], wanted: str) -> T:
    """A value of this kind, or the same as JSON text from the command line; `wanted` completes "must be"."""
    if isinstance(value, str) and kind is not str:
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            raise ConfigurationRefused(f"Context key '{key}' must be {wanted}; '{value}' is not JSON.") from None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ConfigurationRefused(f"Context key '{key}' must be {wanted}.")
    return value


def texts(key: str, value: Any, wanted: str) -> tuple[str, ...]:
    """A list of different texts, or the same as text from the command line."""
    entries = json_value(key, value, list, wanted)
    if not all(isinstance(entry, str) for entry in entries):
        raise ConfigurationRefused(f"Context key '{key}' must be {wanted}: put each entry in quotes.")
    if len(set(entries)) < len(entries):
        raise ConfigurationRefused(f"Context key '{key}' names an entry twice: remove one.")
    return tuple(entries)


def boolean(key: str, value: Any) -> bool:
    """True or false, or the same as text from the command line."""
    return json_value(key, value, bool, "true or false")


def _positive(key: str, value: Any) -> int:
    number = json_value(key, value, int, "a whole number above 0")
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


def _name(key: str, value: Any) -> str:
    if isinstance(value, str) and value.endswith(CONSOLE_SUFFIX):
        raise ConfigurationRefused(
            f"Context key '{key}' must not end with {CONSOLE_SUFFIX}, which ends the name of a console's stack."
        )
    if not isinstance(value, str) or not is_name(value):
        raise ConfigurationRefused(
            f"Context key '{key}' must have 2 to {LONGEST_NAME} characters of a-z, 0-9 and single inner hyphens, begin "
            f'with a letter, and be none of AWS\'s own names, like "{SERVICE}-staging".'
        )
    return value


def _databases(key: str, value: Any) -> dict[Database, str]:
    roles = ", ".join(Database)
    given = json_value(key, value, dict, f"an object with some of {roles}")
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


def _existing_databases(key: str, value: Any) -> tuple[Database, ...]:
    roles = ", ".join(Database)
    given = texts(key, value, f'a list like ["curated"], of {roles}')
    unknown = next((role for role in given if role not in [*Database]), None)
    if unknown is not None:
        raise ConfigurationRefused(f"Context key '{key}' does not know '{unknown}': use {roles}.")
    return tuple(Database(role) for role in given)


def _permissions_boundary(key: str, value: Any) -> str:
    if not isinstance(value, str) or (value and not is_policy(value)):
        raise ConfigurationRefused(
            f"Context key '{key}' must be the name or the ARN of a managed policy, or empty for none."
        )
    return value


def _kms_key_arn(key: str, value: Any) -> str:
    if not isinstance(value, str) or (value and not is_key_arn(value)):
        raise ConfigurationRefused(
            f"Context key '{key}' must be the ARN of a KMS key (arn:aws:kms:<region>:<account>:key/<id>), not of an "
            "alias, or empty for none."
        )
    return value


def _tags(key: str, value: Any) -> dict[str, str]:
    tags = dict(json_value(key, value, dict, 'an object like {"team": "growth"}'))
    wrong = next((name for name, text in tags.items() if not isinstance(text, str) or not is_tag(name, text)), None)
    if wrong is not None:
        raise ConfigurationRefused(
            f"Context key '{key}': AWS takes no tag '{wrong}' with this value: a key has 1 to 128 and a text 0 to 256 "
            "letters, digits, spaces or _.:/=+-@, and no key begins with aws:."
        )
    if len({name.lower() for name in tags}) < len(tags) or len(tags) > MOST_TAGS:
        raise ConfigurationRefused(
            f"Context key '{key}' must have at most {MOST_TAGS} tags, whose keys differ in more than upper and lower "
            "case: IAM takes those for one."
        )
    return tags


def _accounts(key: str, value: Any) -> tuple[Account, ...]:
    entries = json_value(key, value, list, 'a list like [{"name": "main", "app_ids": ["1000000001"]}]')
    accounts = tuple(_account(key, entry) for entry in entries)
    if not accounts:
        raise ConfigurationRefused(f"Context key '{key}' is empty: name at least one account.")
    names = [account.name for account in accounts]
    if len(set(names)) < len(names):
        raise ConfigurationRefused(f"Context key '{key}' names an account twice: give each its own name.")
    keys = {name for account in accounts for name in (account.admin_key_name, account.reader_key_name)}
    if len({api_key_output(name) for name in keys}) < len(keys):
        raise ConfigurationRefused(
            f"Context key '{key}' makes two API keys of one name: an account must not be called like another one's "
            "second key, '<name>-reader'."
        )
    if len(keys) > _MOST_API_KEYS:
        raise ConfigurationRefused(
            f"Context key '{key}' makes {len(keys)} API keys: one installation takes at most {_MOST_API_KEYS}."
        )
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
    app_ids = texts(f"{key}.app_ids", entry.get("app_ids", []), "a list of app ids in quotes")
    wrong = next((app_id for app_id in app_ids if not is_app_id(app_id)), None)
    if wrong is not None:
        raise ConfigurationRefused(
            f"Context key '{key}': the app id '{wrong}' must consist of digits, like \"1000000001\"."
        )
    return Account(entry["name"], app_ids, boolean(f"{key}.reader_key", entry.get("reader_key", False)))


def _reports(key: str, value: Any) -> tuple[str, ...]:
    if value == "core":
        return CORE_REPORT_NAMES
    if value == "all":
        return tuple(report.name for report in REPORTS)
    wanted = texts(key, value, '"core", "all" or a list of reports like ["engagement"]')
    if not wanted:
        raise ConfigurationRefused(f'Context key \'{key}\' is empty: use "core", "all" or name a report.')
    reports = [_report(key, name).name for name in wanted]
    if len(set(reports)) < len(reports):
        raise ConfigurationRefused(f"Context key '{key}' names a report twice, by Apple's name and by its table.")
    return tuple(reports)


def _report(key: str, name: str) -> ReportDefinition:
    found = report_names().get(name)
    if found is None:
        raise ConfigurationRefused(
            f"Context key '{key}': there is no report '{name}'; use Apple's name or a table's, like \"engagement\"."
        )
    return REPORTS_BY_NAME[found]


def _schema_modes(key: str, value: Any) -> SchemaModes:
    given = dict(json_value(key, value, dict, 'an object like {"default": "evolve", "purchases": "strict"}'))
    wrong = next((name for name, mode in given.items() if mode not in [*SchemaMode]), None)
    if wrong is not None:
        raise ConfigurationRefused(f"Context key '{key}': '{wrong}' must be one of {', '.join(SchemaMode)}.")
    default = SchemaMode(given.pop(_DEFAULT, SchemaMode.EVOLVE))
    named = [(_report(key, name).table, SchemaMode(mode)) for name, mode in given.items()]
    if len(dict(named)) < len(named):
        raise ConfigurationRefused(f"Context key '{key}' names a report twice, by Apple's name and by its table.")
    modes = dict.fromkeys((report.table for report in REPORTS), default) | dict(named)
    # The function's environment has room for only a few names, so make the mode of most reports the default.
    usual, _ = Counter(modes.values()).most_common(1)[0]
    return SchemaModes(usual, tuple(table for table, mode in modes.items() if mode is not usual))


def _granularities(key: str, value: Any) -> tuple[Granularity, ...]:
    allowed = ", ".join(Granularity)
    names = texts(key, value, f'a list like ["DAILY"], of {allowed}')
    if not names or not set(names) <= set(Granularity):
        raise ConfigurationRefused(f"Context key '{key}' must name at least one of {allowed}, and nothing else.")
    return tuple(granularity for granularity in Granularity if granularity in names)


def _schedule(key: str, value: Any) -> str:
    if refusal := refusal_of_cron(str(value)):
        raise ConfigurationRefused(f"Context key '{key}' must {refusal}.")
    return str(value)


def _alarm_email(key: str, value: Any) -> str:
    if not isinstance(value, str) or (value and not is_e_mail(value)):
        raise ConfigurationRefused(f"Context key '{key}' must be an e-mail address, or empty for none.")
    return value


def slack_secret(key: str, value: Any) -> str:
    """The name of a secret with the URL of a Slack webhook, or empty."""
    if not isinstance(value, str) or (value and not SECRET_NAME.fullmatch(value)):
        raise ConfigurationRefused(
            f"Context key '{key}' must be the name of a secret, like \"appstore-analytics-slack\", or empty for none; "
            "never the webhook's URL."
        )
    return value


def _bytes_scanned_cutoff(key: str, value: Any) -> int:
    cutoff = _positive(key, value)
    if not _LEAST_BYTES_SCANNED <= cutoff < 2**63:
        raise ConfigurationRefused(
            f"Context key '{key}' must be at least {_LEAST_BYTES_SCANNED}, which Athena bills for every query."
        )
    return cutoff


def _freshness_hours(key: str, value: Any) -> int:
    hours = _positive(key, value)
    if hours > _LONGEST_TOLERANCE_HOURS:
        raise ConfigurationRefused(f"Context key '{key}' must be at most {_LONGEST_TOLERANCE_HOURS} hours: three days.")
    return hours


def _apple_base_url(key: str, value: Any) -> str:
    return json_value(key, value, str, "a URL in quotes")


def _repository_url(key: str, value: Any) -> str:
    if not isinstance(value, str) or (value and not _REPOSITORY.fullmatch(value)):
        raise ConfigurationRefused(
            f"Context key '{key}' must be the https:// address of the repository, like "
            '"https://github.com/example/analytics", without a slash at the end, or empty for no links.'
        )
    return value


def _segment_hosts(key: str, value: Any) -> tuple[str, ...]:
    hosts = texts(key, value, 'a list of hosts like [".amazonaws.com"]')
    wrong = next((host for host in hosts if not _HOST.fullmatch(host) and host not in LOOPBACK_HOSTS), None)
    if not hosts or wrong is not None or sum(map(len, hosts)) > _LONGEST_HOSTS:
        raise ConfigurationRefused(
            f"Context key '{key}' must name hosts in lower case without scheme, port or path, like \".amazonaws.com\"."
        )
    return hosts


def _numbers(key: str, value: Any, kind: type[MaxConcurrency] | type[Retention]) -> dict[str, int]:
    names = [each.name for each in fields(kind)]
    given = json_value(key, value, dict, f"an object with some of {', '.join(names)}")
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
    if any(days > _LONGEST_RETENTION_DAYS for days in astuple(retention)):
        raise ConfigurationRefused(f"Context key '{key}' must stay at or below {_LONGEST_RETENTION_DAYS} days.")
    if retention.logs not in LOG_RETENTION_DAYS:
        raise ConfigurationRefused(
            f"Context key '{key}.logs' must be one of {', '.join(map(str, LOG_RETENTION_DAYS))}."
        )
    return retention


PARSERS: Mapping[str, Callable[[str, Any], Any]] = {
    "name": _name,
    "databases": _databases,
    "existing_databases": _existing_databases,
    "lake_formation": boolean,
    "permissions_boundary": _permissions_boundary,
    "kms_key_arn": _kms_key_arn,
    "tags": _tags,
    "accounts": _accounts,
    "reports": _reports,
    "granularities": _granularities,
    "schema_modes": _schema_modes,
    "schedule": _schedule,
    "calls_per_hour": _positive,
    "max_concurrency": _max_concurrency,
    "snapshot_poll_seconds": _poll_seconds,
    "alarm_email": _alarm_email,
    "alarm_slack_secret": slack_secret,
    "dashboard": boolean,
    "releases": boolean,
    "repository_url": _repository_url,
    "freshness_hours": _freshness_hours,
    "retention": _retention,
    "bytes_scanned_cutoff": _bytes_scanned_cutoff,
    "apple_base_url": _apple_base_url,
    "segment_hosts": _segment_hosts,
    "retain": boolean,
}
