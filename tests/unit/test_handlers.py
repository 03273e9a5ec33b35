"""functions/ passes events to steps, or to the console's package, and decides nothing."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HANDLERS = sorted((ROOT / "functions").glob("*/handler.py"))
STEPS = ROOT / "layers" / "pipeline" / "python" / "appstore_analytics" / "steps"
CONSOLE = ROOT / "layers" / "console" / "python"


@pytest.mark.parametrize("path", HANDLERS, ids=lambda path: path.parent.name)
def test_a_handler_calls_what_it_names_and_decides_nothing(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert [ast.unparse(node.test) for node in ast.walk(tree) if isinstance(node, ast.If)] == []
    (named,) = re.findall(r"See (\S+\.py)\.", str(ast.get_docstring(_function(tree))))
    if (STEPS / f"{path.parent.name}.py").is_file():
        assert named == f"steps/{path.parent.name}.py"
    else:
        assert (CONSOLE / named).is_file()


def _function(tree: ast.Module) -> ast.FunctionDef:
    (found,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "handler"]
    return found
