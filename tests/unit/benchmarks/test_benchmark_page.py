"""docs/benchmarks.md shows the kept results, and no others."""

import json

import pytest

from benchmarks.results import PAGE, RESULTS, page_with_results


def test_the_page_shows_the_kept_results() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page_with_results(page) == page, "run `.venv/bin/python -m benchmarks.results`"


@pytest.mark.parametrize("name", ["convert", "publish", "read", "tune", "cold_start", "seed"])
def test_every_kept_result_is_a_full_one_and_says_where_it_was_measured(name: str) -> None:
    about = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))["about"]
    assert about["quick"] is False
    assert about["machine"]["processor"]
    assert about["versions"]
