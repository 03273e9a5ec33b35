from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.rules.counts import Comparison, Counts, compare

DAY = date(2025, 6, 2)
KEY = (1000000001, DAY)
SUMS = st.dictionaries(st.sampled_from(["counts", "sales"]), st.none() | st.integers(-99, 99).map(Decimal))
COUNTS = st.builds(Counts, st.integers(0, 99), SUMS)
BATCHES = st.dictionaries(st.tuples(st.integers(1, 3), st.dates(DAY, date(2025, 6, 4))), COUNTS)


def test_none_adds_nothing_and_two_nones_stay_none() -> None:
    one = Counts(1, {"counts": Decimal(2), "sales": None, "only": Decimal("0.1")})
    other = Counts(2, {"counts": None, "sales": None})
    assert one + other == Counts(3, {"counts": Decimal(2), "only": Decimal("0.1"), "sales": None})


def test_sums_are_exact() -> None:
    cent = Counts(1, {"sales": Decimal("0.1")})
    assert (cent + cent + cent).sums["sales"] == Decimal("0.3")


@given(COUNTS, COUNTS, COUNTS)
def test_the_order_of_parts_does_not_matter(one: Counts, other: Counts, third: Counts) -> None:
    assert one + other == other + one
    assert (one + other) + third == one + (other + third)


@given(BATCHES)
def test_what_athena_counts_alike_is_equal(batches: dict[tuple[int, date], Counts]) -> None:
    comparisons = compare(batches, dict(batches))
    assert [(each.app_id, each.day) for each in comparisons] == sorted(batches)
    assert all(each.equal for each in comparisons)


@pytest.mark.parametrize(
    ("expected", "counted", "difference"),
    [
        (Counts(2, {}), Counts(1, {}), "2 rows expected, 1 in Athena"),
        (Counts(1, {"sales": Decimal(1)}), Counts(1, {"sales": None}), "sales: 1 expected, None in Athena"),
        (Counts(1, {"sales": None}), Counts(1, {"sales": Decimal(0)}), "sales: None expected, 0 in Athena"),
        (
            Counts(1, {"sales": Decimal(1), "counts": Decimal(3)}),
            Counts(2, {"sales": Decimal(2), "counts": Decimal(3)}),
            "1 rows expected, 2 in Athena; sales: 1 expected, 2 in Athena",
        ),
    ],
)
def test_every_difference_is_told(expected: Counts, counted: Counts, difference: str) -> None:
    (comparison,) = compare({KEY: expected}, {KEY: counted})
    assert comparison == Comparison(*KEY, expected.rows, counted.rows, difference)
    assert not comparison.equal


def test_a_batch_on_one_side_only_is_a_difference() -> None:
    other = (1000000002, DAY)
    lost, doubled = compare({KEY: Counts(3, {})}, {other: Counts(4, {})})
    assert (lost.app_id, lost.difference) == (KEY[0], "3 rows expected, 0 in Athena")
    assert (doubled.app_id, doubled.difference) == (other[0], "0 rows expected, 4 in Athena")
