"""The memory of a conversion whose file has the maximum number of unknown columns."""

import gzip
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from appstore_analytics.lake.conversion import _RUN_ROWS
from appstore_analytics.lake.header import MOST_UNKNOWN_COLUMNS, UNKNOWN_HEADERS_BYTES
from infra.functions import CAPACITIES
from tests.integration.lake.measured_conversion import APP_ID, TABLE, converted

KNOWN = {"Date": "2025-06-02", "App Apple Identifier": str(APP_ID), "Counts": "1", "Unique Counts": "1"}
OF_THE_RUNTIME = 128 << 20  # the handler's own imports and Lambda's reserve


@pytest.mark.skipif(sys.platform != "linux", reason="the peak stands in /proc")
def test_the_widest_extra_fits_into_the_memory_of_the_converter(tmp_path: Path) -> None:
    segment = tmp_path / "segment.txt.gz"
    width = UNKNOWN_HEADERS_BYTES // MOST_UNKNOWN_COLUMNS
    unknown = [f"U{number}".ljust(width, "x") for number in range(MOST_UNKNOWN_COLUMNS)]
    header = "\t".join([*(column.header for column in TABLE.report.columns), *unknown])
    row = "\t".join(
        [*(KNOWN.get(column.header, "some text") for column in TABLE.report.columns), *["cell"] * len(unknown)]
    )
    with gzip.open(segment, "wt", compresslevel=1) as file:
        file.write(f"{header}\n" + f"{row}\n" * (_RUN_ROWS + 1))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        rows, peak_bytes = process.submit(converted, segment, tmp_path).result()
    assert rows == _RUN_ROWS + 1
    assert peak_bytes + OF_THE_RUNTIME < CAPACITIES["convert_instance"].memory_megabytes << 20
