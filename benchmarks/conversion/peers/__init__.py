"""The same two jobs by each peer, as its documentation recommends: explicit types, and streaming if possible.

`plain(segment, table, folder)`: one typed Parquet file, zstd at our level, rows in the file's order. `whole(segment,
table, folder)`: only rows of the app, with our two lineage columns, one file per Date, sorted by `sort_columns`;
answers per Date with the rows and the exact sums of the additive measures. A wrong cell raises an exception if the peer
supports that: no peer has a quarantine, or reports the row.

`whole(segment, table, folder)`: only rows of the app, with our two lineage columns, one file per Date, sorted by
`sort_columns`; returns per Date the number of rows and the exact sums of the additive measures. A wrong cell raises an
exception if the peer supports that: none of them has a quarantine, or reports the row.
"""

from datetime import date

from appstore_analytics.contract.tables import CuratedTable

ZSTD_LEVEL = 1
ROW_GROUP_ROWS = 250_000
APP_ID = 1_000_000_001
PROCESSING_DATE = date(2026, 11, 21)

Counted = dict[str, dict[str, str]]
"""Per Date (ISO) `rows` and the sum of each additive measure, as decimal text."""


def sort_columns(table: CuratedTable) -> list[str]:
    """The sort order of the rows: the Date, then the sort order of our parts."""
    present = {column.name for column in table.report.columns}
    wanted = ("territory", "device", "source_type", "platform_version")
    return [table.report.date_column, *(name for name in wanted if name in present)]


def measures(table: CuratedTable) -> list[str]:
    """The columns that are added up."""
    return [column.name for column in table.report.additive_measures]
