"""An independent reading of a segment: from Apple's rules, without Arrow, the csv module or readers of the project.

Only the catalogue, which defines the columns, is shared.
"""

import sys
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from math import isinf
from typing import Any

from appstore_analytics.contract.catalogue.definition import Column, ColumnType, Granularity
from appstore_analytics.contract.tables import CuratedTable

DIGITS = "0123456789"
MONEY_DECIMALS = 6
MONEY_DIGITS = 18
LONGEST_EXPONENT = 17
MOST_UNKNOWN = 20
MOST_UNKNOWN_BYTES = 400


class RefusedError(Exception):
    """The file breaks its report's contract."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The rows of a file, in its order, by our column names; `extra` has the unknown columns, or is None.

    `money_rounded` counts amounts that lost digits. `is_doubtful`: refusing the file is also correct, because a quote
    is in a place where RFC 4180 allows none, or an exponent has more digits than any number needs.
    """

    rows: list[dict[str, Any]]
    money_rounded: int = 0
    is_doubtful: bool = False


@dataclass
class _File:
    table: CuratedTable
    app_id: int
    columns: list[Column | str] = field(default_factory=list)
    money_rounded: int = 0
    is_doubtful: bool = False
    ambiguous: set[str] = field(default_factory=set)
    month_first: set[str] = field(default_factory=set)


@contextmanager
def _integers_of_any_length() -> Iterator[None]:
    """Python refuses more than 4,300 digits; set only here, because the limit applies to the whole process."""
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        yield
    finally:
        sys.set_int_max_str_digits(limit)


@_integers_of_any_length()
def read(content: bytes, table: CuratedTable, app_id: int, today: date) -> Reading:
    """The contents of an unpacked segment; RefusedError if it is not readable."""
    file = _File(table, app_id)
    head, _, body = content.partition(b"\n")
    delimiter = "\t" if b"\t" in head else ","
    headers = _headers(head, delimiter, file)
    file.columns = _columns(headers, table)
    while body[-1:] in (b"\r", b"\n") and body:
        body = body[:-1]
    lines = [] if not body else list(_lines(body, file) if delimiter == "\t" else _quoted_lines(body, file))
    if lines and not headers:
        raise RefusedError("rows below no header")
    rows = [_row(cells, file) for cells in lines]
    if file.ambiguous - file.month_first:
        raise RefusedError("ambiguous dates")
    for each in rows:
        _check_date(each[table.report.date_column], table, today)
    return Reading(rows, file.money_rounded, file.is_doubtful)


# The header


def _headers(line: bytes, delimiter: str, file: _File) -> list[str]:
    if line.startswith(b"\xef\xbb\xbf"):
        line = line[3:]
    text = unicodedata.normalize("NFC", _text(line[:-1] if line.endswith(b"\r") else line))
    if "\r" in text:
        raise RefusedError("a carriage return in the header")
    if not text:
        return []
    fields = text.split("\t") if delimiter == "\t" else _fields_of_one_line(text)
    if delimiter == "," and any(len(each) > 131_072 for each in fields):
        raise RefusedError("a header that is too long")
    return [each.strip() for each in fields]


def _fields_of_one_line(text: str) -> list[str]:
    fields, place = [], 0
    while place <= len(text):
        cell, place, _ = _quoted_field(text, place, ",")
        fields.append(cell)
        place += 1
    return fields


def _columns(headers: Sequence[str], table: CuratedTable) -> list[Column | str]:
    """Our column for each field, or the header of an unknown one."""
    if not headers:
        return []
    keys = [_key(header) for header in headers]
    own = {_key(column.header): column for column in table.report.columns}
    aliases = {
        _key(alias.header): column
        for column in table.report.columns
        if _key(column.header) not in keys
        for alias in column.aliases
    }
    columns: list[Column | str] = [
        own.get(key, aliases.get(key, header)) for header, key in zip(headers, keys, strict=True)
    ]
    names = [each if isinstance(each, str) else f"\0{each.name}" for each in columns]
    if len(set(names)) < len(names):
        raise RefusedError("a column twice")
    if any(column.required and column not in columns for column in table.report.columns):
        raise RefusedError("a required column is missing")
    unknown = [each for each in columns if isinstance(each, str)]
    if len(unknown) > MOST_UNKNOWN or len("".join(unknown).encode()) > MOST_UNKNOWN_BYTES:
        raise RefusedError("too much is unknown")
    return columns


def _key(header: str) -> str:
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFD", header).casefold())
    kept = ("L", "M", "N", "S")
    return "".join(each for each in folded if unicodedata.category(each).startswith(kept) or each == "%")


# Lines and fields


def _lines(body: bytes, file: _File) -> Iterator[list[bytes]]:
    for line in body.split(b"\n"):
        whole = line[:-1] if line.endswith(b"\r") else line
        if b"\r" in whole:
            raise RefusedError("a carriage return in a row")
        cells = whole.split(b"\t")
        if file.columns and len(cells) != len(file.columns):
            raise RefusedError("another number of cells")
        yield cells


def _quoted_lines(body: bytes, file: _File) -> Iterator[list[bytes]]:
    text = body.decode("latin-1")  # one character per byte: each cell is decoded separately
    place, cells = 0, []
    while True:
        cell, place, is_odd = _quoted_field(text, place, ",\r\n")
        file.is_doubtful = file.is_doubtful or is_odd
        cells.append(cell.encode("latin-1"))
        if text[place : place + 1] == ",":
            place += 1
            continue
        if file.columns and len(cells) != len(file.columns):
            raise RefusedError("another number of cells")
        yield cells
        cells = []
        if place >= len(text):
            return
        if text[place] == "\r":
            place += 1
            if text[place : place + 1] != "\n":
                raise RefusedError("a carriage return in a row")
        place += 1


def _quoted_field(text: str, place: int, ends: str) -> tuple[str, int, bool]:
    """The field at `place`, its end, and whether it has a quote in a wrong place."""
    cell: list[str] = []
    if text[place : place + 1] == '"':
        place += 1
        while True:
            end = text.find('"', place)
            if end < 0:
                if "\n" in ends:
                    raise RefusedError("a quote without an end")
                return "".join([*cell, text[place:]]), len(text), True
            cell.append(text[place:end])
            place = end + 1
            if text[place : place + 1] != '"':
                break
            cell.append('"')
            place += 1
    start = place
    while place < len(text) and text[place] not in ends:
        place += 1
    rest = text[start:place]
    is_odd = '"' in rest or bool(cell and rest)
    return "".join([*cell, rest]), place, is_odd


# Cells


def _row(cells: Sequence[bytes], file: _File) -> dict[str, Any]:
    row: dict[str, Any] = {column.name: None for column in file.table.report.columns}
    extra = {}
    for column, cell in zip(file.columns, cells, strict=True):
        text = _text(cell)
        if not text.strip():
            continue
        if isinstance(column, str):
            extra[column] = text
        else:
            row[column.name] = _value(column, text, file)
    app = file.table.report.app_id_column
    if app in file.columns and app is not None and row[app.name] != file.app_id:
        raise RefusedError("another app")
    return row | {"extra": extra or None}


def _value(column: Column, text: str, file: _File) -> Any:
    stripped = text.strip()
    match column.type:
        case ColumnType.INT64:
            return _whole(stripped)
        case ColumnType.FLOAT64:
            return _double(stripped)
        case ColumnType.MONEY:
            return _money(stripped, file)
        case ColumnType.DATE:
            return _date(stripped, column.name, file)
        case ColumnType.BOOLEAN:
            return _truth(stripped)
        case _:
            return text


def _text(cell: bytes) -> str:
    try:
        return cell.decode("utf-8")
    except UnicodeDecodeError:
        raise RefusedError("not UTF-8") from None


def _scanned(text: str) -> tuple[int, str, int]:
    """A number as sign, digits and power of ten."""
    sign = -1 if text[:1] == "-" else 1
    unsigned = text[1:] if text[:1] in ("+", "-") and text else text
    mantissa, letter, power = unsigned, "", ""
    for each in ("e", "E"):
        if each in unsigned:
            mantissa, letter, power = unsigned.partition(each)
            break
    whole, _, fraction = mantissa.partition(".")
    digits = whole + fraction
    if not digits or any(each not in DIGITS for each in digits):
        raise RefusedError("not a number")
    power_digits = power[1:] if power[:1] in ("+", "-") and power else power
    if letter and (not power_digits or any(each not in DIGITS for each in power_digits)):
        raise RefusedError("not a number")
    return sign, digits, int(power or "0") - len(fraction)


def _whole(text: str) -> int:
    if "e" in text or "E" in text:
        raise RefusedError("an exponent in a count")
    sign, digits, power = _scanned(text)
    unit: int = 10**-power
    number, rest = divmod(int(digits), unit)
    if rest or not -(2**63) <= sign * number < 2**63:
        raise RefusedError("no whole number of 64 bits")
    return sign * number


def _double(text: str) -> float:
    _scanned(text)
    number = float(text)
    if isinf(number):
        raise RefusedError("too large")
    return number


def _money(text: str, file: _File) -> Decimal:
    sign, digits, power = _scanned(text)
    if len(text.lower().partition("e")[2].strip("+-")) > LONGEST_EXPONENT:
        file.is_doubtful = True
    significant = digits.lstrip("0")
    if not significant:
        return Decimal(0)
    if len(significant) + power > MONEY_DIGITS - MONEY_DECIMALS + 1:
        raise RefusedError("too much money")
    if len(significant) + power < -MONEY_DECIMALS - 1:
        file.money_rounded += 1
        return Decimal(0)
    steps, is_rounded = _half_to_even(int(significant), power + MONEY_DECIMALS)
    if steps >= 10**MONEY_DIGITS:
        raise RefusedError("too much money")
    file.money_rounded += is_rounded
    return Decimal(sign * steps).scaleb(-MONEY_DECIMALS)


def _half_to_even(number: int, power: int) -> tuple[int, bool]:
    if power >= 0:
        return number * int(10**power), False
    unit: int = 10**-power
    steps, rest = divmod(number, unit)
    if 2 * rest > unit or (2 * rest == unit and steps % 2):
        steps += 1
    return steps, rest > 0


def _date(text: str, column: str, file: _File) -> date:
    pieces = text.split("/") if "/" in text else text.split("-")
    if len(pieces) != 3 or any(each not in DIGITS for piece in pieces for each in piece):
        raise RefusedError("not a date")
    lengths = [len(piece) for piece in pieces]
    if "/" in text:
        if not (0 < lengths[0] < 3 and 0 < lengths[1] < 3 and lengths[2] == 4):
            raise RefusedError("not a date")
        month, day, year = map(int, pieces)
        if day > 12:
            file.month_first.add(column)
        elif day != month:
            file.ambiguous.add(column)
    elif lengths != [4, 2, 2]:
        raise RefusedError("not a date")
    else:
        year, month, day = map(int, pieces)
    try:
        return date(year, month, day)
    except ValueError:
        raise RefusedError("not a day of the calendar") from None


def _truth(text: str) -> bool:
    if text.lower() in ("true", "yes", "1"):
        return True
    if text.lower() in ("false", "no", "0"):
        return False
    raise RefusedError("not a truth value")


def _check_date(day: date | None, table: CuratedTable, today: date) -> None:
    if day is None:
        raise RefusedError("a row without a Date")
    first = date(2019, 12, 30) if table.granularity is Granularity.WEEKLY else date(2020, 1, 1)
    is_late = day > today + timedelta(days=1)
    is_no_monday = table.granularity is Granularity.WEEKLY and day.weekday() != 0
    is_no_first = table.granularity is Granularity.MONTHLY and day.day != 1
    if day < first or is_late or is_no_monday or is_no_first:
        raise RefusedError("a Date that no query would see")
