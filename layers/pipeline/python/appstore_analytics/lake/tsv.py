"""One segment of Apple's: a gzip of separated lines, read into typed rows a block at a time.

    gunzip (limited) ─► header line ─► columns by name ─► blocks of whole lines ─► Arrow ─► typed columns

What Apple does not document is not guessed: a file that could be read in two ways is quarantined.
"""

import csv
import io
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from functools import cache
from typing import Any, BinaryIO, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
from isal import igzip, isal_zlib

from appstore_analytics.contract.catalogue.definition import Column, ColumnType, ReportDefinition, header_key
from appstore_analytics.contract.disks import LARGEST_UNPACKED_BYTES
from appstore_analytics.contract.errors import InstanceQuarantined
from appstore_analytics.contract.schema_modes import SchemaMode
from appstore_analytics.contract.tables import EXTRA
from appstore_analytics.lake.extra import extra_column
from appstore_analytics.lake.record_batches import in_one_batch
from appstore_analytics.lake.schema import DICTIONARY, MONEY_SCALE, arrow_type, memory_type

_BLOCK_BYTES = 4 << 20
_PIECE_BYTES = 256 << 10
_HEAD_BYTES = 64 << 10
_LONGEST_ROW_BYTES = 16 << 20

_LARGEST_EXPANSION = 300
_EXPANSION_FREE_BYTES = 256 << 20
"""Report rows shrink 5 to 50 times. Gzip can do 1,032, so an archive built to explode shows itself early: but small
files are left alone, because a few MB of equal rows may shrink as much."""

_MOST_UNKNOWN_COLUMNS = 20
_UNKNOWN_HEADERS_BYTES = 400
"""Of their headers together, which stand in every row of `extra`: a test measures that the converter has the memory."""

_SHOWN_CHARACTERS = 120
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_READ_TYPES = {ColumnType.INT64: pa.int64(), ColumnType.FLOAT64: pa.float64()}
"""What the CSV reader converts itself. All else is read as strings, and each distinct string is then converted once."""

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_SLASH_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_MONEY_STEP = Decimal(1).scaleb(-MONEY_SCALE)
_MONEY_CONTEXT = Context(prec=18, rounding=ROUND_HALF_EVEN)

_Value = TypeVar("_Value", bool, date, Decimal)


class SegmentReader:
    """The rows of one segment, in the file's order.

    Making it reads the header. `rows` gives batches of `schema.report_schema` with strings as dictionaries, once,
    and `extra` behind them where the file has unknown columns.
    Both raise InstanceQuarantined, naming the report, the column and the row (1 is the first below the header), when
    the file breaks the contract of `report`, or holds rows of an app other than `app_id`.

    `unknown_columns` are headers that the catalogue does not know: their cells are in `extra`, or the file is
    quarantined where `mode` is strict. `missing_columns` are those of the catalogue that the file lacks and that are
    null then. `digits_rounded` counts amounts of money with more than six decimals, so far.
    """

    def __init__(
        self, segment: BinaryIO, report: ReportDefinition, app_id: int, mode: SchemaMode = SchemaMode.EVOLVE
    ) -> None:
        self._report = report
        self._app_id = app_id
        self._inflated = _Inflated(segment, report.name)
        self._rows_read = 0
        self._dates = {column.name: _Dates() for column in report.columns if column.type is ColumnType.DATE}
        self.digits_rounded = 0
        line, self._behind_header = self._read_header_line()
        self._header = _read_header(line, report)
        _check_unknown(self._header.unknown, report, mode)
        self.unknown_columns = tuple(column.header for column in self._header.unknown)
        self.missing_columns = tuple(column.header for column in self._header.missing)

    def rows(self) -> Iterator[pa.RecordBatch]:
        """The rows below the header; none is legal."""
        for block in self._blocks():
            rows = self._typed(self._parse(block))
            self._check_app(rows)
            self._check_dates(rows)
            self._rows_read += rows.num_rows
            yield rows
        self._refuse_ambiguous_dates()

    def _read_header_line(self) -> tuple[bytes, bytes]:
        head = b""
        while b"\n" not in head and (data := self._inflated.read(_HEAD_BYTES)):
            head += data
            self._check_row_length(len(head) - head.rfind(b"\n") - 1)
        line, _, behind = head.partition(b"\n")
        return line.removeprefix(_BYTE_ORDER_MARK).rstrip(b"\r"), behind

    def _blocks(self) -> Iterator[memoryview]:
        """Whole rows, a few MB at a time, each block in the place of the one before.

        The blank lines that may end a file are left out: a line end is a row's only when more than line ends follow it.
        """
        buffer, filled = bytearray(_BLOCK_BYTES + len(self._behind_header)), len(self._behind_header)
        buffer[:filled] = self._behind_header
        is_last = False
        while not is_last:
            if filled == len(buffer):
                buffer = buffer + bytes(len(buffer))
            filled += self._inflated.read_into(memoryview(buffer)[filled:])
            is_last = filled < len(buffer)
            content = _without_line_ends(buffer, filled)
            end = content if is_last else self._end_of_last_row(buffer, content)
            if end:
                yield memoryview(buffer)[:end]
            rest = filled - end
            self._check_row_length(rest)
            buffer[:rest] = buffer[end:filled]
            filled = rest

    def _end_of_last_row(self, rows: bytearray, end: int) -> int:
        """Where the last whole row before `end` ends, behind its line end."""
        if not self._header.quoted:
            return rows.rfind(b"\n", 0, end) + 1
        # Whether a line end is one depends on all quotes before it.
        pieces = rows[:end].split(b'"')
        for index in range(len(pieces) - 1 - (len(pieces) - 1) % 2, -1, -2):
            if b"\n" in pieces[index]:
                return sum(len(piece) + 1 for piece in pieces[:index]) + pieces[index].rfind(b"\n") + 1
        return 0

    def _check_row_length(self, row_bytes: int) -> None:
        if row_bytes > _LONGEST_ROW_BYTES:
            raise self._quarantine(f"a row is longer than {_LONGEST_ROW_BYTES} bytes; this is not such a report.")

    def _parse(self, block: memoryview) -> pa.RecordBatch:
        header = self._header
        if not header.found:
            raise self._quarantine("the file has rows below an empty header line.")
        present = (*header.found, *header.unknown)
        try:
            rows = pcsv.read_csv(
                pa.BufferReader(block),
                read_options=pcsv.ReadOptions(
                    use_threads=False, block_size=len(block) + 1, column_names=header.names_in_file
                ),
                parse_options=pcsv.ParseOptions(
                    delimiter=header.delimiter,
                    quote_char='"' if header.quoted else False,
                    double_quote=header.quoted,
                    newlines_in_values=header.quoted,
                    ignore_empty_lines=False,
                ),
                convert_options=pcsv.ConvertOptions(
                    column_types={each.name: _READ_TYPES.get(each.type, DICTIONARY) for each in present},
                    include_columns=[column.name for column in present],
                    null_values=[""],
                    strings_can_be_null=True,
                    check_utf8=False,  # each distinct string is checked once, in _check_text
                ),
            )
        except pa.ArrowInvalid as error:
            raise self._quarantine(self._in_our_words(str(error))) from None
        self._check_rows(rows, block)
        return in_one_batch(rows)

    def _check_rows(self, rows: pa.Table, block: memoryview) -> None:
        """Arrow ends rows at carriage returns, too, which a cell may hold; and quotes may hold line ends."""
        quoted = self._header.quoted
        if not quoted and not self._inflated.has_carriage_return:
            return
        if rows.num_rows != (lines := _count_rows(bytes(block), quoted=quoted)):
            raise self._quarantine(
                f"of the {lines} lines from row {self._rows_read + 1} on, {rows.num_rows} could be read as rows."
            )

    def _in_our_words(self, arrow_message: str) -> str:
        """Arrow counts columns from 0 and rows from the start of the block, and repeats a row that has too few fields.

        The sentence travels through states and logs, where no row belongs.
        """
        headers = self._header.headers_in_file
        message = re.sub(
            r"In CSV column #(\d+)", lambda found: f"column '{_shown(headers[int(found[1])])}'", arrow_message
        )
        message = re.sub(r"Row #(\d+)", lambda found: f"row {self._rows_read + int(found[1])}", message)
        message = re.sub(r"(Expected \d+ columns, got \d+).*", r"\1", message, flags=re.DOTALL)
        return f"{message[: 2 * _SHOWN_CHARACTERS]}."

    def _typed(self, parsed: pa.RecordBatch) -> pa.RecordBatch:
        unknown = self._header.unknown
        present = {column.name for column in self._header.found}
        columns = [
            self._typed_column(column, parsed.column(column.name))
            if column.name in present
            else pa.nulls(parsed.num_rows, memory_type(column.type))
            for column in self._report.columns
        ]
        names = [column.name for column in self._report.columns]
        if unknown:
            columns.append(extra_column({each.header: self._text(each, parsed.column(each.name)) for each in unknown}))
            names.append(EXTRA.name)
        return pa.RecordBatch.from_arrays(columns, names)

    def _typed_column(self, column: Column, cells: pa.Array) -> pa.Array:
        if cells.type == DICTIONARY:
            self._check_text(column, cells)
        match column.type:
            case ColumnType.DATE:
                return self._converted(column, cells, self._dates[column.name].parse)
            case ColumnType.BOOLEAN:
                return self._converted(column, cells, _parse_boolean)
            case ColumnType.MONEY:
                return self._money(column, cells)
            case _:
                return cells

    def _text(self, column: Column, cells: pa.DictionaryArray) -> pa.Array:
        self._check_text(column, cells)
        return cells.cast(pa.string())

    def _check_text(self, column: Column, cells: pa.DictionaryArray) -> None:
        try:
            cells.dictionary.validate(full=True)
        except pa.ArrowInvalid:
            texts = cells.dictionary.cast(pa.binary()).to_pylist()
            index = next(index for index, text in enumerate(texts) if not _is_utf8(text))
            row = self._row_of(cells, index)
            raise self._quarantine(f"column '{column.header}', row {row}: the text is not UTF-8.") from None

    def _money(self, column: Column, cells: pa.DictionaryArray) -> pa.Array:
        try:
            return cells.dictionary.cast(arrow_type(column.type)).take(cells.indices)
        except pa.ArrowInvalid:
            # Too many digits for Arrow, or not a number at all: slower, exact, and the sentence can name the cell.
            amounts = self._converted(column, cells, _parse_money)
            self.digits_rounded += sum(count for text, count in _counted(cells) if _is_rounded(text.strip()))
            return amounts

    def _converted(self, column: Column, cells: pa.DictionaryArray, parse: Callable[[str], _Value]) -> pa.Array:
        """`cells` with each distinct string converted once."""
        texts = cells.dictionary.to_pylist()
        values = [self._parsed(column, cells, index, text, parse) for index, text in enumerate(texts)]
        return pa.array(values, arrow_type(column.type)).take(cells.indices)

    def _parsed(
        self, column: Column, cells: pa.DictionaryArray, index: int, text: str, parse: Callable[[str], _Value]
    ) -> _Value:
        try:
            return parse(text.strip())
        except (ValueError, InvalidOperation):
            row = self._row_of(cells, index)
            raise self._quarantine(
                f"column '{column.header}', row {row}: '{_shown(text)}' is not a {column.type}."
            ) from None

    def _row_of(self, cells: pa.DictionaryArray, index: int) -> int:
        """The first row of the file that holds this entry of the dictionary."""
        return self._rows_read + 1 + int(pc.index(cells.indices, pa.scalar(index, pa.int32())).as_py())

    def _check_app(self, rows: pa.RecordBatch) -> None:
        column = self._report.app_id_column
        if column is None or column not in self._header.found:
            return
        apps = rows.column(column.name)
        if apps.null_count or set(pc.min_max(apps).as_py().values()) - {self._app_id}:
            other = pc.fill_null(pc.not_equal(apps, self._app_id), True)
            index = pc.index(other, True).as_py()
            raise self._quarantine(
                f"column '{column.header}', row {self._rows_read + 1 + index}: the file of app {self._app_id} holds "
                f"rows of another app, {apps[index].as_py()}."
            )

    def _check_dates(self, rows: pa.RecordBatch) -> None:
        dates = rows.column(self._report.date_column)
        if dates.null_count:
            row = self._rows_read + 1 + pc.index(pc.is_null(dates), True).as_py()
            raise self._quarantine(f"row {row} has no Date (column '{self._report.date_column}').")

    def _refuse_ambiguous_dates(self) -> None:
        for name, dates in self._dates.items():
            if dates.ambiguous and not dates.month_first:
                raise self._quarantine(
                    f"column '{name}': '{dates.ambiguous}' may be month/day or day/month, and no other row tells which."
                )

    def _quarantine(self, sentence: str) -> InstanceQuarantined:
        return InstanceQuarantined(f"{self._report.name}: {sentence}")


class _Inflated:
    """The gunzipped bytes of a segment, as far as they stay believable."""

    def __init__(self, segment: BinaryIO, report: str) -> None:
        self._compressed = _Counted(segment)
        self._gzip = igzip.IGzipFile(fileobj=self._compressed, mode="rb")
        self._report = report
        self._inflated_bytes = 0
        self.has_carriage_return = False

    def read(self, size_bytes: int) -> bytes:
        """Up to `size_bytes`; empty at the end of a file that is whole."""
        try:
            data: bytes = self._gzip.read(size_bytes)
        except (EOFError, zlib.error, igzip.BadGzipFile, isal_zlib.error) as error:
            raise InstanceQuarantined(f"{self._report}: the segment's gzip is broken: {error}.") from None
        if not self._compressed.count_bytes:
            raise InstanceQuarantined(f"{self._report}: the segment has no bytes at all, not even those of a gzip.")
        self._inflated_bytes += len(data)
        self._check_expansion()
        self.has_carriage_return = self.has_carriage_return or b"\r" in data
        return data

    def read_into(self, target: memoryview) -> int:
        """Fill `target` and say how far: less than all of it only at the end of a file that is whole."""
        filled = 0
        while data := self.read(min(_PIECE_BYTES, len(target) - filled)):
            target[filled : filled + len(data)] = data
            filled += len(data)
        return filled

    def _check_expansion(self) -> None:
        if self._inflated_bytes > LARGEST_UNPACKED_BYTES:
            raise InstanceQuarantined(
                f"{self._report}: the segment unpacks to more than {LARGEST_UNPACKED_BYTES >> 30} GiB."
            )
        if (
            self._inflated_bytes > _EXPANSION_FREE_BYTES
            and self._inflated_bytes > _LARGEST_EXPANSION * self._compressed.count_bytes
        ):
            raise InstanceQuarantined(
                f"{self._report}: the segment unpacks to more than {_LARGEST_EXPANSION} times its size, "
                "as no report does."
            )


class _Counted(io.RawIOBase):
    """A stream that knows how much of it was read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.count_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any, /) -> int:  # a Buffer, which has no name before Python 3.12
        buffer = memoryview(target)
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self.count_bytes += len(data)
        return len(data)


@dataclass(frozen=True, slots=True)
class _Header:
    """How the file is laid out: its own headers in order, our names for them, what it has and has not."""

    delimiter: str
    headers_in_file: tuple[str, ...]
    names_in_file: tuple[str, ...]
    found: tuple[Column, ...]
    missing: tuple[Column, ...]
    unknown: tuple[Column, ...]

    @property
    def quoted(self) -> bool:
        """Whether quotes are syntax. Between tabs they are data: `Customer review modal open ("more")`."""
        return self.delimiter == ","


def _read_header(line: bytes, report: ReportDefinition) -> _Header:
    delimiter = "\t" if b"\t" in line else ","
    headers = _split_header(line, delimiter, report)
    keys = [header_key(header) for header in headers]
    for header, key in zip(headers, keys, strict=True):
        if keys.count(key) > 1:
            raise InstanceQuarantined(f"{report.name}: the header names column '{_shown(header)}' twice.")
    by_key = {_key_of_ours(column.header): column for column in report.columns}
    missing = tuple(column for key, column in by_key.items() if key not in keys)
    if headers and (lost := [column.header for column in missing if column.required]):
        raise InstanceQuarantined(f"{report.name}: the file has no column '{lost[0]}', which the report requires.")
    columns = [
        by_key.get(key) or Column(header, name=f"unknown {index}")
        for index, (header, key) in enumerate(zip(headers, keys, strict=True))
    ]
    return _Header(
        delimiter=delimiter,
        headers_in_file=headers,
        names_in_file=tuple(column.name for column in columns),
        found=tuple(by_key[key] for key in keys if key in by_key),
        missing=missing if headers else (),
        unknown=tuple(column for column, key in zip(columns, keys, strict=True) if key not in by_key),
    )


@cache
def _key_of_ours(header: str) -> str:
    """Of a header of the catalogue, whose keys are asked for with every file; a file's own are not kept."""
    return header_key(header)


def _check_unknown(columns: Sequence[Column], report: ReportDefinition, mode: SchemaMode) -> None:
    if columns and mode is SchemaMode.STRICT:
        raise InstanceQuarantined(
            f"{report.name}: the catalogue does not know the column '{_shown(columns[0].header)}', and the report's "
            "schema mode is strict: enter it into the catalogue, or set schema_modes to evolve; deploy and reprocess."
        )
    if len(columns) > _MOST_UNKNOWN_COLUMNS:
        raise InstanceQuarantined(
            f"{report.name}: the catalogue does not know {len(columns)} columns of the file, more than "
            f"{_MOST_UNKNOWN_COLUMNS}: it is another report's, or the catalogue needs them before a reprocess."
        )
    if sum(len(column.header.encode()) for column in columns) > _UNKNOWN_HEADERS_BYTES:
        raise InstanceQuarantined(
            f"{report.name}: the headers that the catalogue does not know have more than {_UNKNOWN_HEADERS_BYTES} "
            f"bytes together, from '{_shown(columns[0].header)}' on."
        )


def _split_header(line: bytes, delimiter: str, report: ReportDefinition) -> tuple[str, ...]:
    """The headers of `line`; none when the whole file is empty, which is a way to say "no rows"."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise InstanceQuarantined(f"{report.name}: the header line is not UTF-8.") from None
    if not text:
        return ()
    fields = next(csv.reader([text])) if delimiter == "," else text.split(delimiter)
    return tuple(field.strip() for field in fields)


class _Dates:
    """One column of dates: ISO, or month/day/year where the column itself shows that the month comes first."""

    def __init__(self) -> None:
        self.ambiguous: str | None = None
        self.month_first = False

    def parse(self, text: str) -> date:
        """The date of one cell; ValueError when it is none."""
        if _ISO_DATE.fullmatch(text):
            return date.fromisoformat(text)
        found = _SLASH_DATE.fullmatch(text)
        if not found:
            raise ValueError(text)
        month, day, year = (int(group) for group in found.groups())
        if day > 12:
            self.month_first = True
        elif day != month:
            self.ambiguous = text
        return date(year, month, day)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _parse_boolean(text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise ValueError(text)
    return _BOOLEANS[text.lower()]


def _parse_money(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return Decimal(text).quantize(_MONEY_STEP, context=_MONEY_CONTEXT)


def _is_rounded(text: str) -> bool:
    return _parse_money(text) != Decimal(text)


def _counted(cells: pa.DictionaryArray) -> Iterator[tuple[str, int]]:
    """The distinct strings of `cells` and how often each occurs."""
    for entry in cells.cast(pa.string()).drop_null().value_counts().to_pylist():
        yield entry["values"], entry["counts"]


def _without_line_ends(rows: bytearray, end: int) -> int:
    """Where `rows`, which go up to `end`, end without the line ends that may stand there."""
    while end and rows[end - 1] in b"\r\n":
        end -= 1
    return end


def _count_rows(rows: bytes, *, quoted: bool) -> int:
    """The rows by their line ends, which the parser had no part in; the last row may have none."""
    pieces = rows.split(b'"')[::2] if quoted else [rows]
    return sum(piece.count(b"\n") for piece in pieces) + (not rows.endswith(b"\n"))


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
