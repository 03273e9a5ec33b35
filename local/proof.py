"""An independent count: the raw bytes, read with only the standard library, compared with Athena's counts."""

import csv
import gzip
import io
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from appstore_analytics.athena.query import Athena
from appstore_analytics.contract.layout import RAW_PREFIX
from appstore_analytics.contract.names import Database
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.objects import Bucket
from local.story import Batches


@dataclass(frozen=True, slots=True)
class TableProof:
    """One table: its files, the rows in all of them, the rows of the newest vintage of each Date, and Athena's."""

    table: str
    apps: int
    files: int
    rows_in_files: int
    expected: Batches
    in_athena: Batches

    @property
    def rows_expected(self) -> int:
        """Rows of the newest vintages."""
        return sum(self.expected.values())

    @property
    def rows_in_athena(self) -> int:
        """Rows that Athena counts."""
        return sum(self.in_athena.values())

    @property
    def equal(self) -> bool:
        """Whether every app and Date has the same number of rows on both sides."""
        return self.expected == self.in_athena


def prove(table: CuratedTable, raw: Bucket, athena: Athena) -> TableProof:
    """Count one table both ways.

    The rule applied to the raw files is Apple's: for each app and Date the newest processing date holds all rows.
    """
    files, rows_in_files = 0, 0
    newest: dict[tuple[int, date], tuple[str, int]] = {}
    for app_id, processing_date, keys in _instances(table, raw):
        counts: dict[date, int] = defaultdict(int)
        for key in keys:
            files += 1
            for day in _dates(raw.read(key) or b"", table):
                counts[day] += 1
        rows_in_files += sum(counts.values())
        for day, rows in counts.items():
            newest[app_id, day] = max(
                newest.get((app_id, day), ("", 0)), (processing_date, rows), key=lambda one: one[0]
            )
    return TableProof(
        table=table.name,
        apps=len({app_id for app_id, _ in newest}),
        files=files,
        rows_in_files=rows_in_files,
        expected={key: rows for key, (_, rows) in newest.items()},
        in_athena=count_in_athena(table, athena),
    )


def _instances(table: CuratedTable, raw: Bucket) -> Iterator[tuple[int, str, list[str]]]:
    """App id, processing date and keys of every landed instance of a table."""
    folders: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for stored in raw.list(f"{RAW_PREFIX}{table.name}/"):
        folders[tuple(stored.key.split("/")[2:6])].append(stored.key)
    for (app_id, _, processing_date, _), keys in sorted(folders.items()):
        yield int(app_id), processing_date, keys


def _dates(compressed: bytes, table: CuratedTable) -> Iterator[date]:
    """The Date of every row in one file."""
    lines = csv.reader(io.StringIO(gzip.decompress(compressed).decode()), delimiter="\t", quoting=csv.QUOTE_NONE)
    header = next(lines)
    column = next(column for column in table.report.columns if column.name == table.report.date_column)
    position = header.index(column.header)
    for cells in lines:
        yield date.fromisoformat(cells[position])


def count_in_athena(table: CuratedTable, athena: Athena) -> Batches:
    """Athena's count of a table's rows by app and Date."""
    sql = f'SELECT app_id, dt, COUNT(*) FROM "{table.name}" GROUP BY app_id, dt'  # noqa: S608 (a catalogue's name)
    return {
        (int(app_id or 0), date.fromisoformat(day or "")): int(rows or 0)
        for app_id, day, rows in athena.rows(sql, Database.CURATED)
    }
