"""docs/benchmarks.md and docs/cost.md show the kept results, and no others."""

import json
from pathlib import Path

import pytest

from benchmarks.results import RESULTS, page_with_results, results_by_page


@pytest.mark.parametrize(
    ("page", "results"), list(results_by_page().items()), ids=lambda value: getattr(value, "name", "")
)
def test_a_page_shows_its_kept_results(page: Path, results: list[Path]) -> None:
    text = page.read_text(encoding="utf-8")
    assert page_with_results(text, results) == text, "run `.venv/bin/python -m benchmarks.results`"


def test_every_kept_result_has_its_page() -> None:
    assert sorted(path for results in results_by_page().values() for path in results) == sorted(RESULTS.glob("*.json"))


@pytest.mark.parametrize("name", ["convert", "publish", "read", "cold_start", "calls", "cost"])
def test_every_kept_result_is_a_full_one_and_says_where_it_was_measured(name: str) -> None:
    about = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))["about"]
    assert about["quick"] is False
    assert about["machine"]["processor"]
    assert about["versions"]
