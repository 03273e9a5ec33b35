"""pandas with its C engine: categories for strings, as its guide to large data sets advises; decimals by hand."""

from pathlib import Path

import pandas as pd
import pyarrow as pa

from appstore_analytics.contract.catalogue.definition import ColumnType
from appstore_analytics.contract.tables import CuratedTable
from benchmarks.conversion.peers import APP_ID, PROCESSING_DATE, ZSTD_LEVEL, Counted, measures, sort_columns
from benchmarks.conversion.peers.pandas_csv import read

_DATE, _MONEY = pd.ArrowDtype(pa.date32()), pd.ArrowDtype(pa.decimal128(18, 6))


def plain(segment: Path, table: CuratedTable, folder: Path) -> None:
    """Read everything, write everything."""
    _write(_read(segment, table), folder / "data.parquet")


def whole(segment: Path, table: CuratedTable, folder: Path) -> Counted:
    """Sorted and grouped in memory."""
    return write_by_date(_read(segment, table), table, folder)


def write_by_date(rows: "pd.DataFrame", table: CuratedTable, folder: Path) -> Counted:
    """Process typed rows, whichever engine read them."""
    if not (rows["app_apple_identifier"] == APP_ID).all():
        raise ValueError("rows of another app")
    day = table.report.date_column
    rows = rows.sort_values(sort_columns(table), kind="stable")
    rows.insert(0, "app_id", APP_ID)
    rows.insert(1, "processing_date", pd.Series(PROCESSING_DATE, rows.index, _DATE))
    counted = {}
    for date, of_date in rows.groupby(day, sort=False):
        _write(of_date, folder / f"{date}.parquet")
        counted[str(date)] = {
            "rows": str(len(of_date)),
            **{name: str(of_date[name].sum()) for name in measures(table)},
        }
    return counted


def _read(segment: Path, table: CuratedTable) -> "pd.DataFrame":
    rows = read(segment, table)
    types = {ColumnType.DATE: _DATE, ColumnType.MONEY: _MONEY}
    return rows.astype({each.name: types[each.type] for each in table.report.columns if each.type in types})


def _write(rows: "pd.DataFrame", path: Path) -> None:
    rows.to_parquet(path, engine="pyarrow", index=False, compression="zstd", compression_level=ZSTD_LEVEL)
