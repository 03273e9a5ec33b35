"""`schema-verify`: Apple's files, the catalogue, Glue and Parquet, column by column."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from appstore_analytics.answers.catalogue_patch import catalogue_patch
from appstore_analytics.answers.facts import counted
from appstore_analytics.answers.schema_sources import Sample, guessed_type, newest_instances, samples
from appstore_analytics.athena.glue import GlueDatabase
from appstore_analytics.contract.catalogue.definition import (
    AccessType,
    Column,
    ColumnType,
    ReportDefinition,
    header_key,
)
from appstore_analytics.contract.tables import APP_ID, EXTRA, PROCESSING_DATE, VINTAGE_COLUMNS, CuratedTable
from appstore_analytics.lake.footers import parquet_columns
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.registry import Registry

_FILES_PER_TABLE = 5
_LOOK_BACK = timedelta(days=42)
_OURS = frozenset(column.name for column in (APP_ID, PROCESSING_DATE, *VINTAGE_COLUMNS, EXTRA))

EQUAL = "equal"
UNKNOWN = "drift: not in the catalogue"
ABSENT = "drift: not in the newest files"
GLUE = "drift: Glue differs"
PARQUET = "drift: Parquet differs"


@dataclass(frozen=True, slots=True)
class ColumnLine:
    """One column of one table: its header in the newest files, and its type in three places."""

    table_name: str
    column: str
    header: str
    catalogue: str
    glue: str
    parquet: str
    verdict: str


@dataclass(frozen=True, slots=True)
class TableSchema:
    """One table: the number of Apple's files that were read, of columns that agree, and the drifted columns."""

    table_name: str
    files: int
    columns: int
    drifted: int
    verdict: str


@dataclass(frozen=True, slots=True)
class UnknownReport:
    """A report name that Apple offers and the catalogue does not have, and the number of apps that it is offered to."""

    name: str
    apps: int


@dataclass(frozen=True, slots=True)
class SchemaComparison:
    """All tables; `columns` are those that drifted, or all of them on request; `patch` is for `git apply`."""

    tables: tuple[TableSchema, ...]
    columns: tuple[ColumnLine, ...]
    patch: str
    unknown_reports: tuple[UnknownReport, ...] = ()

    @property
    def is_good(self) -> bool:
        """Whether everything agrees."""
        return not any(table.drifted for table in self.tables)

    @property
    def sentence(self) -> str:
        """The number of drifted columns, and what to do with the patch."""
        unknown = ""
        if self.unknown_reports:
            count = counted(len(self.unknown_reports), "report")
            unknown = f" Apple offers {count} that are not in the catalogue; they are not fetched."
        if self.is_good:
            return f"Files, catalogue, Glue and Parquet agree in {counted(len(self.tables), 'table')}.{unknown}"
        drifted = counted(sum(table.drifted for table in self.tables), "column")
        how = " `./manage.py schema-verify --patch | git apply` enters the new ones." if self.patch else ""
        return f"{drifted} drifted: docs/manage.md says what each drift means.{how}{unknown}"


def compare_schemas(
    tables: Sequence[CuratedTable],
    app_ids: Sequence[str],
    registry: Registry,
    raw: Bucket,
    lake: Bucket,
    glue: GlueDatabase,
    as_of: date,
    *,
    every_column: bool,
) -> SchemaComparison:
    """Compare each table's four descriptions, with the newest five of Apple's files per table."""
    newest = newest_instances(app_ids, registry, as_of - _LOOK_BACK)
    summaries, lines = [], []
    new: dict[ReportDefinition, dict[str, ColumnType]] = {}
    for table in tables:
        seen = list(samples(raw, newest.get(table.name, ()), _FILES_PER_TABLE))
        of_table = list(_lines(table, seen, glue.columns(table), parquet_columns(lake, table)))
        drifted = [line for line in of_table if line.verdict != EQUAL]
        summaries.append(
            TableSchema(table.name, len(seen), len(of_table), len(drifted), "drift: see below" if drifted else EQUAL)
        )
        lines += of_table if every_column else drifted
        if unknown := {line.header: _guess(line.header, seen) for line in drifted if line.verdict == UNKNOWN}:
            new.setdefault(table.report, {}).update(unknown)
    unknown_reports = tuple(_unknown_reports(app_ids, registry))
    return SchemaComparison(tuple(summaries), tuple(lines), catalogue_patch(new), unknown_reports)


def _unknown_reports(app_ids: Sequence[str], registry: Registry) -> Iterator[UnknownReport]:
    """From the newest listing of each app's reports."""
    requests = (registry.report_requests.get(app_id, AccessType.ONGOING) for app_id in app_ids)
    apps = Counter(name for request in requests for name in request.unknown_reports)
    for name in sorted(apps):
        yield UnknownReport(name, apps[name])


def _lines(
    table: CuratedTable, seen: Sequence[Sample], glue: Mapping[str, str], parquet: Mapping[str, str] | None
) -> Iterator[ColumnLine]:
    """The catalogue's columns, then those that only files, Glue or Parquet have."""
    headers = {header_key(header): header for sample in seen for header in sample.headers if header}
    for column in table.columns:
        header = "" if column.name in _OURS else _popped(headers, column)
        places = (str(column.type), glue.get(column.name, ""), "" if parquet is None else parquet.get(column.name, ""))
        verdict = _verdict(column, header, places, has_files=bool(seen), is_published=parquet is not None)
        yield ColumnLine(table.name, column.name, header, *places, verdict)
    for header in headers.values():
        yield ColumnLine(table.name, "", header, "", "", "", UNKNOWN)
    known = {column.name for column in table.columns}
    for name in sorted({*glue, *(parquet or ())} - known):
        there = (glue.get(name, ""), (parquet or {}).get(name, ""))
        yield ColumnLine(table.name, name, "", "", *there, GLUE if there[0] else PARQUET)


def _popped(headers: dict[str, str], column: Column) -> str:
    """The header that the files have for a column, its own before an alias; empty if they have none."""
    spellings = (column.header, *(alias.header for alias in column.aliases))
    key = next((key for key in map(header_key, spellings) if key in headers), "")
    return headers.pop(key, "")


def _verdict(column: Column, header: str, places: tuple[str, str, str], *, has_files: bool, is_published: bool) -> str:
    catalogue, glue, parquet = places
    if glue != catalogue:
        return GLUE
    if is_published and parquet != catalogue and not (column is EXTRA and not parquet):  # few objects have it
        return PARQUET
    return ABSENT if has_files and not header and column.name not in _OURS else EQUAL


def _guess(header: str, seen: Sequence[Sample]) -> ColumnType:
    return guessed_type([value for sample in seen if header in sample.headers for value in sample.values(header)])
