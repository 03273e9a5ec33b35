"""The effect of the settings of lake/parquet.py, compared on the same object: `python -m benchmarks.tune`.

The object is one Date of many apps, as publish_date writes it. For each variant: the cost of writing it, its size, and
the bytes that questions about it scan, by the file's own metadata.
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.lake.parquet import ROW_GROUP_ROWS
from appstore_analytics.lake.publication import publish
from appstore_analytics.lake.record_batches import in_one_batch, with_own_dictionaries
from appstore_analytics.lake.schema import string_columns, table_schema
from benchmarks.measuring.machine import versions
from benchmarks.measuring.progress import say
from benchmarks.publication.lake_of_files import BucketOfFiles, curated, fill_with_parts
from benchmarks.results import Table, arguments, report
from benchmarks.samples.data import APP_ID, LAST_DATE
from benchmarks.setup import BUILD

TABLE = "engagement"
FULL, QUICK = (70, 15_000), (70, 3_000)
_RUNS = 5
_AS_IT_IS = {
    "compression": "zstd",
    "compression_level": 1,
    "store_schema": False,
    "write_batch_size": 65_536,
    "max_rows_per_page": ROW_GROUP_ROWS,
}
"""The settings of lake/parquet.py; a test compares the outcome."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to write the object: its differences from lake/parquet.py."""

    name: str
    group_rows: int = ROW_GROUP_ROWS
    options: dict[str, Any] = field(default_factory=dict)


VARIANTS = (
    Variant("as it is"),
    Variant("row groups of 50,000", 50_000),
    Variant("row groups of 1,000,000", 1_000_000),
    Variant("pages of 20,000 rows", options={"max_rows_per_page": 20_000}),
    Variant("pages of 5,000 rows, page index", options={"max_rows_per_page": 5_000, "write_page_index": True}),
    Variant("statistics of all columns", options={"write_statistics": True}),
    Variant("data pages of version 2", options={"data_page_version": "2.0"}),
    Variant("no dictionaries", options={"use_dictionary": False}),
    Variant("zstd level 3", options={"compression_level": 3}),
    Variant("snappy", options={"compression": "snappy", "compression_level": None}),
)


def main(words: Sequence[str] | None = None) -> None:
    """Measure and report."""
    asked = arguments("tune", __doc__.split("\n", maxsplit=1)[0]).parse_args(words)
    (apps, rows_of_app), runs = (QUICK, 1) if asked.quick else (FULL, _RUNS)
    with tempfile.TemporaryDirectory() as folder:
        rows = _published(apps, rows_of_app, Path(folder))
        written = [_written(variant, rows, Path(folder) / "variant.parquet", runs) for variant in VARIANTS]
    figures = {"object": {"apps": apps, "rows": rows.num_rows}, "variants": written}
    report("tune", figures, [_table(figures)], versions(["pyarrow"]), asked)


def _published(apps: int, rows_of_app: int, folder: Path) -> pa.RecordBatch:
    bucket = BucketOfFiles(folder / "lake")
    BUILD.mkdir(parents=True, exist_ok=True)
    fill_with_parts(bucket, TABLE, apps, rows_of_app, dates=1)
    publish(bucket, tables_by_name()[TABLE], LAST_DATE, folder)
    strings = string_columns(table_schema(tables_by_name()[TABLE]))
    return in_one_batch(pq.read_table(curated(bucket, TABLE, LAST_DATE), read_dictionary=strings))


def _written(variant: Variant, rows: pa.RecordBatch, path: Path, runs: int) -> dict[str, Any]:
    groups = [
        with_own_dictionaries(rows.slice(start, variant.group_rows), string_columns(rows.schema))
        for start in range(0, rows.num_rows, variant.group_rows)
    ]
    statistics = [each.name for each in rows.schema if each.name == "app_id" or pa.types.is_date(each.type)]
    seconds = []
    for number in range(1, runs + 1):
        say(f"Writing {variant.name}: run {number} of {runs}")
        begin = time.process_time()
        with pq.ParquetWriter(
            path, rows.schema, **{"write_statistics": statistics} | _AS_IT_IS | variant.options
        ) as file:
            for group in groups:
                file.write_batch(group, row_group_size=variant.group_rows)
        seconds.append(time.process_time() - begin)
    return {
        "name": variant.name,
        "cpu_seconds": median(seconds),
        "bytes": path.stat().st_size,
        "scanned_all_apps": _scanned(path, ["counts"], None),
        "scanned_one_app": _scanned(path, ["app_id", "counts"], APP_ID),
        "scanned_one_territory": _scanned(path, ["territory", "counts"], None),
    }


def _scanned(path: Path, columns: Sequence[str], app_id: int | None) -> int:
    """The column chunks of the row groups that a question cannot skip, and the footer."""
    metadata = pq.read_metadata(path)
    size: int = metadata.serialized_size
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        chunks = {chunk.path_in_schema: chunk for chunk in map(group.column, range(group.num_columns))}
        apps = chunks["app_id"].statistics
        if app_id is None or apps is None or apps.min <= app_id <= apps.max:
            size += sum(chunks[name].total_compressed_size for name in columns)
    return size


def _table(figures: dict[str, Any]) -> Table:
    rows = [
        (
            each["name"],
            f"{each['cpu_seconds']:.3f}",
            f"{each['bytes'] / 1e6:.2f}",
            *(f"{each[f'scanned_{question}'] / 1e3:,.0f}" for question in ("all_apps", "one_app", "one_territory")),
        )
        for each in figures["variants"]
    ]
    columns = ("written", "CPU s", "MB", "kB: all apps", "kB: one app", "kB: one territory")
    title = f"Tuning: one Date of {figures['object']['apps']} apps, {figures['object']['rows']:,} rows of engagement"
    return Table(title, columns, rows, "kB that a sum of counts scans, by row groups.")


if __name__ == "__main__":
    main()
