"""The layout of the buckets: every S3 key is built and parsed here.

raw bucket    raw/<table>/<app id>/<access type>/<processing date>/<instance id>/<segment id>.txt.gz   Apple's bytes
              raw/…/<instance id>/<segment id>.<MD5>.txt.gz                   the same, downloaded again
lake bucket   parts/<table>/dt=<Date>/<app id>.parquet                        one app's rows of one Date
              parts/<table>/dt=<Date>/<app id>/<processing date>.<instance id>.parquet   in `_vintages` tables
              curated/<table>/dt=<Date>/data.parquet                          what Athena reads: all apps' rows
              marts/kpis/dt=<Date>/<table>.parquet                            KPI amounts made of that object's rows
              marts/states/dt=<Date>/states.jsonl                           what these amounts are worth, app by app
              marts/months/<table>/<month>.parquet                            copies of a month's KPI amounts
              publications/<table>/dt=<Date>/<digest>.json                    what that object was made of
              appstore/<table>/dt=<day>/<run id>.jsonl                        the pipeline's records
              checks/dt=<day>.jsonl                                           what that day's check found lacking
              runs/<run id>/…                                                 a run's plan, manifests and notes
              reports/production_<operation>_<run id>.json, .html             run reports, and their pages
              reports/index.html                                              the list of these pages
"""

import re
from dataclasses import dataclass
from datetime import date

PARTS_PREFIX = "parts/"
CURATED_PREFIX = "curated/"
KPIS_PREFIX = "marts/kpis/"
STATES_PREFIX = "marts/states/"
MONTHS_PREFIX = "marts/months/"
PUBLICATIONS_PREFIX = "publications/"
APPSTORE_PREFIX = "appstore/"
CHECKS_PREFIX = "checks/"
RUNS_PREFIX = "runs/"
REPORTS_PREFIX = "reports/"
INDEX_NAME = "index.html"
INDEX_KEY = f"{REPORTS_PREFIX}{INDEX_NAME}"
"""The list of runs, next to their pages."""
RAW_PREFIX = "raw/"

RUN_PARTITION = "RUN#{}"
"""Partition key of a run's records, in a form that both `str.format` and `States.Format` can fill."""

_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_APP_ID = re.compile(r"[1-9][0-9]{0,17}")


def is_safe_id(value: object) -> bool:
    """Whether this can be part of a key or a URL without leaving its folder. Apple's ids are checked when read."""
    return isinstance(value, str) and _SAFE_ID.fullmatch(value) is not None and ".." not in value


def is_app_id(value: object) -> bool:
    """Whether this is an app's id as Apple gives them: a number that a bigint holds, in digits without a leading zero.

    `007` and `7` would be two apps in the registry and one in the tables.
    """
    return isinstance(value, str) and _APP_ID.fullmatch(value) is not None


def raw_prefix(table: str, app_id: str, access_type: str, processing_date: date, instance_id: str) -> str:
    """The folder of one instance's segments."""
    return f"{RAW_PREFIX}{table}/{app_id}/{access_type}/{processing_date.isoformat()}/{instance_id}/"


def raw_key(prefix: str, segment_id: str, md5: str = "") -> str:
    """The object of one segment in its instance's folder; if it was downloaded again, the name has its MD5."""
    return f"{prefix}{segment_id}.{md5}.txt.gz" if md5 else f"{prefix}{segment_id}.txt.gz"


@dataclass(frozen=True, slots=True, order=True)
class TableDate:
    """One Date of one table: the unit of publication."""

    table: str
    day: date

    @property
    def parts_prefix(self) -> str:
        """The folder of this Date's parts."""
        return f"{PARTS_PREFIX}{self.table}/dt={self.day.isoformat()}/"

    @property
    def curated_key(self) -> str:
        """The one object that Athena reads for this Date."""
        return f"{CURATED_PREFIX}{self.table}/dt={self.day.isoformat()}/data.parquet"

    @property
    def kpis_key(self) -> str:
        """The KPI amounts of this Date's rows."""
        return f"{KPIS_PREFIX}dt={self.day.isoformat()}/{self.table}.parquet"

    @property
    def month(self) -> "TableMonth":
        """The month of this Date."""
        return TableMonth(self.table, self.day.replace(day=1))

    def publication_key(self, digest: str) -> str:
        """The note on the object with this digest: its batches."""
        return f"{PUBLICATIONS_PREFIX}{self.table}/dt={self.day.isoformat()}/{digest}.json"

    def part_key(self, app_id: str) -> str:
        """The part of one app."""
        return f"{self.parts_prefix}{app_id}.parquet"

    def vintage_part_key(self, app_id: str, processing_date: date, instance_id: str) -> str:
        """The part of one app and one instance, in tables that keep every vintage."""
        return f"{self.parts_prefix}{app_id}/{processing_date.isoformat()}.{instance_id}.parquet"

    def app_id_of_part(self, key: str) -> int:
        """The app of the part at `key`."""
        return int(re.split(r"[/.]", key.removeprefix(self.parts_prefix), maxsplit=1)[0])


def states_key(day: date) -> str:
    """The states of one Date."""
    return f"{STATES_PREFIX}dt={day.isoformat()}/states.jsonl"


@dataclass(frozen=True, slots=True, order=True)
class TableMonth:
    """One month of one table, by its first day: the unit of compaction."""

    table: str
    first: date

    @property
    def key(self) -> str:
        """The copies of the KPI amounts of its Dates."""
        return f"{MONTHS_PREFIX}{self.table}/{self.first:%Y-%m}.parquet"


def parts_location(table: str) -> str:
    """The folder of one table's parts."""
    return f"{PARTS_PREFIX}{table}/"


def curated_location(table: str) -> str:
    """The folder of one curated table."""
    return f"{CURATED_PREFIX}{table}/"


def appstore_location(table: str) -> str:
    """The folder of one table of the pipeline's records."""
    return f"{APPSTORE_PREFIX}{table}/"


def appstore_key(table: str, day: date, run_id: str) -> str:
    """The records of one run in one `appstore` table."""
    return f"{appstore_day(table, day)}/{run_id}.jsonl"


def appstore_day(table: str, day: date) -> str:
    """The folder of one day in one `appstore` table, without the slash."""
    return f"{appstore_location(table)}dt={day.isoformat()}"


def day_of(key: str) -> date:
    """The day of an object, or of a folder, that has one in its key: `…dt=<day>…`."""
    return date.fromisoformat(key.split("dt=", 1)[1][:10])


def check_key(day: date) -> str:
    """What the last freshness check of a day found lacking."""
    return f"{CHECKS_PREFIX}dt={day.isoformat()}.jsonl"


def run_key(run_id: str, name: str) -> str:
    """The key of an object of one run: its plan, a manifest, a note between two steps."""
    return f"{RUNS_PREFIX}{run_id}/{name}"


def report_key(operation: str, run_id: str) -> str:
    """The run report. The run's id begins with its start, `20261123T060000123Z`, and no two runs share one."""
    return f"{REPORTS_PREFIX}production_{operation}_{run_id}.json"


def page_key(operation: str, run_id: str) -> str:
    """The page of a run, next to its report."""
    return f"{REPORTS_PREFIX}production_{operation}_{run_id}.html"
