"""The header line of a segment: maps each field to a column of the report.

Columns are found by name, because Apple says that positions may change. A field belongs to the column whose header it
has, otherwise to the column with such an alias; any other field is unknown.
"""

import csv
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from appstore_analytics.contract.catalogue.definition import Column, ReportDefinition, header_key
from appstore_analytics.contract.errors import InstanceQuarantined
from appstore_analytics.contract.schema_modes import SchemaMode
from appstore_analytics.lake.sentences import shown

MOST_UNKNOWN_COLUMNS = 20
UNKNOWN_HEADERS_BYTES = 400
"""The limit for all their headers, which every row of `extra` repeats: a test measures that the memory suffices."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Header:
    """The layout of a file: its own headers in order, our columns for them, its unknown and missing columns."""

    delimiter: str
    columns: tuple[Column, ...]
    found: tuple[Column, ...]
    missing: tuple[Column, ...]
    unknown: tuple[Column, ...]

    @property
    def quoted(self) -> bool:
        """Whether quotes are syntax. Between tabs they are data: `Customer review modal open ("more")`."""
        return self.delimiter == ","


def read_header(line: bytes, report: ReportDefinition, mode: SchemaMode) -> Header:
    """The header in the first line of a file; InstanceQuarantined if it is not the header of `report`.

    An unknown column has the header as the file spells it, in Unicode's composed form (NFC).
    """
    line = line.removeprefix(BYTE_ORDER_MARK).removesuffix(b"\r")
    delimiter = "\t" if b"\t" in line else ","
    headers = _split(line, delimiter, report)
    if not headers:
        return Header(delimiter, (), (), (), ())
    columns = _columns(headers, report)
    ours = {column.name for column in report.columns}
    found = tuple(column for column in columns if column.name in ours)
    unknown = tuple(column for column in columns if column.name not in ours)
    present = {column.name for column in found}
    missing = tuple(column for column in report.columns if column.name not in present)
    _check_found(headers, found, missing, report)
    _check_each_once(headers, columns, report)
    _check_unknown(unknown, report, mode)
    return Header(delimiter, columns, found, missing, unknown)


def _split(line: bytes, delimiter: str, report: ReportDefinition) -> tuple[str, ...]:
    """The headers of `line`; none if the whole file is empty, which also means "no rows"."""
    try:
        text = unicodedata.normalize("NFC", line.decode("utf-8"))
    except UnicodeDecodeError:
        raise InstanceQuarantined(f"{report.name}: the header line is not UTF-8.") from None
    if "\r" in text:
        raise InstanceQuarantined(
            f"{report.name}: the header line holds a carriage return; rows must end in line feeds."
        )
    if not text:
        return ()
    try:
        fields = next(csv.reader([text])) if delimiter == "," else text.split(delimiter)
    except csv.Error as error:  # a field of more than 131,072 characters
        raise InstanceQuarantined(f"{report.name}: the header line cannot be split at its commas: {error}.") from None
    return tuple(field.strip() for field in fields)


def _columns(headers: Sequence[str], report: ReportDefinition) -> tuple[Column, ...]:
    """A column for each field. A header of the report takes precedence over an alias."""
    by_key = {_key_of_ours(column.header): column for column in report.columns}
    keys = [header_key(header) for header in headers]
    by_alias = {
        _key_of_ours(alias.header): column
        for column in report.columns
        for alias in column.aliases
        if _key_of_ours(column.header) not in keys
    }
    return tuple(
        by_key.get(key) or by_alias.get(key) or Column(header, name=f"unknown {place}")
        for place, (header, key) in enumerate(zip(headers, keys, strict=True))
    )


@cache
def _key_of_ours(header: str) -> str:
    """Cached for headers and aliases of the catalogue, which every file needs, but not for a file's own headers."""
    return header_key(header)


def _check_found(
    headers: Sequence[str], found: Sequence[Column], missing: Sequence[Column], report: ReportDefinition
) -> None:
    lost = [column.header for column in missing if column.required]
    named = len({column.name for column in found})
    if lost and 2 * named < len(report.columns):
        raise InstanceQuarantined(
            f"{report.name}: the first line, from '{shown(headers[0])}' on, is not the header of this report: it names "
            f"{named} of {len(report.columns)} columns. The header row is missing, in another language, or another "
            "report's."
        )
    if lost:
        raise InstanceQuarantined(f"{report.name}: the file has no column '{lost[0]}', which the report requires.")


def _check_each_once(headers: Sequence[str], columns: Sequence[Column], report: ReportDefinition) -> None:
    """Unknown columns are distinct as long as their text differs: `extra` keeps each by its header."""
    names = Counter(column.header for column in columns)
    for header, column in zip(headers, columns, strict=True):
        if names[column.header] > 1:
            raise InstanceQuarantined(f"{report.name}: the header names column '{shown(header)}' twice.")


def _check_unknown(columns: Sequence[Column], report: ReportDefinition, mode: SchemaMode) -> None:
    if columns and mode is SchemaMode.STRICT:
        raise InstanceQuarantined(
            f"{report.name}: the catalogue does not know the column '{shown(columns[0].header)}', and the report's "
            "schema mode is strict: add it to the catalogue, or set schema_modes to evolve; deploy and reprocess."
        )
    if len(columns) > MOST_UNKNOWN_COLUMNS:
        raise InstanceQuarantined(
            f"{report.name}: the catalogue does not know {len(columns)} columns of the file, more than "
            f"{MOST_UNKNOWN_COLUMNS}: it belongs to another report, or the catalogue needs them before a reprocess."
        )
    if sum(len(column.header.encode()) for column in columns) > UNKNOWN_HEADERS_BYTES:
        raise InstanceQuarantined(
            f"{report.name}: the headers that the catalogue does not know have more than {UNKNOWN_HEADERS_BYTES} "
            f"bytes together, from '{shown(columns[0].header)}' on."
        )
