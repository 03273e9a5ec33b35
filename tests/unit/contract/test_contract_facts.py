import ast
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.contract.facts import EVERY_STEP, ConvertFacts, Facts, ListFacts, columns_of, row_of, totals
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.tables import APPSTORE_TABLES

STEPS = Path(__file__).resolve().parents[3] / "layers/pipeline/python/appstore_analytics/steps"
NOTING = ("runs.finish", "runs.note", "runs.note_landed", "runs.plan")
each_step = pytest.mark.parametrize("facts", EVERY_STEP, ids=lambda facts: facts.__name__)
texts = st.text("ab|é ", max_size=5)
VALUES = {bool: st.booleans(), int: st.integers(0, 10**12), str: texts, tuple: st.lists(texts).map(tuple)}


def as_dynamodb_has_it(value: Any) -> Any:
    """boto3 answers numbers as Decimal, and every list as a list."""
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    return value


def noted(facts: type[Facts]) -> st.SearchStrategy[Facts]:
    default = facts()
    kinds = {each.name: VALUES.get(type(getattr(default, each.name)), st.just(None)) for each in fields(facts)}
    kinds |= {name: st.dictionaries(texts, texts) for name in kinds if isinstance(getattr(default, name), dict)}
    return st.builds(facts, **kinds)


@given(st.sampled_from(EVERY_STEP).flatmap(noted))
def test_facts_are_read_as_they_were_noted(facts: Facts) -> None:
    record = {name: as_dynamodb_has_it(value) for name, value in facts.to_record().items()}
    assert type(facts).of({**record, "a fact of another step": 1}) == facts


@each_step
def test_what_was_not_noted_has_its_default(facts: type[Facts]) -> None:
    assert facts.of({}) == facts()


def test_two_steps_of_a_map_never_note_under_one_name() -> None:
    names: dict[MapName, list[str]] = defaultdict(list)
    for facts in EVERY_STEP:
        names[facts.map_name] += [each.name for each in fields(facts)]
    assert {map_name: twice for map_name, every in names.items() if (twice := _twice(every))} == {}


def test_a_name_is_one_column_and_one_total() -> None:
    assert _twice([total for total, _, _ in totals()]) == []
    for table in APPSTORE_TABLES:
        assert _twice([name for name, _ in table.columns]) == []


def _twice(names: list[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]


def test_a_row_has_the_columns_of_its_table() -> None:
    record = ConvertFacts(rows_raw=5, skipped_dates=("2026-11-20",)).to_record()
    row = row_of("instances", record)
    assert tuple(row) == tuple(name for name, _ in columns_of("instances"))
    assert (row["rows_raw"], row["skipped_dates"], row["segments"]) == (5, ["2026-11-20"], 0)


def test_facts_that_are_state_of_a_step_are_in_no_table() -> None:
    assert not {"listed", "empty", "known_refusals"} & row_of("report_requests", ListFacts().to_record()).keys()


@pytest.mark.parametrize("step", sorted(STEPS.glob("*.py")), ids=lambda path: path.stem)
def test_no_step_notes_a_fact_that_is_not_declared(step: Path) -> None:
    assert [*_loose_facts(ast.parse(step.read_text("utf-8")))] == []


def _loose_facts(tree: ast.AST) -> Iterator[str]:
    """Facts that `registry.runs` is given by name instead of `**facts.to_record()`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(NOTING):
            yield from (f"line {node.lineno}: {each.arg}" for each in node.keywords if each.arg)
