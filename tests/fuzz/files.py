"""Files like Apple's, with faults: odd cells, odd headers, broken bytes, broken gzip."""

import gzip
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from appstore_analytics.contract.catalogue import CORE_REPORT_NAMES
from appstore_analytics.contract.catalogue.definition import Column, ColumnType, Granularity
from appstore_analytics.contract.tables import CuratedTable, tables_by_name

APP_ID = 1000000001
TODAY = date(2026, 11, 23)

_TABLES = sorted(tables_by_name().values(), key=lambda table: table.name)
_CORE_TABLES = [table for table in _TABLES if table.report.name in CORE_REPORT_NAMES]

_WORDS = (
    "iPhone", "App Store search", "First-time download", "US", "NA", "null", "None", "nan", "0x10", "true", "1e5",
    'Customer review modal open ("more")', '"', '"quoted"', "a,b", "=1+1", "販売", "Größe", "Gro\u0308ße", "🙂",
    "\u200b", "\ufeff", "a\x00b", "a\x0bb", "a\u2028b", "a\x85b", " leading", "trailing ", "\u202eabc", "\U0010ffff",
    "-", "x" * 300,
)  # fmt: skip
_BLANKS = ("", "", "", " ", "  ", "\u00a0", "\u3000", "\x1f", "\x0b")
_LEGAL = {
    ColumnType.INT64: ("5.0", "+7", "007", "-0", ".0", "3.", " 4 ", "9223372036854775807", "-9223372036854775808"),
    ColumnType.FLOAT64: ("1e3", "-1.5E-3", "+.5", "2.", "1e-400", " 0.1 ", "123456789012345678901234567890"),
    ColumnType.MONEY: (
        "1e-999999999", "123456789012e-15101", "1.5E+2", "-1e-7", "0.0000005", "0.0000015", ".5", "5.", "+1.25",
        "0e999999", "999999999999.999999", "1234567890123456e-5", "1." + "0" * 60, "0." + "3" * 80, " 2.5 ", "1e-40",
    ),
    ColumnType.DATE: ("2025-05-20", " 2025-05-20 ", "05/20/2025", "5/5/2025", "2024-02-29"),
    ColumnType.BOOLEAN: ("TRUE", "No", " yes ", "0", "1"),
}  # fmt: skip
_ODD = (
    "0x10", "0XFF", "1_000", "1,000", "5.5", "1e3", "NaN", "nan", "inf", "-Infinity", "1e999", "１２", "٣", "½", "true",
    "TRUE ", "maybe", "2026-11-20T00:00:00", "20261120", "2026-W47-5", "１１/２０/２０２５", "11/02/2025", "13/40/2025",
    "2025-02-30", "0000-01-01", "9999-12-31", "--5", "+-5", "-", "+", ".", "e5", "1e", "1e+", "1e1_0", "1.2.3", "1-2",
    "9223372036854775808", "9" * 40, "9" * 500, "-" + "9" * 39, "1000000000000", "999999999999.9999999", "$5", "5%",
    "1e99999999999", "1e-99999999999999999999", "123456789012345678e-30", "1.5e-18446744073709551616", "0x1p3", "1d5",
    "0" * 400, "0." + "0" * 400 + "1", "1e2147483648", "1e-2147483649", "null", "\\N", "#N/A", "\x00", "5\x00",
    "\ufeff5",
)  # fmt: skip
_ODD_HEADERS = (
    "販売", "地域", "Größe", "Grüße", "counts", "COUNTS", "Counts ", "Counts %", "Ｃｏｕｎｔｓ", "Cou\rnts", "", " ",
    "x" * 401, "x" * 140_000, "Event Name", "Event Sub Type", "Pre-Order Canceled", "Platform Verison", "का", "की",
    "%", "#", '"', 'a "b"', "Date", "date", "ı", "İ", "e\u0301", "é", "\x00", "\u200b", "A" * 30,
)  # fmt: skip
_ODD_BYTES = (
    b"\r",
    b"\n",
    b"\t",
    b"\x00",
    b'"',
    b",",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\x1a",
    b" ",
)
_NUMBER_CHARACTERS = "0123456789.-+eE_xX "


@dataclass(frozen=True, slots=True)
class FuzzedFile:
    """One segment: `packed` is the compressed file, `content` its unpacked bytes if the gzip data is intact.

    The converter splits it at `block_bytes` and `run_rows`.
    """

    table: CuratedTable
    packed: bytes
    content: bytes
    is_broken: bool
    cells: int
    block_bytes: int
    run_rows: int


def fuzzed_file(seed: int, number: int) -> FuzzedFile:
    """The file with this number, which is always the same."""
    random = Random(f"{seed}-{number}")  # noqa: S311 (it decides on nothing secret)
    table = random.choice(_CORE_TABLES if random.random() < 0.6 else _TABLES)
    temper = random.choices((_as_it_is, _one_odd_cell, _odd_header, _broken_bytes), (55, 25, 10, 10))[0]
    rows = random.choices((0, random.randint(1, 12), random.randint(13, 40)), (3, 87, 10))[0]
    comma = table.report.name == "App Crashes Expanded" or random.random() < 0.1
    headers, cells = _headers(table, random), [_row(table, random) for _ in range(rows)]
    if rows < 10 and random.random() < 0.05:
        cells = [[*row] for row in cells for _ in range(random.choice((2, 3)))]
    content = temper(headers, cells, "," if comma else "\t", random)
    packed, is_broken = _packed(content, random)
    block_bytes = random.choice((4 << 20, 4 << 20, 1, 64, 777))
    run_rows = random.choice((250_000, 250_000, 1, 5))
    return FuzzedFile(table, packed, content, is_broken, rows * len(headers), block_bytes, run_rows)


def _headers(table: CuratedTable, random: Random) -> list[str]:
    spelling = random.choice((str, str, str, str.upper, str.lower, _in_snake_case))
    return [
        random.choice(column.aliases).header if column.aliases and random.random() < 0.2 else spelling(column.header)
        for column in table.report.columns
    ]


def _in_snake_case(header: str) -> str:
    return header.replace(" ", "_")


def _row(table: CuratedTable, random: Random) -> list[str]:
    return [_cell(table, column, random) for column in table.report.columns]


def _cell(table: CuratedTable, column: Column, random: Random) -> str:
    if column.name == table.report.date_column:
        return _day(table, random)
    if column is table.report.app_id_column:
        return "1000000001.0" if random.random() < 0.02 else str(APP_ID)
    if random.random() < 0.06:
        return random.choice(_BLANKS)
    if column.type is ColumnType.STRING:
        return random.choice(_WORDS)
    if random.random() < 0.15:
        return random.choice(_LEGAL[column.type])
    return _usual(column, random)


def _usual(column: Column, random: Random) -> str:
    match column.type:
        case ColumnType.INT64:
            return str(random.choice((1, random.randint(-50, 5000), random.randint(-(2**63), 2**63 - 1))))
        case ColumnType.FLOAT64:
            return repr(random.choice((random.random(), random.uniform(-1e9, 1e9))))
        case ColumnType.MONEY:
            return f"{random.randint(-(10**8), 10**8) / 100:.{random.choice((0, 2, 2, 2, 6, 7, 9))}f}"
        case ColumnType.DATE:
            return (TODAY - timedelta(days=random.randint(0, 400))).isoformat()
        case _:
            return random.choice(("true", "false"))


def _day(table: CuratedTable, random: Random) -> str:
    day = TODAY - timedelta(days=random.randint(0, 4))
    if table.granularity is Granularity.WEEKLY:
        day -= timedelta(days=day.weekday())
    if table.granularity is Granularity.MONTHLY:
        day = day.replace(day=1)
    return f"{day:%m/%d/%Y}" if day.day > 12 and random.random() < 0.05 else day.isoformat()


def _as_it_is(headers: list[str], rows: list[list[str]], delimiter: str, random: Random) -> bytes:
    """Tab-separated cells contain no tabs, and comma-separated ones are quoted if necessary."""
    end = random.choice(("\n", "\n", "\n", "\r\n"))
    lines = (delimiter.join(_quoted(cell, delimiter, random) for cell in row) for row in [headers, *rows])
    last = random.choice((end, end, "", end * 3))
    return (random.choice(("", "", "\ufeff")) + end.join(lines) + last).encode("utf-8", "surrogatepass")


def _quoted(cell: str, delimiter: str, random: Random) -> str:
    if delimiter == "," and (any(each in cell for each in ',"\r\n') or random.random() < 0.1):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _one_odd_cell(headers: list[str], rows: list[list[str]], delimiter: str, random: Random) -> bytes:
    for _ in range(random.choice((1, 1, 1, 3)) if rows else 0):
        row = random.choice(rows)
        place = random.randrange(len(row))
        row[place] = _odd(row[place], random)
    return _as_it_is(headers, rows, delimiter, random)


def _odd(cell: str, random: Random) -> str:
    """A changed cell: one from the list, one of a number's characters, or the cell with one character changed."""
    chance = random.random()
    if chance < 0.4:
        return random.choice(_ODD)
    if chance < 0.7 or not cell:
        return "".join(random.choices(_NUMBER_CHARACTERS, k=random.randint(1, 9)))
    if chance < 0.8:
        return f"{random.randint(-(10**15), 10**15)}e{random.randint(-20_000, 30)}"
    place = random.randrange(len(cell))
    other: str = random.choice((*_NUMBER_CHARACTERS, "\x00", "５", "/", ":"))
    return cell[:place] + other + cell[place + random.randint(0, 1) :]


def _odd_header(headers: list[str], rows: list[list[str]], delimiter: str, random: Random) -> bytes:
    for _ in range(random.choice((1, 1, 2, 22))):
        random.choice((_add, _add, _add, _rename, _drop, _swap))(headers, rows, random)
    return _as_it_is(headers, rows, delimiter, random)


def _add(headers: list[str], rows: list[list[str]], random: Random) -> None:
    place = random.randrange(len(headers) + 1)
    headers.insert(place, random.choice(_ODD_HEADERS))
    for row in rows:
        row.insert(place, random.choice((*_WORDS, *_BLANKS)))


def _rename(headers: list[str], rows: list[list[str]], random: Random) -> None:
    place = random.randrange(len(headers))
    headers[place] = random.choice((*_ODD_HEADERS, unicodedata.normalize("NFD", headers[place] + "é")))


def _drop(headers: list[str], rows: list[list[str]], random: Random) -> None:
    place = random.randrange(len(headers))
    for each in (headers, *rows) if len(headers) > 1 else ():
        del each[place]


def _swap(headers: list[str], rows: list[list[str]], random: Random) -> None:
    one, other = random.randrange(len(headers)), random.randrange(len(headers))
    for each in (headers, *rows):
        each[one], each[other] = each[other], each[one]


def _broken_bytes(headers: list[str], rows: list[list[str]], delimiter: str, random: Random) -> bytes:
    content = bytearray(_as_it_is(headers, rows, delimiter, random))
    for _ in range(random.choice((1, 1, 2, 5))):
        place = random.randrange(len(content) + 1)
        change = random.choice(("insert", "insert", "overwrite", "cut", "double", "truncate", "carriage returns"))
        if change == "insert":
            content[place:place] = random.choice(_ODD_BYTES)
        elif change == "overwrite":
            content[place : place + 1] = random.randbytes(1)
        elif change == "cut":
            del content[place : place + random.randint(1, 30)]
        elif change == "double":
            content[place:place] = content[place : place + random.randint(1, 200)]
        elif change == "truncate":
            del content[place:]
        elif random.random() < 0.2:
            content = content.replace(b"\n", b"\r")
    return bytes(content)


def _packed(content: bytes, random: Random) -> tuple[bytes, bool]:
    if random.random() < 0.05:
        half = len(content) // 2
        return gzip.compress(content[:half], mtime=0) + gzip.compress(content[half:], mtime=0), False
    packed = bytearray(gzip.compress(content, random.choice((1, 6)), mtime=0))
    if random.random() > 0.03:
        return bytes(packed), False
    place = random.randrange(len(packed))
    change = random.choice(("flip", "truncate", "append"))
    if change == "flip":
        packed[place] ^= 1 << random.randrange(8)
    elif change == "truncate":
        del packed[place:]
    else:
        packed += random.choice((b"\x00" * 8, b"trailing", b"\x1f\x8b"))
    return bytes(packed), True
