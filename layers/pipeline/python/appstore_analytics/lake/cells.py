"""The cells of one column, from Apple's text to the column's type.

A cell that cannot be read in exactly one way is refused: undocumented formats are not guessed. White space around a
number, a date or a truth value is ignored. A cell of only white space is null, even in a text column. Digits are ASCII.

    whole number   12  -7  +7  007  5.0          not 5.5, 1e3, 0x10, 1_000, 1,000
    number         the same, 0.25, 1.5e-3        not NaN, inf, 1e999
    money          as a number, exactly          rounded half to even to six decimals, and counted
    date           2026-11-20                    11/20/2026 if the column itself shows that the month comes first
    truth value    true false yes no 1 0         in any case of letters

Arrow reads the plain forms, all cells at once, and only these: its readers take `0x10` for 16 and `NaN` for a number,
and for some exponents its decimals are wrong or read beyond their tables. Every other cell is read here, each distinct
text once.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from math import isfinite
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from appstore_analytics.contract.catalogue.definition import Column, ColumnType, Role
from appstore_analytics.lake.schema import DICTIONARY, MONEY_SCALE, arrow_type
from appstore_analytics.lake.sentences import shown
from appstore_analytics.rules.times import iso_date

_SLASH_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_TRUTH_VALUES = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WITHOUT_EXPONENT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
_MONEY_STEP = Decimal(1).scaleb(-MONEY_SCALE)
_MONEY_CONTEXT = Context(prec=18, rounding=ROUND_HALF_EVEN)
_INT64_VALUES = 2**63
_PLAIN_CHARACTERS = b"0123456789.-"
_PLAIN_LENGTH = 38
"""The digits of Arrow's decimals."""


class CellRefusedError(Exception):
    """A cell cannot be read. `row` counts from 0, the first of the given cells."""

    def __init__(self, row: int, sentence: str) -> None:
        super().__init__(sentence)
        self.row = row


class ColumnCells:
    """The cells of one column of one file, read block by block.

    `read_as` is the type in which `typed` expects them: a dictionary, except for numbers that seldom repeat.
    `money_rounded` counts the amounts of more than six decimals so far.
    """

    def __init__(self, column: Column) -> None:
        self.header = column.header
        self.read_as = pa.string() if column.type in _NUMBERS and column.role is not Role.IDENTIFIER else DICTIONARY
        self.money_rounded = 0
        self._type = column.type
        self._dates = _Dates()

    @property
    def ambiguous_date(self) -> str | None:
        """A date that can be read in two ways, if no other date of the column shows which is right."""
        return None if self._dates.month_first else self._dates.ambiguous

    def typed(self, cells: pa.Array) -> pa.Array:
        """`cells` in the column's type, strings as a dictionary; CellRefusedError for a cell that cannot be read."""
        match self._type:
            case ColumnType.INT64 | ColumnType.FLOAT64:
                return _numbers(cells, _NUMBERS[self._type])
            case ColumnType.MONEY:
                return self._money(cells)
            case ColumnType.DATE:
                return self._each_text_once(cells, self._dates.parse)
            case ColumnType.BOOLEAN:
                return self._each_text_once(cells, _truth_value)
            case _:
                return _without_blanks(cells)

    def _money(self, cells: pa.DictionaryArray) -> pa.Array:
        rounded: set[str] = set()
        amounts = _numbers(cells, _money(rounded))
        if rounded:
            self.money_rounded += sum(count for text, count in _counted(cells) if text in rounded)
        return amounts

    def _each_text_once(self, cells: pa.DictionaryArray, parse: Callable[[str], Any]) -> pa.Array:
        _check_utf8(cells.dictionary, cells)
        values = [_parsed(text, parse, self._type, cells) for text in cells.dictionary.to_pylist()]
        return pa.array(values, arrow_type(self._type)).take(cells.indices)


@dataclass(frozen=True, slots=True)
class _Number:
    """The plain form of a type's numbers, and the reader of all other cells."""

    type: ColumnType
    plain: str
    parse: Callable[[str], Any]


def _whole_number(text: str) -> int:
    if not _WITHOUT_EXPONENT.fullmatch(text):
        raise ValueError(text)
    number = Decimal(text)
    if number != number.to_integral_value() or not -_INT64_VALUES <= number < _INT64_VALUES:
        raise ValueError(text)
    return int(number)


def _float(text: str) -> float:
    if not _NUMBER.fullmatch(text) or not isfinite(number := float(text)):
        raise ValueError(text)
    return number


_NUMBERS = {
    ColumnType.INT64: _Number(ColumnType.INT64, r"^-?[0-9]{1,18}$", _whole_number),
    ColumnType.FLOAT64: _Number(ColumnType.FLOAT64, r"^-?[0-9]{1,18}(\.[0-9]{1,18})?$", _float),
}


def _money(rounded: set[str]) -> _Number:
    """Amounts of money; the texts of those that lose digits are added to `rounded`."""

    def parse(text: str) -> Decimal:
        if not _NUMBER.fullmatch(text):
            raise ValueError(text)
        exact = Decimal(text)
        amount = exact.quantize(_MONEY_STEP, context=_MONEY_CONTEXT)
        if amount != exact:
            rounded.add(text)
        return amount

    return _Number(ColumnType.MONEY, r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$", parse)


def _numbers(cells: pa.Array, number: _Number) -> pa.Array:
    if cells.type == DICTIONARY:
        return _numbers_of(cells.dictionary, cells, number).take(cells.indices)
    return _numbers_of(cells, cells, number)


def _numbers_of(texts: pa.StringArray, cells: pa.Array, number: _Number) -> pa.Array:
    """The numbers of `texts`, which are `cells` or their dictionary."""
    if _is_plain(texts, number):
        try:
            return texts.cast(arrow_type(number.type))
        except pa.ArrowInvalid:
            pass  # too large, too many decimals, or `1-2`: read one by one below
    _check_utf8(texts, cells)
    is_plain = pc.fill_null(pc.match_substring_regex(texts, number.plain), True)
    is_other = pc.invert(is_plain)
    others = texts.filter(is_other).dictionary_encode()
    parsed = [_parsed(text, number.parse, number.type, cells) for text in others.dictionary.to_pylist()]
    plain = pc.if_else(is_plain, texts, pa.scalar(None, pa.string())).cast(arrow_type(number.type))
    return pc.replace_with_mask(plain, is_other, pa.array(parsed, plain.type).take(others.indices))


def _is_plain(texts: pa.StringArray, number: _Number) -> bool:
    """Whether all texts consist of digits, points and minus signs, and are short enough for Arrow to read exactly.

    Arrow itself refuses whole numbers that are too long.
    """
    _, _, characters = texts.buffers()
    if characters is not None and characters.to_pybytes().translate(None, _PLAIN_CHARACTERS):
        return False
    return number.type is ColumnType.INT64 or (pc.max(pc.binary_length(texts)).as_py() or 0) <= _PLAIN_LENGTH


def _parsed(text: str, parse: Callable[[str], Any], column_type: ColumnType, cells: pa.Array) -> Any:
    """The value of one text, None if it is blank."""
    stripped = text.strip()
    try:
        return parse(stripped) if stripped else None
    except (ValueError, InvalidOperation):
        raise CellRefusedError(_row_of(text, cells), f"'{shown(text)}' is not a {column_type}.") from None


def _row_of(text: str, cells: pa.Array) -> int:
    return int(pc.index(cells.cast(pa.string()), text).as_py())


def _without_blanks(cells: pa.DictionaryArray) -> pa.DictionaryArray:
    _check_utf8(cells.dictionary, cells)
    is_blank = pc.utf8_is_space(cells.dictionary)
    if not is_blank.true_count:
        return cells
    texts = pc.if_else(is_blank, pa.scalar(None, pa.string()), cells.dictionary)
    return texts.take(cells.indices).dictionary_encode()


def _check_utf8(texts: pa.StringArray, cells: pa.Array) -> None:
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        every = cells.cast(DICTIONARY.value_type) if cells.type == DICTIONARY else cells
        row = next(row for row, cell in enumerate(every.cast(pa.binary()).to_pylist()) if not _is_utf8(cell))
        raise CellRefusedError(row, "the text is not UTF-8.") from None


def _is_utf8(cell: bytes | None) -> bool:
    try:
        (cell or b"").decode()
    except UnicodeDecodeError:
        return False
    return True


def _truth_value(text: str) -> bool:
    if text.lower() not in _TRUTH_VALUES:
        raise ValueError(text)
    return _TRUTH_VALUES[text.lower()]


class _Dates:
    """One column of dates: ISO, or month/day/year if the column itself shows that the month comes first."""

    def __init__(self) -> None:
        self.ambiguous: str | None = None
        self.month_first = False

    def parse(self, text: str) -> date:
        """The date of one cell; ValueError if it is not a date."""
        found = _SLASH_DATE.fullmatch(text)
        if not found:
            return iso_date(text)
        month, day, year = (int(group) for group in found.groups())
        if day > 12:
            self.month_first = True
        elif day != month:
            self.ambiguous = text
        return date(year, month, day)


def _counted(cells: pa.DictionaryArray) -> Iterator[tuple[str, int]]:
    """The distinct texts of `cells` without the space around them, and how often each occurs."""
    for entry in cells.cast(pa.string()).drop_null().value_counts().to_pylist():
        yield entry["values"].strip(), entry["counts"]
