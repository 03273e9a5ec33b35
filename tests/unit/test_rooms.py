"""Rules that import contracts cannot express: external names in the code, and where they are allowed."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "layers" / "pipeline" / "python" / "appstore_analytics"
OPERATIONS = ROOT / "operations"
READ_A_SECRET = {PACKAGE / "apple" / "keys.py", PACKAGE / "slack" / "webhook.py"}
KNOW_SECRETS_MANAGER = READ_A_SECRET | {
    PACKAGE / "answers" / "installation.py",  # the client with which put-key stores
    PACKAGE / "wiring" / "connections.py",
    OPERATIONS / "doctor" / "names.py",  # asks whether a name is taken
    OPERATIONS / "put_key.py",
    OPERATIONS / "where.py",
}
SPEAKS_TO_AWS = (
    *(PACKAGE / room for room in ("answers", "apple", "athena", "lake", "registry", "slack", "wiring")),
    OPERATIONS,
)
VALUES = frozenset(
    {"buffer", "context", "data", "entry", "facts", "found", "missing", "node", "payload", "target", "text", "update"}
    | {"value", "values"}
)
"""Arguments for JSON, DynamoDB items, buffers or a Lambda's context, but never for a client or a table."""

THE_CLOCK = PACKAGE / "wiring" / "clock.py"
READS_OF_A_CLOCK = frozenset(
    {"date.today", "datetime.now", "datetime.today", "datetime.utcnow", "time.time", "time.time_ns"}
)


def _files(*folders: Path) -> list[Path]:
    files = [path for folder in folders for path in folder.rglob("*.py")]
    assert len(files) > len(folders)
    return files


def _files_with(word: str) -> set[Path]:
    return {path for path in _files(PACKAGE, ROOT / "functions", OPERATIONS) if word in path.read_text("utf-8")}


def test_secrets_manager_is_known_by_name() -> None:
    assert _files_with("secretsmanager") == KNOW_SECRETS_MANAGER


def test_a_secret_is_read_by_those_alone_who_use_it() -> None:
    assert _files_with("get_secret_value") == READ_A_SECRET


@pytest.mark.parametrize("path", _files(*SPEAKS_TO_AWS), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_client_and_no_table_is_without_a_type(path: Path) -> None:
    """mypy does not check `Any`; boto3's stubs have types for every client."""
    untyped = {
        name for name, kind in _annotations(ast.parse(path.read_text("utf-8"))) if kind == "Any" and name not in VALUES
    }
    assert untyped == set()


@pytest.mark.parametrize(
    "path", _files(PACKAGE, ROOT / "functions", OPERATIONS), ids=lambda path: str(path.relative_to(ROOT))
)
def test_the_time_is_read_by_the_one_clock(path: Path) -> None:
    """Code that needs the time gets a clock (model/clock.py), or uses `registry.clock()`."""
    lines = [line for line in _reads_the_time(ast.parse(path.read_text("utf-8"))) if path != THE_CLOCK]
    assert lines == [], f"{path.name} reads this machine's clock: take `now`, a `Clock` or `registry.clock()` instead"


def test_the_one_clock_is_found_by_how_it_reads_the_time() -> None:
    assert [*_reads_the_time(ast.parse(THE_CLOCK.read_text("utf-8")))] != []


def test_what_imports_the_package_sees_its_types() -> None:
    assert (PACKAGE / "py.typed").is_file()


def test_mypy_reads_every_module_of_the_cdk_that_is_imported() -> None:
    """What it skips has type `Any`, so a mistake in its use would not be found."""
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mypy"]["overrides"]
    (read,) = (each["module"] for each in overrides if each.get("follow_imports") == "normal")
    imported = {name for path in _files(ROOT / "infra") for name in _of_the_cdk(ast.parse(path.read_text("utf-8")))}
    assert {*read} == imported | {"aws_cdk", "aws_cdk._jsii"}


def _of_the_cdk(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "aws_cdk":
            yield from (f"aws_cdk.{each.name}" for each in node.names if each.name.startswith("aws_"))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("aws_cdk."):
            yield str(node.module)


def _reads_the_time(tree: ast.AST) -> Iterator[int]:
    """The lines that read this machine's time or day; a stopwatch (`monotonic`) is allowed."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ".".join(ast.unparse(node).split(".")[-2:]) in READS_OF_A_CLOCK:
            yield node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (node.lineno for name in node.names if name.name in ("time", "time_ns"))


def _annotations(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Name and type of every argument and every annotated variable or attribute."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation:
            yield node.arg, ast.unparse(node.annotation)
        elif isinstance(node, ast.AnnAssign):
            yield ast.unparse(node.target), ast.unparse(node.annotation)
