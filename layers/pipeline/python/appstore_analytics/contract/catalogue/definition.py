"""The vocabulary of a report's definition, from which Glue, Arrow and the documentation follow."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAY_IN_WORDS = re.compile(rf"({'|'.join(_MONTHS)}) (\d{{1,2}}), (\d{{4}})", re.ASCII)
_COUNTED_CATEGORIES = "LMNS"
"""Unicode categories: letters, marks, numbers and symbols."""


class Category(StrEnum):
    """Apple's `category` of a report."""

    APP_STORE_ENGAGEMENT = "APP_STORE_ENGAGEMENT"
    APP_USAGE = "APP_USAGE"
    COMMERCE = "COMMERCE"
    FRAMEWORK_USAGE = "FRAMEWORK_USAGE"
    PERFORMANCE = "PERFORMANCE"


class AccessType(StrEnum):
    """Apple's `accessType` of a report request."""

    ONGOING = "ONGOING"
    ONE_TIME_SNAPSHOT = "ONE_TIME_SNAPSHOT"


class Granularity(StrEnum):
    """Apple's `granularity` of an instance: the length of a Date's period."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"


class ColumnType(StrEnum):
    """The type of a cell. The value is the Glue (Hive) type."""

    STRING = "string"
    DATE = "date"
    INT64 = "bigint"
    FLOAT64 = "double"
    BOOLEAN = "boolean"
    MONEY = "decimal(18,6)"
    TEXTS_BY_HEADER = "map<string,string>"  # not one of Apple's columns: see contract/tables.py:EXTRA


class Role(StrEnum):
    """Whether a column can be summed over rows."""

    DIMENSION = "dimension"
    IDENTIFIER = "identifier"
    ADDITIVE = "additive measure"
    NON_ADDITIVE = "non-additive measure"
    UNKNOWN = "number of unknown additivity"


def header_key(header: str) -> str:
    """The form in which two spellings of a header are equal: its letters, digits and symbols, without case.

    Apple says that column positions may change and its own spellings vary (`visibleTime`, `Visible Time`). Letters of
    every script count, with their accents, composed or not; spaces and punctuation other than `%` do not.
    """
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFD", header).casefold())
    return "".join(each for each in folded if each == "%" or unicodedata.category(each)[0] in _COUNTED_CATEGORIES)


def snake_case(header: str) -> str:
    """The column name of a header: `Total Session Duration` → `total_session_duration`."""
    return re.sub(r"[^a-z0-9]+", "_", header.lower()).strip("_")


@dataclass(frozen=True, slots=True)
class Alias:
    """Another spelling of a column's header that Apple uses or has used; `source` is where it was seen."""

    header: str
    source: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a report, as Apple documents it.

    `header` is Apple's spelling, `name` ours in Glue and Parquet. A file without a `required` column is quarantined;
    any other missing column is null and reported. A file can spell the header as one of the `aliases`; a file with both
    has this column and an unknown one.
    """

    header: str
    type: ColumnType = ColumnType.STRING
    role: Role = Role.DIMENSION
    required: bool = False
    meaning: str = ""
    name: str = ""
    aliases: tuple[Alias, ...] = ()

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", snake_case(self.header))


@dataclass(frozen=True, slots=True)
class ReportDefinition:
    """One of Apple's Analytics Reports.

    `documentation` is its page below Apple's documentation of Analytics Reports. `name` is Apple's name, exactly:
    reports are found by it, because report ids change with the request. `table` is the stem of its Glue tables.
    `completeness_days`: a Date is complete this many days after it, None if Apple states nothing; `late_arrival_days`
    is the corresponding number for telemetry. `newest_vintage_replaces`: Apple states that a newer processing date
    replaces all rows of a Date. `date_column` names the column that holds the Date.
    """

    name: str
    table: str
    category: Category
    documentation: str
    columns: tuple[Column, ...]
    granularities: tuple[Granularity, ...] = (Granularity.DAILY,)
    completeness_days: int | None = None
    late_arrival_days: int | None = None
    newest_vintage_replaces: bool = False
    date_column: str = "date"
    history_from: str = ""

    @property
    def history_start(self) -> date | None:
        """The first day with data at Apple, if `history_from` is a day and not a version of iOS."""
        found = _DAY_IN_WORDS.fullmatch(self.history_from)
        return date(int(found[3]), _MONTHS.index(found[1]) + 1, int(found[2])) if found else None

    @property
    def documentation_url(self) -> str:
        """Apple's page about this report."""
        return f"https://developer.apple.com/documentation/analytics-reports/{self.documentation}"

    @property
    def app_id_column(self) -> Column | None:
        """The column that repeats the app's id in the file; None in reports without one."""
        return next((column for column in self.columns if column.name == "app_apple_identifier"), None)

    @property
    def additive_measures(self) -> tuple[Column, ...]:
        """The columns that Athena sums for verification. Doubles are excluded: their sums depend on the order."""
        return tuple(column for column in self.columns if column.role is Role.ADDITIVE)
