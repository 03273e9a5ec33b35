"""Statements of the prose about verdicts, errors, keys and items, against the code."""

import re

import pytest

from appstore_analytics.contract import layout
from appstore_analytics.contract.errors import NotReady, PermanentError, PipelineError, TransientError, leaves
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.registry import keys
from appstore_analytics.rules.call_budget import ceiling
from infra.functions import CAPACITIES
from tests.unit.docs.reading_docs import ROOT, code_words, rows

ARCHITECTURE = ROOT / "docs" / "architecture.md"
OPERATIONS = ROOT / "docs" / "operations.md"


def test_every_verdict_is_explained_with_whether_it_fails_the_run() -> None:
    explained: dict[str, bool] = {}
    for words, fails, *_ in rows(OPERATIONS, "verdict"):
        for word in re.findall(r"[a-z ]+", words.replace("`", "")):
            if word.strip():
                explained[word.strip()] = fails.startswith("yes")
    assert explained == {verdict.value: verdict.is_failure for verdict in Verdict}


@pytest.mark.parametrize("root", [TransientError, PermanentError, NotReady])
def test_every_error_is_listed_below_what_happens_to_it(root: type[PipelineError]) -> None:
    listed = {cells[0]: tuple(re.findall(r"\w+", cells[2])) for cells in rows(ARCHITECTURE, "class")}
    assert listed[root.__name__] == leaves(root)


def test_every_prefix_of_the_lake_appears_in_the_way_of_a_segment() -> None:
    prefixes = {value for name, value in vars(layout).items() if name.endswith("_PREFIX")}
    words = code_words(ARCHITECTURE)
    assert [prefix for prefix in prefixes if not any(word.startswith(prefix) for word in words)] == []


def test_every_item_of_the_registry_appears_in_the_way_of_a_segment() -> None:
    partitions = re.findall(r"^([A-Z]+)(?:#|\s)", str(keys.__doc__), re.MULTILINE)
    assert len(partitions) >= 6
    words = code_words(ARCHITECTURE)
    assert [name for name in partitions if not any(re.match(rf"{name}(#|$)", word) for word in words)] == []


def test_every_function_appears_in_the_way_of_a_segment_in_order() -> None:
    text = ARCHITECTURE.read_text(encoding="utf-8")
    numbered = re.findall(r"^\d+\. \*\*(\w+)\*\*", text, re.MULTILINE)
    assert sorted(numbered) == sorted(CAPACITIES)


def test_a_backfill_may_use_half_as_the_docs_say() -> None:
    assert ceiling(3500, Operation.DAILY) == 3395
    assert ceiling(3500, Operation.BACKFILL) == ceiling(3500, Operation.DAILY) // 2
