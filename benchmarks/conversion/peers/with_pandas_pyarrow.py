"""pandas with the pyarrow engine and Arrow's types."""

from pathlib import Path

import pandas as pd
import pyarrow as pa

from appstore_analytics.contract.catalogue.definition import ColumnType
from appstore_analytics.contract.tables import CuratedTable
from benchmarks.conversion.peers import ZSTD_LEVEL, Counted
from benchmarks.conversion.peers.with_pandas import write_by_date

_TYPES = {
    ColumnType.STRING: pa.string(),
    ColumnType.INT64: pa.int64(),
    ColumnType.DATE: pa.date32(),
    ColumnType.MONEY: pa.decimal128(18, 6),
}


def plain(segment: Path, table: CuratedTable, folder: Path) -> None:
    """Read everything, write everything."""
    _read(segment, table).to_parquet(
        folder / "data.parquet", engine="pyarrow", index=False, compression="zstd", compression_level=ZSTD_LEVEL
    )


def whole(segment: Path, table: CuratedTable, folder: Path) -> Counted:
    """Sorted and grouped in memory."""
    return write_by_date(_read(segment, table), table, folder)


def _read(segment: Path, table: CuratedTable) -> "pd.DataFrame":
    return pd.read_csv(
        segment,
        sep="\t",
        engine="pyarrow",
        header=0,
        names=[column.name for column in table.report.columns],
        dtype={column.name: pd.ArrowDtype(_TYPES[column.type]) for column in table.report.columns},
        keep_default_na=False,
        na_values=[""],
        compression="gzip",
    )
