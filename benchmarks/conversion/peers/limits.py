"""Physical limits: the cost of each stage alone, with the libraries that we use."""

import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pcsv
from isal import igzip

from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.parquet import RowGroups, part_layout
from appstore_analytics.lake.schema import in_memory, report_schema
from appstore_analytics.lake.tsv import SegmentReader
from benchmarks.conversion.peers import APP_ID

_BLOCK_BYTES = 4 << 20


def prepare(job: str, segment: Path, table: CuratedTable) -> Any:
    """The input of this job, which is prepared before measuring."""
    if job == "gunzip":
        return segment
    if job == "csv_parse":
        return gzip_content(segment)
    with segment.open("rb") as stream:
        return list(SegmentReader(stream, table.report, APP_ID).rows())


def gzip_content(segment: Path) -> bytes:
    """The whole text."""
    with igzip.open(segment, "rb") as file:
        content: bytes = file.read()
    return content


def gunzip(segment: Path, _table: CuratedTable, _folder: Path) -> None:
    """By isal; the bytes are dropped."""
    with igzip.open(segment, "rb") as file:
        while file.read(_BLOCK_BYTES):
            pass


def csv_parse(content: bytes, table: CuratedTable, _folder: Path) -> None:
    """By Arrow, into numbers and dictionaries of strings; the rows are dropped."""
    strings = {each.name: pa.string() for each in report_schema(table.report) if not pa.types.is_integer(each.type)}
    types = {each.name: strings.get(each.name, each.type) for each in report_schema(table.report)}
    reader = pcsv.open_csv(
        io.BytesIO(content),
        read_options=pcsv.ReadOptions(
            use_threads=False, block_size=_BLOCK_BYTES, column_names=list(types), skip_rows=1
        ),
        parse_options=pcsv.ParseOptions(delimiter="\t", quote_char=False, double_quote=False),
        convert_options=pcsv.ConvertOptions(
            column_types=in_memory(pa.schema(list(types.items()))),
            null_values=[""],
            strings_can_be_null=True,
            check_utf8=False,
        ),
    )
    for _ in reader:
        pass


def parquet_write(rows: list[pa.RecordBatch], table: CuratedTable, folder: Path) -> None:
    """Write typed rows from memory into one file."""
    with RowGroups(folder / "data.parquet", part_layout(report_schema(table.report))) as file:
        for block in rows:
            file.append(block)
        file.finish({})
