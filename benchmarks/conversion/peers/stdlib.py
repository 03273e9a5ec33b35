"""The standard library reads and converts the cells; it cannot write Parquet, so pyarrow writes from lists."""

import csv
import gzip
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from appstore_analytics.contract.catalogue.definition import ColumnType
from appstore_analytics.contract.tables import CuratedTable
from benchmarks.conversion.peers import APP_ID, PROCESSING_DATE, ZSTD_LEVEL, Counted, measures, sort_columns

_ROWS_AT_ONCE = 50_000
_PARSERS: dict[ColumnType, Callable[[str], Any]] = {
    ColumnType.STRING: str,
    ColumnType.INT64: int,
    ColumnType.DATE: date.fromisoformat,
    ColumnType.MONEY: Decimal,
}
_TYPES = {
    ColumnType.STRING: pa.string(),
    ColumnType.INT64: pa.int64(),
    ColumnType.DATE: pa.date32(),
    ColumnType.MONEY: pa.decimal128(18, 6),
}


def plain(segment: Path, table: CuratedTable, folder: Path) -> None:
    """A batch of rows at a time."""
    schema = _schema(table)
    with pq.ParquetWriter(folder / "data.parquet", schema, compression="zstd", compression_level=ZSTD_LEVEL) as file:
        rows = _rows(segment, table)
        while batch := list(itertools.islice(rows, _ROWS_AT_ONCE)):
            file.write_table(_table(batch, schema))


def whole(segment: Path, table: CuratedTable, folder: Path) -> Counted:
    """All rows in lists, by Date."""
    names = [column.name for column in table.report.columns]
    day, app = names.index(table.report.date_column), names.index("app_apple_identifier")
    by_date: dict[date, list[list[Any]]] = defaultdict(list)
    for row in _rows(segment, table):
        if row[app] != APP_ID:
            raise ValueError("rows of another app")
        by_date[row[day]].append(row)
    keys = [names.index(name) for name in sort_columns(table)]
    lineage = [pa.field("app_id", pa.int64()), pa.field("processing_date", pa.date32())]
    schema = pa.schema([*lineage, *_schema(table)])
    counted = {}
    for of_date, rows in sorted(by_date.items()):
        rows.sort(key=itemgetter(*keys))
        with_lineage = [[APP_ID, PROCESSING_DATE, *row] for row in rows]
        path = folder / f"{of_date}.parquet"
        pq.write_table(_table(with_lineage, schema), path, compression="zstd", compression_level=ZSTD_LEVEL)
        sums = {name: str(sum(row[names.index(name)] or 0 for row in rows)) for name in measures(table)}
        counted[str(of_date)] = {"rows": str(len(rows)), **sums}
    return counted


def _rows(segment: Path, table: CuratedTable) -> Iterator[list[Any]]:
    parsers = [_PARSERS[column.type] for column in table.report.columns]
    with gzip.open(segment, "rt", encoding="utf-8", newline="") as file:
        reader = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        next(reader)
        for cells in reader:
            yield [parse(cell) if cell else None for parse, cell in zip(parsers, cells, strict=True)]


def _schema(table: CuratedTable) -> pa.Schema:
    return pa.schema([pa.field(column.name, _TYPES[column.type]) for column in table.report.columns])


def _table(rows: list[list[Any]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True)
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema)
