"""pandas reads a segment with its C engine, as its guide to large data sets recommends: categories for strings."""

from decimal import Decimal
from pathlib import Path

import pandas as pd

from appstore_analytics.contract.catalogue.definition import ColumnType
from appstore_analytics.contract.tables import CuratedTable

_TYPES = {ColumnType.STRING: "category", ColumnType.INT64: "Int64", ColumnType.MONEY: "str", ColumnType.DATE: "str"}


def read(segment: Path, table: CuratedTable) -> "pd.DataFrame":
    """The rows in the file's order: dates of pandas' own type, amounts of money as decimals, made by hand."""
    rows = pd.read_csv(
        segment,
        sep="\t",
        quoting=3,
        header=0,
        names=[column.name for column in table.report.columns],
        dtype={column.name: _TYPES[column.type] for column in table.report.columns},
        keep_default_na=False,
        na_values=[""],
        compression="gzip",
    )
    for column in table.report.columns:
        if column.type is ColumnType.DATE:
            rows[column.name] = pd.to_datetime(rows[column.name], format="%Y-%m-%d")
        elif column.type is ColumnType.MONEY:
            rows[column.name] = rows[column.name].map(Decimal, na_action="ignore")
    return rows
