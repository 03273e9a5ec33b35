"""DynamoDB keys are built and parsed in registry/keys.py and nowhere else."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers/pipeline/python/appstore_analytics"
HOMES = {
    PACKAGE / "registry/keys.py",
    PACKAGE / "contract/layout.py",  # RUN_PARTITION, which the state machine writes as well
    PACKAGE / "model/former_state.py",  # sort keys in events of the version before
    ROOT / "infra/console/live.py",  # filters the table's stream by RUN_PARTITION
    ROOT / "infra/state_machine.py",  # writes an item's failure under RUN_PARTITION and the event's `record`
    ROOT / "benchmarks/usage/counting.py",  # counts the writes of each key, whatever it is
}
ROOMS = ("layers/pipeline/python", "functions", "infra", "operations", "benchmarks", "local")
KEY = re.compile(r"(APP|BUDGET|DIRTY|INSTANCE|PART|REFUSED|REQUEST|RUN|WAIT)#")


def _built_keys(text: str) -> Iterator[int]:
    """The lines that spell a key, or read a part of one."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and KEY.match(node.value):
            yield node.lineno
        if isinstance(node, ast.Dict) and {"pk", "sk"} & {getattr(key, "value", None) for key in node.keys}:
            yield node.lineno
        if isinstance(node, ast.Subscript) and getattr(node.slice, "value", None) in ("pk", "sk"):
            yield node.lineno


def _sources() -> list[Path]:
    return sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py") if path not in HOMES)


@pytest.mark.parametrize("path", _sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_other_module_builds_or_parses_a_key(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    assert [lines[number - 1].strip() for number in _built_keys(text)] == []


def test_the_search_finds_what_it_is_for() -> None:
    text = 'a = {"pk": x}\nb = f"APP#{y}"\nc = item["sk"]\nd = "INSTANCE#"\n'
    assert sorted(_built_keys(text)) == [1, 2, 3, 4]
