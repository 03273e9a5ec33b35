"""A few hundred fuzzed files; `python -m tests.fuzz` processes tens of thousands."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.fuzz import comparison
from tests.fuzz.comparison import Verdict, WrongError, compared
from tests.fuzz.exploration import explore
from tests.fuzz.files import FuzzedFile, fuzzed_file
from tests.fuzz.reading import Reading, RefusedError, read

DIES_OF_3_AND_4 = """
import json, os, signal, sys
for number in range(*map(int, sys.argv[2:])):
    if number in (3, 4):
        os.kill(os.getpid(), signal.SIGSEGV)
    print(json.dumps({"number": number, "cells": 1, "verdict": "stored"}), flush=True)
"""


def test_fuzzed_files_are_stored_as_they_read_or_quarantined() -> None:
    found = explore(seed=2026, files=250, jobs=1)
    assert found.wrong == {}
    assert found.files == 250
    assert min(found.verdicts["stored"], found.verdicts["quarantined"]) > 40
    assert found.cells_stored > 10_000


def test_any_cell_that_hypothesis_thinks_of_is_stored_as_it_reads_or_quarantined() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--cells", "150"]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr[-3000:]


def test_a_crash_is_the_result_of_its_file_and_not_the_end() -> None:
    found = explore(seed=0, files=7, jobs=1, command=[sys.executable, "-c", DIES_OF_3_AND_4])
    assert (found.files, found.verdicts) == (7, {"stored": 5, "crashed": 2})
    assert all("-11" in what for what in found.wrong.values())
    assert [*found.wrong] == [3, 4]


def test_a_file_is_a_function_of_its_seed() -> None:
    assert fuzzed_file(1, 1) == fuzzed_file(1, 1) != fuzzed_file(1, 2)


def stored_file() -> FuzzedFile:
    """A file whose money column is stored."""
    files = (fuzzed_file(0, number) for number in range(10_000))
    return next(
        file
        for file in files
        if file.table.report.name.startswith("App Store Purchases") and file.cells and compared(file) is Verdict.STORED
    )


def with_more_money(reading: Reading) -> Reading:
    first, *others = reading.rows
    return replace(
        reading, rows=[first | {"sales_in_usd": (first["sales_in_usd"] or 0) + Decimal("0.000001")}, *others]
    )


def with_a_row_less(reading: Reading) -> Reading:
    return replace(reading, rows=reading.rows[1:])


def with_another_word(reading: Reading) -> Reading:
    return replace(reading, rows=[reading.rows[0] | {"device": "another"}, *reading.rows[1:]])


def with_one_rounded(reading: Reading) -> Reading:
    return replace(reading, money_rounded=reading.money_rounded + 1)


def refused(reading: Reading) -> Reading:
    raise RefusedError("not this one")


@pytest.mark.parametrize(
    "change",
    [with_more_money, with_a_row_less, with_another_word, with_one_rounded, refused],
    ids=lambda each: each.__name__,
)
def test_what_is_not_stored_as_it_reads_is_seen(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[Reading], Reading]
) -> None:
    file = stored_file()

    def changed(*arguments: Any) -> Reading:
        return change(read(*arguments))

    monkeypatch.setattr(comparison, "read", changed)
    with pytest.raises(WrongError):
        compared(file)


def test_a_refusal_of_what_can_be_read_is_seen() -> None:
    file = stored_file()
    broken = replace(file, packed=file.packed[:-4])
    with pytest.raises(WrongError, match="refused, although it can be read"):
        compared(broken)
    assert compared(replace(broken, is_broken=True)) is Verdict.QUARANTINED
