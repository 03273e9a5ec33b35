"""The sizes of files and functions: small enough to read a file at once, and one task per function.

Ruff checks that no function is complex.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("layers/pipeline/python", "layers/console/python", "benchmarks", "functions", "infra", "local", "operations")
FILES = sorted(path for room in (*ROOMS, "workshop") for path in (ROOT / room).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
OF_THE_BROWSER = sorted(
    path
    for kind in ("*.js", "*.css")
    for path in (ROOT / "console").rglob(kind)
    if "node_modules" not in path.parts and path.name != "en.js"  # all words are in one file, to be translated
)
OF_DATA = ROOT / "layers" / "pipeline" / "python" / "appstore_analytics" / "contract" / "catalogue"
MOST_LINES_OF_A_FILE, MOST_LINES_OF_A_FUNCTION, MEDIAN_OF_FUNCTIONS = 400, 45, 6


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [*FILES, *TESTS, *OF_THE_BROWSER], ids=name_of)
def test_a_file_is_short_unless_it_is_data(path: Path) -> None:
    if path.parent != OF_DATA:
        lines = len(path.read_text("utf-8").splitlines())
        assert lines <= MOST_LINES_OF_A_FILE, f"{name_of(path)} has {lines} lines: give one of its subjects a file"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_function_is_long(path: Path) -> None:
    long = {name: lines for name, lines in _functions(path) if lines > MOST_LINES_OF_A_FUNCTION}
    assert long == {}, f"{name_of(path)}: move a part of what they do into a function with a name of its own"


def test_most_functions_are_a_few_lines() -> None:
    assert median(lines for path in FILES for _, lines in _functions(path)) <= MEDIAN_OF_FUNCTIONS


def _functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and lines of every function, without its signature and docstring."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            yield node.name, (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
