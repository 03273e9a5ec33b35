"""A segment's file: header and rows as Apple writes them, or with an injected fault."""

import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import count

from appstore_analytics.contract.catalogue import REPORTS
from appstore_analytics.contract.catalogue.definition import ReportDefinition, Role, header_key
from local.apple.data import Row
from local.apple.faults import FaultKind

NEW_HEADER = next(
    f"New Column {number}"
    for number in count(1)
    if not any(header_key(f"New Column {number}") == header_key(each.header) for one in REPORTS for each in one.columns)
)
"""A header that no report has or will have."""

COMMA_SEPARATED = "App Crashes Expanded"

_ZEROS_BYTES = 4 << 20
_BOMB_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class FileFault:
    """A fault inside a file, short enough to travel in its URL."""

    kind: FaultKind
    column: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file before it is written: the header and the rows."""

    header: list[str]
    rows: list[list[str]]


def segment_bytes(report: ReportDefinition, rows: Sequence[Row], faults: Sequence[FileFault] = ()) -> bytes:
    """The gzip file: UTF-8, one header row, tab-separated (comma for App Crashes Expanded), no quoting."""
    sheet = Sheet([column.header for column in report.columns], [list(row) for row in rows])
    ordered = tuple(dict.fromkeys(faults))
    for kind, change in _SHEET_FAULTS.items():
        for fault in ordered:
            if fault.kind is kind:
                sheet = change(sheet, report, fault.column)
    separator = "," if report.name == COMMA_SEPARATED else "\t"
    lines = [separator.join(row) for row in (sheet.header, *sheet.rows)]
    packed = gzip.compress(("\n".join(lines) + "\n").encode(), compresslevel=6, mtime=0)
    for fault in ordered:
        if fault.kind in _GZIP_FAULTS:
            packed = _GZIP_FAULTS[fault.kind](packed)
    return packed


def _corrupted(packed: bytes) -> bytes:
    """Flips the bits of the CRC at the end: the file can be unpacked to the last byte, but it is broken."""
    return packed[:-8] + bytes(byte ^ 0xFF for byte in packed[-8:-4]) + packed[-4:]


def _bomb(packed: bytes) -> bytes:
    """Appends a GiB of zeros, compressed to about a MB."""
    return packed + _zeros() * (_BOMB_BYTES // _ZEROS_BYTES)


@cache
def _zeros() -> bytes:
    return gzip.compress(bytes(_ZEROS_BYTES), mtime=0)


def _touched(report: ReportDefinition, column: str) -> str:
    """The named header, or by default that of the first number that is not an identifier. ValueError if unknown."""
    headers = [each.header for each in report.columns]
    if column:
        return headers[headers.index(column)]
    numbers = (Role.ADDITIVE, Role.NON_ADDITIVE, Role.UNKNOWN)
    return next(each.header for each in report.columns if each.role in numbers)


def _renamed(sheet: Sheet, report: ReportDefinition, column: str) -> Sheet:
    touched = _touched(report, column)
    return Sheet([f"{each} Total" if each == touched else each for each in sheet.header], sheet.rows)


def _added(sheet: Sheet, _report: ReportDefinition, column: str) -> Sheet:
    header = [sheet.header[0], column or NEW_HEADER, *sheet.header[1:]]
    return Sheet(header, [[row[0], "Everyone", *row[1:]] for row in sheet.rows])


def _removed(sheet: Sheet, report: ReportDefinition, column: str) -> Sheet:
    touched = _touched(report, column)
    if touched not in sheet.header:  # renamed before
        return sheet
    at = sheet.header.index(touched)
    return Sheet(sheet.header[:at] + sheet.header[at + 1 :], [row[:at] + row[at + 1 :] for row in sheet.rows])


def _reordered(sheet: Sheet, _report: ReportDefinition, _column: str) -> Sheet:
    return Sheet(sheet.header[::-1], [row[::-1] for row in sheet.rows])


def _short_row(sheet: Sheet, _report: ReportDefinition, _column: str) -> Sheet:
    return Sheet(sheet.header, [*sheet.rows[:-1], *(row[:-1] for row in sheet.rows[-1:])])


def _date_position(report: ReportDefinition) -> int:
    return next(index for index, each in enumerate(report.columns) if each.name == report.date_column)


def _date_skipped(sheet: Sheet, report: ReportDefinition, _column: str) -> Sheet:
    """Leaves out the Date before the newest, so that the file has a hole; if there is only one Date, leaves out that
    one."""
    at = _date_position(report)
    dates = sorted({row[at] for row in sheet.rows})
    return Sheet(sheet.header, [row for row in sheet.rows if row[at] not in dates[-2:][:1]])


def _us_dates(sheet: Sheet, report: ReportDefinition, _column: str) -> Sheet:
    at = _date_position(report)
    return Sheet(sheet.header, [[*row[:at], _us_date(row[at]), *row[at + 1 :]] for row in sheet.rows])


def _us_date(text: str) -> str:
    return date.fromisoformat(text).strftime("%m/%d/%Y")


def _other_app(sheet: Sheet, report: ReportDefinition, _column: str) -> Sheet:
    """Gives the first row another app's id; a report without that column does not change."""
    if report.app_id_column is None:
        return sheet
    at = report.columns.index(report.app_id_column)
    strangers = [[*row[:at], str(int(row[at]) + 5_000_000), *row[at + 1 :]] for row in sheet.rows[:1]]
    return Sheet(sheet.header, [*strangers, *sheet.rows[1:]])


_SHEET_FAULTS: dict[FaultKind, Callable[[Sheet, ReportDefinition, str], Sheet]] = {
    FaultKind.DATE_SKIPPED: _date_skipped,
    FaultKind.OTHER_APP: _other_app,
    FaultKind.US_DATES: _us_dates,
    FaultKind.HEADER_RENAMED: _renamed,
    FaultKind.HEADER_REMOVED: _removed,
    FaultKind.HEADER_ADDED: _added,
    FaultKind.HEADER_REORDERED: _reordered,
    FaultKind.SHORT_ROW: _short_row,
}
"""In the order in which they are applied to one file: faults of cells while the columns are in the catalogue's
order."""

_GZIP_FAULTS: dict[FaultKind, Callable[[bytes], bytes]] = {
    FaultKind.CORRUPT_GZIP: _corrupted,
    FaultKind.GZIP_BOMB: _bomb,
}
