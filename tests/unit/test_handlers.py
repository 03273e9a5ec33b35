"""functions/ hands events to steps; what is decided is decided there."""

import ast
from pathlib import Path

import pytest

HANDLERS = sorted((Path(__file__).parents[2] / "functions").glob("*/handler.py"))


@pytest.mark.parametrize("path", HANDLERS, ids=lambda path: path.parent.name)
def test_a_handler_calls_its_step_and_decides_nothing(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert [ast.unparse(node.test) for node in ast.walk(tree) if isinstance(node, ast.If)] == []
    assert f"See steps/{path.parent.name}.py." in str(ast.get_docstring(_function(tree)))


def _function(tree: ast.Module) -> ast.FunctionDef:
    (found,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "handler"]
    return found
