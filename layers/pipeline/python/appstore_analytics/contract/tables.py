"""The Glue tables: `curated` holds Apple's rows, a table per report and granularity, `appstore` our own records.

`marts` holds the KPIs (`contract/kpis/`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from appstore_analytics.contract.catalogue import REPORTS_BY_NAME
from appstore_analytics.contract.catalogue.definition import Column, ColumnType, Granularity, ReportDefinition, Role
from appstore_analytics.contract.facts import columns_of, totals

PARTITION_COLUMN = "dt"

APP_ID = Column("app id", ColumnType.INT64, Role.IDENTIFIER, required=True, meaning="The app, from the report request")
PROCESSING_DATE = Column(
    "processing date", ColumnType.DATE, required=True, meaning="Day Apple built the instance that holds this row"
)
INSTANCE_ID = Column(
    "instance id",
    role=Role.IDENTIFIER,
    required=True,
    meaning="Apple's id of the instance that holds this row: two instances can have one processing date",
)
IS_NEWEST_VINTAGE = Column(
    "is newest vintage",
    ColumnType.BOOLEAN,
    required=True,
    meaning="True in the rows of one instance of each app and Date: the newest by processing date; of equal ones an "
    "ongoing request's before a snapshot's, then the greatest instance id",
)
VINTAGE_COLUMNS = (INSTANCE_ID, IS_NEWEST_VINTAGE)
"""Only `_vintages` tables have these. A part has neither: publishing adds them."""

EXTRA = Column(
    "extra",
    ColumnType.TEXTS_BY_HEADER,
    meaning="Cells of columns that the catalogue does not know, as Apple's text by Apple's header",
)


@dataclass(frozen=True, slots=True)
class Projection:
    """The Dates that Athena looks for: from `first` to tomorrow, one every `interval` of `unit`."""

    first: date
    interval: int
    unit: str

    @property
    def range(self) -> str:
        """Athena's spelling of the range."""
        return f"{self.first.isoformat()},NOW+1DAYS"


_PROJECTIONS = {
    Granularity.DAILY: Projection(date(2020, 1, 1), 1, "DAYS"),
    Granularity.WEEKLY: Projection(date(2019, 12, 30), 7, "DAYS"),  # a Monday: weekly Dates are Mondays
    Granularity.MONTHLY: Projection(date(2020, 1, 1), 1, "MONTHS"),
}


@dataclass(frozen=True, slots=True)
class CuratedTable:
    """One report in one granularity.

    If Apple states that a newer processing date replaces a Date, the table holds only the newest vintage. Otherwise its
    name ends in `_vintages` and it holds all of them: no plainly named table holds two vintages of a Date.
    """

    report: ReportDefinition
    granularity: Granularity

    @property
    def name(self) -> str:
        """The Glue name: `engagement`, `sessions_detailed_weekly`, `crashes_expanded_vintages`."""
        period = "" if self.granularity is Granularity.DAILY else f"_{self.granularity.lower()}"
        return f"{self.report.table}{period}{'_vintages' if self.keeps_vintages else ''}"

    @property
    def names(self) -> tuple[str, ...]:
        """The accepted names of the table: Glue's, and the same without `_vintages`."""
        return tuple(dict.fromkeys((self.name, self.name.removesuffix("_vintages"))))

    @property
    def keeps_vintages(self) -> bool:
        """Whether every vintage of a Date is kept, because Apple states no replacement rule."""
        return not self.report.newest_vintage_replaces

    @property
    def part_columns(self) -> tuple[Column, ...]:
        """The columns of a part: lineage first, then Apple's in Apple's order; `extra` only with unknown columns."""
        return (APP_ID, PROCESSING_DATE, *self.report.columns)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the table, without the partition. `extra` is null for objects without it."""
        if self.keeps_vintages:
            return (APP_ID, PROCESSING_DATE, *VINTAGE_COLUMNS, *self.report.columns, EXTRA)
        return (*self.part_columns, EXTRA)

    @property
    def first_date(self) -> date:
        """The earliest Date: the beginning of Apple's history, or of the table."""
        return max(self.report.history_start or self.projection.first, self.projection.first)

    @property
    def projection(self) -> Projection:
        """The range in which Athena looks for partitions."""
        return _PROJECTIONS[self.granularity]

    def covers(self, day: date, today: date) -> bool:
        """Whether a query can see the Date `day`; outside the projection it would be in S3 but invisible."""
        if not self.projection.first <= day <= today + timedelta(days=1):
            return False
        if self.granularity is Granularity.WEEKLY:
            return day.weekday() == 0
        return self.granularity is Granularity.DAILY or day.day == 1


@cache
def report_names() -> dict[str, str]:
    """Apple's name of each report, by every accepted name: Apple's, and its table's with or without suffix."""
    names = {name: name for name in REPORTS_BY_NAME}
    for report in REPORTS_BY_NAME.values():
        names |= dict.fromkeys(CuratedTable(report, Granularity.DAILY).names, report.name)
    return names


@cache
def tables_by_name() -> dict[str, CuratedTable]:
    """Every table that the catalogue allows, by Glue name."""
    return {table.name: table for table in curated_tables(REPORTS_BY_NAME, Granularity)}


def curated_tables(reports: Iterable[str], granularities: Iterable[Granularity]) -> tuple[CuratedTable, ...]:
    """The tables of reports (Apple's names) in granularities; combinations that Apple does not build have none."""
    wanted = tuple(granularities)
    return tuple(
        CuratedTable(report, granularity)
        for report in map(REPORTS_BY_NAME.__getitem__, reports)
        for granularity in wanted
        if granularity in report.granularities
    )


@dataclass(frozen=True, slots=True)
class AppstoreTable:
    """A table of the pipeline's own records: JSON lines, one object per run or check, partitioned by its UTC day."""

    name: str
    meaning: str
    columns: tuple[tuple[str, str], ...]  # (name, Glue type)


RESTATEMENTS = "restatements"

APPSTORE_TABLES: tuple[AppstoreTable, ...] = (
    AppstoreTable(
        "runs",
        "One row per execution: what it did, in numbers",
        (
            ("run_id", "string"),
            ("operation", "string"),
            ("as_of", "date"),
            ("started_at", "string"),
            ("started_by", "string"),
            ("seconds", "double"),
            ("status", "string"),
            ("apps", "bigint"),
            ("apps_failed", "bigint"),
            ("instances", "bigint"),
            *((name, "bigint") for name, _, _ in totals()),
            ("dates_published", "bigint"),
            ("apple_calls", "bigint"),
        ),
    ),
    AppstoreTable(
        "apps",
        "One row per app and run: its verdict, with the app's name",
        (
            ("run_id", "string"),
            ("account", "string"),
            ("app_id", "bigint"),
            ("name", "string"),
            ("verdict", "string"),
            ("reason", "string"),
        ),
    ),
    AppstoreTable(
        "report_requests",
        "One row per app and run: the report request that it uses",
        (
            ("run_id", "string"),
            ("account", "string"),
            ("app_id", "bigint"),
            ("access_type", "string"),
            ("verdict", "string"),
            ("reason", "string"),
            *columns_of("report_requests"),
        ),
    ),
    AppstoreTable(
        "instances",
        "One row per instance that a run handled",
        (
            ("run_id", "string"),
            ("app_id", "bigint"),
            ("report", "string"),
            ("table_name", "string"),
            ("granularity", "string"),
            ("access_type", "string"),
            ("processing_date", "date"),
            ("instance_id", "string"),
            ("verdict", "string"),
            ("reason", "string"),
            *columns_of("instances"),
        ),
    ),
    AppstoreTable(
        "segments",
        "One row per segment that a run downloaded",
        (
            ("run_id", "string"),
            ("app_id", "bigint"),
            ("table_name", "string"),
            ("instance_id", "string"),
            ("segment_id", "string"),
            ("bytes", "bigint"),
            ("checksum", "string"),
            ("key", "string"),
        ),
    ),
    AppstoreTable(
        "batches",
        "The restatement ledger: one row per batch (a Date of a table of an app) that a run changed",
        (
            ("run_id", "string"),
            ("table_name", "string"),
            ("date", "date"),
            ("app_id", "bigint"),
            ("processing_date", "date"),
            ("access_type", "string"),
            ("instance_id", "string"),
            ("rows", "bigint"),
            ("sums", "map<string,string>"),
            ("replaced_processing_date", "date"),
            ("replaced_instance_id", "string"),
            ("replaced_rows", "bigint"),
            ("replaced_sums", "map<string,string>"),
            ("is_final", "boolean"),
            ("replaced_is_final", "boolean"),
        ),
    ),
    AppstoreTable(
        RESTATEMENTS,
        "One row per measure of a batch that was final and that a run changed: the total before and now",
        (
            ("run_id", "string"),
            ("table_name", "string"),
            ("date", "date"),
            ("app_id", "bigint"),
            ("measure", "string"),
            ("replaced_value", "string"),
            ("value", "string"),
            ("cause", "string"),
            ("replaced_processing_date", "date"),
            ("processing_date", "date"),
        ),
    ),
    AppstoreTable(
        "verification",
        "One row per batch that a run verified through Athena",
        (
            ("run_id", "string"),
            ("table_name", "string"),
            ("date", "date"),
            ("app_id", "bigint"),
            ("rows_expected", "bigint"),
            ("rows_athena", "bigint"),
            ("equal", "boolean"),
            ("difference", "string"),
        ),
    ),
    AppstoreTable(
        "releases",
        "One row per version of an app and what a run learned about it; if there are several, the newest counts",
        (
            ("run_id", "string"),
            ("app_id", "bigint"),
            ("platform", "string"),
            ("version", "string"),
            ("version_id", "string"),
            ("released_on", "date"),
            ("is_inferred", "boolean"),
            ("not_before", "date"),
            ("seen_on", "date"),
        ),
    ),
    AppstoreTable(
        "freshness",
        "One row per app and table, from each day's last check: whether the data that is due is there, and if not, why",
        (
            ("checked_at", "string"),
            ("app_id", "bigint"),
            ("table_name", "string"),
            ("verdict", "string"),
            ("reason", "string"),
            ("newest_due_date", "date"),
            ("missing_dates", "array<date>"),
            ("newest_processing_date", "date"),
            ("arrived_at", "string"),
        ),
    ),
)
