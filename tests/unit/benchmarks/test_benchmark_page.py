"""docs/benchmarks.md and docs/cost.md show exactly the stored results."""

import json
from pathlib import Path

import pytest

from benchmarks.results import COST, RESULTS, page_with_results, results_by_page

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.mark.parametrize(
    ("page", "results"), list(results_by_page().items()), ids=lambda value: getattr(value, "name", "")
)
def test_a_page_shows_its_kept_results(page: Path, results: list[Path]) -> None:
    text = page.read_text(encoding="utf-8")
    assert page_with_results(text, results) == text, "run `.venv/bin/python -m benchmarks.results`"


def test_every_kept_result_has_its_page() -> None:
    assert sorted(path for results in results_by_page().values() for path in results) == sorted(RESULTS.glob("*.json"))


@pytest.mark.parametrize("name", ["convert", "publish", "read", "tune", "cold_start", "seed", "calls", "cost"])
def test_every_kept_result_is_a_full_one_and_says_where_it_was_measured(name: str) -> None:
    about = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))["about"]
    assert about["quick"] is False
    assert about["machine"]["processor"]
    assert about["versions"]


def test_the_readme_and_the_page_of_cost_say_in_prose_what_was_counted() -> None:
    cost = json.loads(COST.read_text(encoding="utf-8"))
    readme, page = (" ".join((DOCS.parent / name).read_text("utf-8").split()) for name in ("README.md", "docs/cost.md"))
    assert f"${cost['fixed_usd']:.2f} a month and ${cost['per_100_apps_usd']:.2f} for every 100 apps" in readme
    assert f"70 apps cost ${cost['month_with_free_tiers_usd']:.2f} a month in all" in readme
    assert f"is $0.46 of the ${cost['per_100_apps_usd']:.2f}" in page
