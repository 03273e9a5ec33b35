"""DuckDB: SQL over read_csv, and COPY to Parquet."""

from pathlib import Path

import duckdb

from appstore_analytics.contract.catalogue.definition import ColumnType
from appstore_analytics.contract.tables import CuratedTable
from benchmarks.conversion.peers import (
    APP_ID,
    PROCESSING_DATE,
    ROW_GROUP_ROWS,
    ZSTD_LEVEL,
    Counted,
    measures,
    sort_columns,
)

_TYPES = {ColumnType.STRING: "VARCHAR", ColumnType.MONEY: "DECIMAL(18,6)"}
_OPTIONS = f"FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {ZSTD_LEVEL}, ROW_GROUP_SIZE {ROW_GROUP_ROWS}"


def plain(segment: Path, table: CuratedTable, folder: Path) -> None:
    """One statement."""
    with _connection() as connection:
        connection.execute(f"COPY ({_select(segment, table)}) TO '{folder}/data.parquet' ({_OPTIONS})")


def whole(segment: Path, table: CuratedTable, folder: Path) -> Counted:
    """Into a table, because the rows are needed three times; then one COPY that makes the partitions."""
    day = table.report.date_column
    with _connection() as connection:
        connection.execute(f"CREATE TABLE rows AS {_select(segment, table)}")
        if connection.execute(f"SELECT count(*) FROM rows WHERE app_apple_identifier <> {APP_ID}").fetchone() != (0,):  # noqa: S608
            raise ValueError("rows of another app")
        lineage = f"{APP_ID} AS app_id, DATE '{PROCESSING_DATE}' AS processing_date"
        ordered = f'SELECT {lineage}, *, "{day}" AS dt FROM rows ORDER BY {_names(sort_columns(table))}'  # noqa: S608
        connection.execute(f"COPY ({ordered}) TO '{folder}' ({_OPTIONS}, PARTITION_BY (dt))")
        sums = ", ".join(f'CAST(sum("{name}") AS VARCHAR)' for name in measures(table))
        answer = connection.execute(f'SELECT "{day}", CAST(count(*) AS VARCHAR), {sums} FROM rows GROUP BY 1')  # noqa: S608
        return {
            str(date): dict(zip(("rows", *measures(table)), rest, strict=True)) for date, *rest in answer.fetchall()
        }


def _connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def _select(segment: Path, table: CuratedTable) -> str:
    types = ", ".join(f"'{each.name}': '{_TYPES.get(each.type, each.type)}'" for each in table.report.columns)
    return (
        f"SELECT * FROM read_csv('{segment}', delim = '\t', header = true, auto_detect = false, quote = '', "  # noqa: S608
        f"escape = '', nullstr = '', new_line = '\\n', columns = {{{types}}})"
    )


def _names(columns: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)
