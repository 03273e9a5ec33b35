"""Which rows of `appstore.restatements` follow from a row of the restatement ledger."""

from typing import Any

import pytest

from appstore_analytics.rules.restatements import restatements_in

CORRECTED: dict[str, Any] = {
    "run_id": "20250610T090000000Z-daily",
    "table_name": "sessions",
    "date": "2025-06-02",
    "app_id": "1000000001",
    "processing_date": "2025-06-10",
    "instance_id": "new",
    "rows": 8,
    "sums": {"sessions": "120", "total_session_duration": "7000", "paying": None},
    "is_final": True,
    "replaced_processing_date": "2025-06-08",
    "replaced_instance_id": "old",
    "replaced_rows": 10,
    "replaced_sums": {"sessions": "150", "total_session_duration": "7000.000000", "paying": None},
    "replaced_is_final": True,
}


def numbers(**changes: Any) -> list[tuple[str, str | None, str | None, str]]:
    found = restatements_in({**CORRECTED, **changes})
    return [(row["measure"], row["replaced_value"], row["value"], row["cause"]) for row in found]


def test_each_measure_whose_total_is_another_is_told_with_both_totals() -> None:
    assert numbers() == [("rows", "10", "8", "restated"), ("sessions", "150", "120", "restated")]


def test_a_row_says_of_which_batch_it_is() -> None:
    (row, _) = restatements_in(CORRECTED)
    assert {name: row[name] for name in ("run_id", "table_name", "date", "app_id")} == {
        name: CORRECTED[name] for name in ("run_id", "table_name", "date", "app_id")
    }
    assert (row["replaced_processing_date"], row["processing_date"]) == ("2025-06-08", "2025-06-10")


@pytest.mark.parametrize("was_final", [False, None])
def test_a_date_that_was_not_final_grows_and_is_not_restated(was_final: bool | None) -> None:
    assert numbers(replaced_is_final=was_final) == []


def test_a_row_of_an_earlier_version_does_not_say_whether_it_was_final() -> None:
    earlier = {name: value for name, value in CORRECTED.items() if name != "replaced_is_final"}
    assert list(restatements_in(earlier)) == []


def test_the_same_numbers_from_a_newer_file_are_no_restatement() -> None:
    assert numbers(rows=10, sums={"sessions": "150.0", "total_session_duration": "7000"}) == []


def test_a_measure_that_appears_or_vanishes_has_no_number_on_the_other_side() -> None:
    sums = {"sessions": "150", "paying": "3"}
    assert numbers(rows=10, sums=sums) == [
        ("total_session_duration", "7000.000000", None, "restated"),
        ("paying", None, "3", "restated"),
    ]


@pytest.mark.parametrize(
    ("now", "cause"),
    [
        ({"instance_id": "old", "processing_date": "2025-06-08"}, "reprocessed"),
        ({"instance_id": "older", "processing_date": "2025-06-07"}, "taken back"),
        ({"instance_id": "twin", "processing_date": "2025-06-08"}, "restated"),
    ],
)
def test_the_file_says_who_changed_it(now: dict[str, str], cause: str) -> None:
    assert {each[3] for each in numbers(**now)} == {cause}


def test_a_date_that_was_taken_out_has_no_numbers_left() -> None:
    gone = {"instance_id": None, "processing_date": None, "rows": 0, "sums": None, "is_final": None}
    assert numbers(**gone) == [
        ("rows", "10", None, "taken back"),
        ("sessions", "150", None, "taken back"),
        ("total_session_duration", "7000.000000", None, "taken back"),
    ]
