"""Polars: a lazy scan that streams into its own Parquet writer."""

from pathlib import Path

import polars as pl

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

_TYPES = {
    ColumnType.STRING: pl.String(),
    ColumnType.DATE: pl.Date(),
    ColumnType.INT64: pl.Int64(),
    ColumnType.FLOAT64: pl.Float64(),
    ColumnType.BOOLEAN: pl.Boolean(),
    ColumnType.MONEY: pl.Decimal(18, 6),
}


def plain(segment: Path, table: CuratedTable, folder: Path) -> None:
    """Scan and sink, in one streaming query."""
    _scan(segment, table).sink_parquet(
        folder / "data.parquet", compression="zstd", compression_level=ZSTD_LEVEL, row_group_size=ROW_GROUP_ROWS
    )


def whole(segment: Path, table: CuratedTable, folder: Path) -> Counted:
    """Sorted in memory by the streaming engine, then cut at the Dates."""
    day = table.report.date_column
    rows = _scan(segment, table).sort(sort_columns(table)).collect(engine="streaming")
    rows = rows.select(pl.lit(APP_ID).alias("app_id"), pl.lit(PROCESSING_DATE).alias("processing_date"), pl.all())
    if not (rows["app_apple_identifier"] == APP_ID).all():
        raise ValueError("rows of another app")
    counted = rows.group_by(day).agg(pl.len().cast(pl.String), pl.col(measures(table)).sum().cast(pl.String))
    for (date,), of_date in rows.partition_by(day, as_dict=True, maintain_order=True).items():
        of_date.write_parquet(
            folder / f"{date}.parquet",
            compression="zstd",
            compression_level=ZSTD_LEVEL,
            row_group_size=ROW_GROUP_ROWS,
        )
    return {str(row.pop(day)): {"rows": row.pop("len"), **row} for row in counted.to_dicts()}


def _scan(segment: Path, table: CuratedTable) -> pl.LazyFrame:
    scan = pl.scan_csv(
        segment,
        separator="\t",
        quote_char=None,
        schema=pl.Schema({column.header: _TYPES[column.type] for column in table.report.columns}),
    )
    return scan.rename({column.header: column.name for column in table.report.columns})
