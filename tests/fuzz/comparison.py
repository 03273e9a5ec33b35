"""One fuzzed file through the converter, compared with an independent reading."""

import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pyarrow.parquet as pq

from appstore_analytics.contract.catalogue.definition import AccessType, ColumnType
from appstore_analytics.contract.errors import InstanceQuarantined
from appstore_analytics.lake import conversion, tsv
from appstore_analytics.lake.conversion import Conversion, convert
from appstore_analytics.lake.parts import PartFile
from appstore_analytics.model.vintage import Vintage
from tests.fuzz.files import APP_ID, TODAY, FuzzedFile
from tests.fuzz.reading import Reading, RefusedError, read

_VINTAGE = Vintage(date(2026, 11, 22), AccessType.ONGOING, "instance-1")
_LONGEST_SENTENCE = 1_000


class Verdict(StrEnum):
    """The result of the converter for a correctly processed file."""

    STORED = "stored"
    QUARANTINED = "quarantined"


class WrongError(Exception):
    """The converter's result differs from the file and the rules."""


def compared(file: FuzzedFile) -> Verdict:
    """The expected verdict on `file`; otherwise WrongError, or the converter's exception."""
    expected = _expected(file)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory()))
        stack.enter_context(patch.object(tsv, "_BLOCK_BYTES", file.block_bytes))
        stack.enter_context(patch.object(conversion, "_RUN_ROWS", file.run_rows))
        try:
            result = convert([io.BytesIO(file.packed)], file.table, APP_ID, _VINTAGE, TODAY, lambda days: days, scratch)
        except InstanceQuarantined as refusal:
            _check_sentence(str(refusal), file)
            if isinstance(expected, Reading) and not (expected.is_doubtful or file.is_broken):
                raise WrongError(f"refused, although it can be read: {refusal}") from None
            return Verdict.QUARANTINED
        if isinstance(expected, RefusedError):
            raise WrongError(f"stored, although it has no reading: {expected}")
        _compare(result, expected, file)
    return Verdict.STORED


def _expected(file: FuzzedFile) -> Reading | RefusedError:
    try:
        return read(file.content, file.table, APP_ID, TODAY)
    except RefusedError as refusal:
        return refusal


def _check_sentence(sentence: str, file: FuzzedFile) -> None:
    if not sentence.startswith(f"{file.table.report.name}: ") or len(sentence) > _LONGEST_SENTENCE:
        raise WrongError(f"a sentence that does not name its report, or is too long: {sentence}")


def _compare(result: Conversion, expected: Reading, file: FuzzedFile) -> None:
    by_day: dict[date, list[dict[str, Any]]] = defaultdict(list)
    for row in expected.rows:
        by_day[row[file.table.report.date_column]].append(row)
    if [part.day for part in result.parts] != sorted(by_day):
        raise WrongError(f"Dates {[part.day for part in result.parts]}, not {sorted(by_day)}")
    if result.digits_rounded != expected.money_rounded:
        raise WrongError(f"{result.digits_rounded} amounts rounded, not {expected.money_rounded}")
    if result.repeated != (repeated := _repeated(by_day)):
        raise WrongError(f"every row of {result.repeated} repeated, not of {repeated}")
    for part in result.parts:
        _compare_part(part, by_day[part.day], file)


def _compare_part(part: PartFile, wanted: Sequence[Mapping[str, Any]], file: FuzzedFile) -> None:
    stored = [{"extra": None} | row for row in pq.read_table(part.path).to_pylist()]
    if part.rows != len(wanted) or any(row.pop("app_id") != APP_ID for row in stored):
        raise WrongError(f"{part.rows} rows of {part.day}, not {len(wanted)}, or of another app")
    if any(row.pop("processing_date") != _VINTAGE.processing_date for row in stored):
        raise WrongError("another processing date")
    if difference := Counter(map(_frozen, stored)) - Counter(map(_frozen, wanted)):
        raise WrongError(f"stored and not in the file: {sorted(map(str, difference))[:3]}")
    _compare_sums(part.sums, wanted, file)


def _frozen(row: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """A row in hashable form."""
    return tuple(sorted((name, _text(dict(cell) if name == "extra" and cell else cell)) for name, cell in row.items()))


def _text(cell: Any) -> str:
    """A cell as text. It tells -0.0 from 0.0, and a number from a boolean; equal amounts have the same text."""
    if isinstance(cell, dict):
        return repr(sorted(cell.items()))
    return f"{cell + 0:.6f}" if isinstance(cell, Decimal) else repr(cell)


def _repeated(by_day: Mapping[date, Iterable[Mapping[str, Any]]]) -> dict[date, int]:
    """The Dates whose rows all occur equally often, and more than once."""
    often = {day: {*Counter(map(_frozen, rows)).values()} for day, rows in by_day.items()}
    return {day: min(sizes) for day, sizes in often.items() if len(sizes) == 1 and sizes != {1}}


def _compare_sums(sums: Mapping[str, str], rows: Iterable[Mapping[str, Any]], file: FuzzedFile) -> None:
    for measure in file.table.report.additive_measures:
        values = [row[measure.name] for row in rows if row[measure.name] is not None]
        wanted = sum(map(int, values)) if measure.type is ColumnType.INT64 else sum(values, Decimal(0))
        if (measure.name in sums) != bool(values) or Decimal(sums.get(measure.name, "0")) != wanted:
            raise WrongError(f"sum of {measure.name}: {sums.get(measure.name)}, not {wanted}")
