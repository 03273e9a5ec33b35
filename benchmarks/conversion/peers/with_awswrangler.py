"""awswrangler: its own functions. It only writes to S3, here a local server in another process."""

import os
from pathlib import Path

import awswrangler as wr

from appstore_analytics.contract.tables import CuratedTable
from benchmarks.conversion.peers import APP_ID, PROCESSING_DATE, ZSTD_LEVEL, Counted, measures, sort_columns
from benchmarks.conversion.peers.pandas_csv import read

_BUCKET = "s3://benchmark"

wr.config.s3_endpoint_url = os.environ["BENCHMARK_S3"]


def plain(segment: Path, table: CuratedTable, folder: Path) -> None:
    """Read everything, write everything."""
    types = {column.name: str(column.type) for column in table.report.columns}
    path = f"{_BUCKET}/plain/data.parquet"
    wr.s3.to_parquet(read(segment, table), path, dtype=types, compression="zstd", pyarrow_additional_kwargs=_LEVEL)
    wr.s3.download(path, str(folder / "data.parquet"))


def whole(segment: Path, table: CuratedTable, folder: Path) -> Counted:
    """A data set partitioned by Date, in awswrangler's own layout."""
    rows, day = read(segment, table), table.report.date_column
    if not (rows["app_apple_identifier"] == APP_ID).all():
        raise ValueError("rows of another app")
    rows = rows.sort_values(sort_columns(table), kind="stable")
    rows.insert(0, "app_id", APP_ID)
    rows.insert(1, "processing_date", PROCESSING_DATE)
    rows["dt"] = rows[day].astype("str")
    types = {"processing_date": "date", "dt": "string"} | {each.name: str(each.type) for each in table.report.columns}
    written = wr.s3.to_parquet(
        rows,
        f"{_BUCKET}/whole/",
        dataset=True,
        mode="overwrite_partitions",
        partition_cols=["dt"],
        dtype=types,
        compression="zstd",
        pyarrow_additional_kwargs=_LEVEL,
    )
    for number, path in enumerate(written["paths"]):
        wr.s3.download(path, str(folder / f"{number}.parquet"))
    groups = rows.groupby(day, sort=False)
    return {
        str(date)[:10]: {"rows": str(len(group)), **{name: str(group[name].sum()) for name in measures(table)}}
        for date, group in groups
    }


_LEVEL = {"compression_level": ZSTD_LEVEL}
