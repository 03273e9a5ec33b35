"""The comparison of the converter's counts with Athena's, which shows that no rows are lost or duplicated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Self


@dataclass(frozen=True, slots=True)
class Counts:
    """The rows of one app and Date, and the exact sums of the additive measures (None if every cell is empty)."""

    rows: int
    sums: Mapping[str, Decimal | None]

    def __add__(self, other: Self) -> Self:
        """The total of both; None adds nothing, as in SQL."""
        sums = {name: _sum(self.sums.get(name), other.sums.get(name)) for name in sorted({*self.sums, *other.sums})}
        return replace(self, rows=self.rows + other.rows, sums=sums)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The expected and counted values of one app and Date. `difference` is empty if they agree."""

    app_id: int
    day: date
    rows_expected: int
    rows_athena: int
    difference: str

    @property
    def equal(self) -> bool:
        """Whether rows and every sum agree."""
        return not self.difference


BatchKey = tuple[int, date]
_NOTHING = Counts(0, {})


def compare(expected: Mapping[BatchKey, Counts], counted: Mapping[BatchKey, Counts]) -> Sequence[Comparison]:
    """A comparison for every app and Date on either side, sorted."""
    return tuple(
        _comparison(key, expected.get(key, _NOTHING), counted.get(key, _NOTHING))
        for key in sorted({*expected, *counted})
    )


def _comparison(key: BatchKey, expected: Counts, counted: Counts) -> Comparison:
    differences = [] if expected.rows == counted.rows else [f"{expected.rows} rows expected, {counted.rows} in Athena"]
    for measure in sorted({*expected.sums, *counted.sums}):
        wanted, found = expected.sums.get(measure), counted.sums.get(measure)
        if wanted != found:
            differences.append(f"{measure}: {wanted} expected, {found} in Athena")
    return Comparison(*key, expected.rows, counted.rows, "; ".join(differences))


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    if one is None or other is None:
        return one if other is None else other
    return one + other
