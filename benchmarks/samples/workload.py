"""The seed's workload: 221 files with 15,367,527 rows, split by report as on a day of a real account with 65 apps.

The distribution of rows within a report is invented: one instance per app and report, the app of rank k with 1/k of the
rows of the largest, the same order in every report; the smallest apps do not have all reports. An instance has the
Dates of its report's completeness window (2 to 5), like Apple's daily instances.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import accumulate, pairwise
from multiprocessing import get_context
from pathlib import Path

from appstore_analytics.contract.tables import CuratedTable, tables_by_name
from benchmarks.measuring.progress import say
from benchmarks.samples.data import APP_ID, segment


@dataclass(frozen=True, slots=True)
class ReportShare:
    """The number of files and rows of one table."""

    table_name: str
    files: int
    rows: int


SEED = (
    ReportShare("downloads", 50, 4_285_219),
    ReportShare("installs", 33, 1_588_822),
    ReportShare("sessions", 42, 1_298_321),
    ReportShare("purchases", 26, 335_393),
    ReportShare("engagement", 65, 7_827_193),
    ReportShare("performance", 5, 32_579),
)


@dataclass(frozen=True, slots=True)
class SegmentFile:
    """The only segment of an app's instance of a table: its number of rows and its number of Dates."""

    table_name: str
    app_id: int
    rows: int
    dates: int

    @property
    def table(self) -> CuratedTable:
        """The table that it belongs to."""
        return tables_by_name()[self.table_name]

    @property
    def path(self) -> Path:
        """Its path; the file is created on first use."""
        return segment(self.table_name, self.rows, self.app_id, self.dates)


def scaled_down(shares: Sequence[ReportShare], files: int, rows: int) -> tuple[ReportShare, ...]:
    """The same mixture with fewer files and rows, each by a factor."""
    return tuple(ReportShare(share.table_name, -(-share.files // files), share.rows // rows) for share in shares)


def files_of(shares: Sequence[ReportShare]) -> list[SegmentFile]:
    """All files, the largest first."""
    files = [file for share in shares for file in _files_of_report(share)]
    return sorted(files, key=lambda file: -file.rows)


def make(files: Sequence[SegmentFile], cores: int) -> None:
    """Make the missing files, so that no measured time includes it."""
    # Threads of this process (servers, watchers) must not be forked.
    with ProcessPoolExecutor(cores, get_context("spawn")) as processes:
        for number, _ in enumerate(processes.map(_make, files), 1):
            say(f"Making {number} of {len(files)} files")


def _make(file: SegmentFile) -> int:
    return file.path.stat().st_size


def _files_of_report(share: ReportShare) -> Iterator[SegmentFile]:
    dates = tables_by_name()[share.table_name].report.completeness_days
    if not dates:
        raise ValueError(f"{share.table_name}: Apple states no completeness window.")
    for rank, rows in enumerate(_rows_by_rank(share.files, share.rows)):
        yield SegmentFile(share.table_name, APP_ID + rank, rows, dates)


def _rows_by_rank(files: int, rows: int) -> Iterator[int]:
    """`rows` divided as 1, 1/2, 1/3, …: whole numbers with exactly that sum."""
    harmonic = sum(1 / rank for rank in range(1, files + 1))
    ends = accumulate((rows / harmonic / rank for rank in range(1, files + 1)), initial=0.0)
    return (round(end) - round(start) for start, end in pairwise(ends))
