"""Ours: the code that runs in convert_instance."""

from datetime import date
from pathlib import Path

from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.conversion import convert
from appstore_analytics.lake.parquet import RowGroups, part_layout
from appstore_analytics.lake.schema import report_schema
from appstore_analytics.lake.tsv import SegmentReader
from appstore_analytics.model.vintage import Vintage
from benchmarks.conversion.peers import APP_ID, PROCESSING_DATE, Counted

_VINTAGE = Vintage(PROCESSING_DATE, AccessType.ONGOING, "instance-1")
_TODAY = date(2026, 11, 23)


def plain(segment: Path, table: CuratedTable, folder: Path) -> None:
    """The reader and the writer, without the steps between them."""
    with (
        segment.open("rb") as stream,
        RowGroups(folder / "data.parquet", part_layout(report_schema(table.report))) as file,
    ):
        for rows in SegmentReader(stream, table.report, APP_ID).rows():
            file.append(rows)
        file.finish({})


def whole(segment: Path, table: CuratedTable, folder: Path) -> Counted:
    """The work of convert_instance on a segment, from its bytes to the parts on the disk."""
    with segment.open("rb") as stream:
        conversion = convert([stream], table, APP_ID, _VINTAGE, _TODAY, lambda days: days, folder)
    return {part.day.isoformat(): {"rows": str(part.rows), **part.sums} for part in conversion.parts}
