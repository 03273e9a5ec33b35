"""One of Apple's segments: a gzip of separated lines, read into typed rows block by block.

    gunzip (limited) ─► header line ─► columns by name ─► blocks of whole lines ─► Arrow ─► typed columns

Undocumented formats are not guessed: a file that can be read in two ways is quarantined.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

from appstore_analytics.contract.catalogue.definition import Column, ReportDefinition
from appstore_analytics.contract.errors import InstanceQuarantined
from appstore_analytics.contract.schema_modes import SchemaMode
from appstore_analytics.contract.tables import EXTRA
from appstore_analytics.lake.cells import CellRefusedError, ColumnCells
from appstore_analytics.lake.extra import extra_column
from appstore_analytics.lake.header import BYTE_ORDER_MARK, read_header
from appstore_analytics.lake.inflation import Inflated
from appstore_analytics.lake.record_batches import in_one_batch
from appstore_analytics.lake.schema import memory_type

_BLOCK_BYTES = 4 << 20
_HEAD_BYTES = 64 << 10
_LONGEST_ROW_BYTES = 16 << 20
_SHOWN_CHARACTERS = 240


class SegmentReader:
    """The rows of one segment, in the file's order.

    The constructor reads the header. `rows` yields batches of `schema.report_schema` with strings as dictionaries,
    once, with `extra` at the end if the file has unknown columns. Both raise InstanceQuarantined, naming the report,
    the column and the row (1 is the first below the header), if the file breaks the contract of `report` or holds rows
    of an app other than `app_id`.

    `unknown_columns` are headers that are not in the catalogue: their cells are in `extra`, or the file is quarantined
    if `mode` is strict. `missing_columns` are columns of the catalogue that the file does not have, so they are null.
    `rows_read` counts the rows so far.
    """

    def __init__(
        self, segment: BinaryIO, report: ReportDefinition, app_id: int, mode: SchemaMode = SchemaMode.EVOLVE
    ) -> None:
        self._report = report
        self._app_id = app_id
        self._inflated = Inflated(segment, report.name)
        self.rows_read = 0
        line, self._behind_header = self._read_header_line()
        self._header = read_header(line, report, mode)
        self._cells = {column.name: ColumnCells(column) for column in self._header.columns}
        self.unknown_columns = tuple(column.header for column in self._header.unknown)
        self.missing_columns = tuple(column.header for column in self._header.missing)

    @property
    def digits_rounded(self) -> int:
        """The number of amounts of money with more than six decimals so far."""
        return sum(cells.money_rounded for cells in self._cells.values())

    def rows(self) -> Iterator[pa.RecordBatch]:
        """The rows below the header; a file without rows is legal."""
        for block in self._blocks():
            rows = self._typed(self._parse(block))
            self._check_app(rows)
            self._check_dates(rows)
            self.rows_read += rows.num_rows
            yield rows
        self._refuse_ambiguous_dates()

    def _read_header_line(self) -> tuple[bytes, bytes]:
        head = b""
        while b"\n" not in head and (data := self._inflated.read(_HEAD_BYTES)):
            head += data
            self._check_row_length(len(head) - head.rfind(b"\n") - 1)
        line, _, behind = head.partition(b"\n")
        return line, behind

    def _blocks(self) -> Iterator[memoryview]:
        """Whole rows in blocks of a few MB, each in the buffer of the previous one.

        Blank lines at the end of a file are left out: a line end belongs to a row only if more than line ends follow
        it.
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
        """The position after the last whole row before `end`, including its line end."""
        if not self._header.quoted:
            return rows.rfind(b"\n", 0, end) + 1
        # Whether a line end ends a row depends on all quotes before it.
        pieces = rows[:end].split(b'"')
        for index in range(len(pieces) - 1 - (len(pieces) - 1) % 2, -1, -2):
            if b"\n" in pieces[index]:
                return sum(len(piece) + 1 for piece in pieces[:index]) + pieces[index].rfind(b"\n") + 1
        return 0

    def _check_row_length(self, row_bytes: int) -> None:
        if row_bytes > _LONGEST_ROW_BYTES:
            raise self._quarantine(f"a row is longer than {_LONGEST_ROW_BYTES} bytes, which no report has.")

    def _parse(self, block: memoryview) -> pa.RecordBatch:
        header = self._header
        if not header.columns:
            raise self._quarantine("the file has rows below an empty header line.")
        try:
            rows = pcsv.read_csv(
                pa.BufferReader(_with_its_first_mark(block)),
                read_options=pcsv.ReadOptions(
                    use_threads=False, block_size=len(block) + 1, column_names=list(self._cells)
                ),
                parse_options=pcsv.ParseOptions(
                    delimiter=header.delimiter,
                    quote_char='"' if header.quoted else False,
                    double_quote=header.quoted,
                    newlines_in_values=header.quoted,
                    ignore_empty_lines=False,
                ),
                convert_options=pcsv.ConvertOptions(
                    column_types={name: cells.read_as for name, cells in self._cells.items()},
                    null_values=[""],
                    strings_can_be_null=True,
                    check_utf8=False,  # cells.py checks the text, each distinct one once
                ),
            )
        except pa.ArrowInvalid as error:
            raise self._quarantine(self._in_our_words(str(error))) from None
        self._check_rows(rows, block)
        return in_one_batch(rows)

    def _check_rows(self, rows: pa.Table, block: memoryview) -> None:
        """Arrow also ends rows at carriage returns, which a cell can contain, and quotes can contain line ends."""
        quoted = self._header.quoted
        if not quoted and not self._inflated.has_carriage_return:
            return
        if rows.num_rows != (lines := _count_rows(bytes(block), quoted=quoted)):
            raise self._quarantine(
                f"of the {lines} lines from row {self.rows_read + 1} on, {rows.num_rows} could be read as rows."
            )

    def _in_our_words(self, arrow_message: str) -> str:
        """Replaces Arrow's row number, which counts from the start of the block, and cuts the row that Arrow quotes.

        The sentence goes into states and logs, which must not contain rows.
        """
        message = re.sub(r"Row #(\d+)", lambda found: f"row {self.rows_read + int(found[1])}", arrow_message)
        message = re.sub(r"(Expected \d+ columns, got \d+).*", r"\1", message, flags=re.DOTALL)
        return f"{message[:_SHOWN_CHARACTERS]}."

    def _typed(self, parsed: pa.RecordBatch) -> pa.RecordBatch:
        found = {column.name: self._typed_column(column, parsed) for column in self._header.found}
        columns = [
            found[column.name] if column.name in found else pa.nulls(parsed.num_rows, memory_type(column.type))
            for column in self._report.columns
        ]
        names = [column.name for column in self._report.columns]
        if unknown := self._header.unknown:
            texts = {column.header: self._typed_column(column, parsed).cast(pa.string()) for column in unknown}
            columns.append(extra_column(texts))
            names.append(EXTRA.name)
        return pa.RecordBatch.from_arrays(columns, names)

    def _typed_column(self, column: Column, parsed: pa.RecordBatch) -> pa.Array:
        try:
            return self._cells[column.name].typed(parsed.column(column.name))
        except CellRefusedError as refusal:
            row = self.rows_read + 1 + refusal.row
            raise self._quarantine(f"column '{column.header}', row {row}: {refusal}") from None

    def _check_app(self, rows: pa.RecordBatch) -> None:
        column = self._report.app_id_column
        if column is None or column not in self._header.found:
            return
        apps = rows.column(column.name)
        if apps.null_count or set(pc.min_max(apps).as_py().values()) - {self._app_id}:
            other = pc.fill_null(pc.not_equal(apps, self._app_id), True)
            index = pc.index(other, True).as_py()
            found = apps[index].as_py()
            what = "a blank line, or a row without an app" if found is None else f"rows of another app, {found}"
            row = self.rows_read + 1 + index
            raise self._quarantine(f"column '{column.header}', row {row}: the file of app {self._app_id} holds {what}.")

    def _check_dates(self, rows: pa.RecordBatch) -> None:
        dates = rows.column(self._report.date_column)
        if dates.null_count:
            row = self.rows_read + 1 + pc.index(pc.is_null(dates), True).as_py()
            raise self._quarantine(f"row {row} has no Date (column '{self._report.date_column}').")

    def _refuse_ambiguous_dates(self) -> None:
        for cells in self._cells.values():
            if cells.ambiguous_date:
                raise self._quarantine(
                    f"column '{cells.header}': '{cells.ambiguous_date}' can be month/day or day/month, and no other "
                    "row shows which."
                )

    def _quarantine(self, sentence: str) -> InstanceQuarantined:
        return InstanceQuarantined(f"{self._report.name}: {sentence}")


def _with_its_first_mark(block: memoryview) -> memoryview | bytes:
    """The block for Arrow, which drops a byte order mark from the first cell, although it can be the cell's own."""
    return BYTE_ORDER_MARK + block if block[: len(BYTE_ORDER_MARK)] == BYTE_ORDER_MARK else block


def _without_line_ends(rows: bytearray, end: int) -> int:
    """The end of `rows`, which go up to `end`, without trailing line ends."""
    while end and rows[end - 1] in b"\r\n":
        end -= 1
    return end


def _count_rows(rows: bytes, *, quoted: bool) -> int:
    """The number of rows by their line ends, counted independently of the parser; the last row can have none."""
    pieces = rows.split(b'"')[::2] if quoted else [rows]
    return sum(piece.count(b"\n") for piece in pieces) + (not rows.endswith(b"\n"))
