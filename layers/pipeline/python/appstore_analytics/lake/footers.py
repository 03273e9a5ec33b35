"""The footers of published Parquet objects, without reading rows."""

import io
from typing import Any

from appstore_analytics.contract.catalogue.definition import ColumnType
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.published import published_dates

_FOOTER_BYTES = 64 << 10
_MAGIC = b"PAR1"
_TAIL = 8  # the footer's length in four bytes, and the magic


def parquet_columns(lake: Bucket, table: CuratedTable) -> dict[str, str] | None:
    """Name and Glue type of every column in the footer of the newest published object; None without an object."""
    days = published_dates(lake, table)
    if not days:
        return None
    import pyarrow.parquet as pq  # noqa: PLC0415 (Arrow takes a second to load, and only this needs it)

    from appstore_analytics.lake.schema import arrow_type  # noqa: PLC0415

    def glue_type(found: Any) -> str:  # compared, not looked up: equal maps can differ in their hashes
        return next((str(kind) for kind in ColumnType if arrow_type(kind) == found), str(found))

    schema = pq.read_metadata(io.BytesIO(_footer(lake, TableDate(table.name, days[-1]).curated_key)))
    return {each.name: glue_type(each.type) for each in schema.schema.to_arrow_schema()}


def _footer(lake: Bucket, key: str) -> bytes:
    """A Parquet file that consists of only the object's footer, so that no rows are fetched."""
    tail = lake.tail(key, _FOOTER_BYTES)
    size = int.from_bytes(tail[-_TAIL:-4], "little") + _TAIL
    return _MAGIC + (tail if size <= len(tail) else lake.tail(key, size))[-size:]
