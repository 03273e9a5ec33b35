"""Athena's SQL on DuckDB over the objects of the lake, translated and typed like the embedded AWS."""

import io
import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from appstore_analytics.contract.layout import APPSTORE_PREFIX, CURATED_PREFIX
from appstore_analytics.contract.names import Database
from appstore_analytics.contract.tables import APPSTORE_TABLES, tables_by_name
from appstore_analytics.lake.objects import Bucket, StoredObject
from appstore_analytics.lake.schema import arrow_type
from local.aws.trino import tables_of, translate
from tests.integration.duckdb_in_process import answer

_TYPES = {
    "string": pa.string(),
    "date": pa.date32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "array<string>": pa.list_(pa.string()),
    "array<date>": pa.list_(pa.date32()),
}


_READ: dict[str, tuple[str, pa.Table]] = {}
"""By key the ETag of the object that was read last, and its rows: another object has another ETag, in any bucket."""


class AthenaInProcess:
    """The tables of both databases for which the lake has objects; `queries` are the executed ones."""

    def __init__(self, lake: Bucket) -> None:
        self._lake = lake
        self.queries: list[str] = []

    def rows(self, sql: str, database: str) -> Iterator[tuple[str | None, ...]]:
        self.queries.append(sql)
        tables = {name: self._table(*name) for name in sorted(tables_of(sql, database))}
        schema = {name: _glue_types(*name) for name in tables}
        translation = translate(sql, database, schema, lambda *_: frozenset({"dt"}))
        relations = {scan.relation: tables[scan.database, scan.table] for scan in translation.scans}
        return answer(translation.sql, relations)

    def _table(self, database: str, name: str) -> pa.Table:
        schema = _schema(database, name)
        prefix = APPSTORE_PREFIX if database == Database.APPSTORE else CURATED_PREFIX
        found = [schema.append(pa.field("dt", pa.date32())).empty_table()]
        for stored in self._lake.list(f"{prefix}{name}/"):
            day = date.fromisoformat(stored.key.split("dt=")[1].split("/")[0])
            rows = self._rows(stored, schema, is_json=database == Database.APPSTORE)
            found.append(rows.append_column("dt", pa.array([day] * rows.num_rows, pa.date32())))
        return pa.concat_tables(found)

    def _rows(self, stored: StoredObject, schema: pa.Schema, *, is_json: bool) -> pa.Table:
        """The rows of an object, read once as long as it stays the same."""
        kept = _READ.get(stored.key)
        if kept is None or kept[0] != stored.etag:
            content = io.BytesIO(self._lake.read(stored.key) or b"")
            rows = _json_rows(content, schema) if is_json else pq.read_table(content)
            for field in [field for field in schema if field.name not in rows.column_names]:
                rows = rows.append_column(field, pa.nulls(rows.num_rows, field.type))
            kept = _READ[stored.key] = stored.etag, rows.select(schema.names).cast(schema)
        return kept[1]


def _json_rows(content: io.BytesIO, schema: pa.Schema) -> pa.Table:
    """JSON lines like Athena's SerDe reads them: text with a number or a date becomes one."""
    rows = [json.loads(line) for line in content.read().splitlines()]
    columns = [[_typed(row.get(field.name), field.type) for row in rows] for field in schema]
    return pa.table([pa.array(cells, field.type) for cells, field in zip(columns, schema, strict=True)], schema)


def _typed(cell: Any, kind: pa.DataType) -> Any:
    if isinstance(cell, list):
        return [_typed(each, kind.value_type) for each in cell]
    if isinstance(cell, str) and not pa.types.is_string(kind):
        return date.fromisoformat(cell) if pa.types.is_date(kind) else int(cell)
    return cell


def _glue_types(database: str, name: str) -> dict[str, str]:
    if database == Database.APPSTORE:
        (columns,) = [table.columns for table in APPSTORE_TABLES if table.name == name]
        return {**dict(columns), "dt": "date"}
    return {**{column.name: str(column.type) for column in tables_by_name()[name].columns}, "dt": "date"}


def _schema(database: str, name: str) -> pa.Schema:
    if database == Database.APPSTORE:
        kinds = {column: kind for column, kind in _glue_types(database, name).items() if column != "dt"}
        return pa.schema([pa.field(column, _TYPES[kind]) for column, kind in kinds.items()])
    return pa.schema([pa.field(column.name, arrow_type(column.type)) for column in tables_by_name()[name].columns])
