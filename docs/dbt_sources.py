"""docs/dbt/sources.yml: the tables as sources of dbt, from the catalogue. A text in JSON's quotes is YAML as well."""

import json
from collections.abc import Iterable, Iterator

from appstore_analytics.contract.catalogue import CORE_REPORT_NAMES
from appstore_analytics.contract.catalogue.definition import Column, Granularity, Role
from appstore_analytics.contract.kpis.views import VIEWS, View
from appstore_analytics.contract.names import Database
from appstore_analytics.contract.tables import (
    APPSTORE_TABLES,
    PARTITION_COLUMN,
    AppstoreTable,
    CuratedTable,
    curated_tables,
)

_HEAD = """\
# Written by `python docs/generate.py` from the catalogue; a test fails when the two differ. See docs/bi.md. The tables
# that are deployed by default: dbt asks for none that no model names. `schema` is the Glue database: change # it if
# `name` in cdk.json gives yours another name.
"""

_ABOUT = {
    Database.CURATED: "Apple's rows, a table for each report and granularity. Always bound dt.",
    Database.MARTS: "KPIs, a view for each question. Ratios and bounds do not add up.",
    Database.APPSTORE: "The pipeline's own records; dt is the UTC day of the run.",
}
_DATE = "Apple's Date (UTC), the partition: bound it in every query"
_RUN_DAY = "The UTC day of the run, the partition"
_NEVER = {
    Role.NON_ADDITIVE: "A unique count: never sum it over rows.",
    Role.UNKNOWN: "Apple does not say whether it may be summed.",
}


def dbt_sources() -> str:
    """The file."""
    return "".join(f"{line}\n" for line in (*_HEAD.splitlines(), "version: 2", "sources:", *_sources()))


def _sources() -> Iterator[str]:
    curated = curated_tables(CORE_REPORT_NAMES, (Granularity.DAILY,))
    yield from _source(Database.CURATED, (line for table in curated for line in _curated(table)))
    yield from _source(Database.MARTS, (line for view in VIEWS for line in _view(view)))
    yield from _source(Database.APPSTORE, (line for table in APPSTORE_TABLES for line in _records(table)))


def _source(database: Database, tables: Iterable[str]) -> Iterator[str]:
    yield f"  - name: app_store_{database}"
    yield f"    schema: {database}"
    yield f"    description: {json.dumps(_ABOUT[database])}"
    yield "    tables:"
    yield from tables


def _curated(table: CuratedTable) -> Iterator[str]:
    newest = " Every vintage is kept: filter is_newest_vintage." if table.keeps_vintages else ""
    yield from _table(table.name, f"{table.report.name}, {table.granularity.lower()}.{newest}")
    yield from _column(PARTITION_COLUMN, "date", _DATE)
    for column in table.columns:
        yield from _column(column.name, column.type, _meaning(column))


def _meaning(column: Column) -> str:
    return " ".join(part for part in (column.meaning, _NEVER.get(column.role, "")) if part)


def _view(view: View) -> Iterator[str]:
    yield from _table(view.name, view.meaning)
    for column in view.columns:
        yield from _column(column.name, column.type, column.meaning)


def _records(table: AppstoreTable) -> Iterator[str]:
    yield from _table(table.name, table.meaning)
    yield from _column(PARTITION_COLUMN, "date", _RUN_DAY)
    for name, kind in table.columns:
        yield from _column(name, kind, "")


def _table(name: str, words: str) -> Iterator[str]:
    yield f"      - name: {name}"
    yield f"        description: {json.dumps(words)}"
    yield "        columns:"


def _column(name: str, kind: str, words: str) -> Iterator[str]:
    yield f"          - name: {json.dumps(name)}"
    yield f"            data_type: {json.dumps(kind)}"
    if words:
        yield f"            description: {json.dumps(words)}"
