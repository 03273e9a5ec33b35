"""Every reason says what happened and what to do next."""

import ast
import re
from collections.abc import Iterator

import pytest

from appstore_analytics.contract.errors import NotReady, PermanentError, TransientError, leaves
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.model.items import ItemRecord
from appstore_analytics.rules.verdicts import item_reason
from tests.unit.docs.reading_docs import PACKAGE

ADDED = ("AppleRefused", "InstanceQuarantined", "QueryFailed")
"""Permanent errors whose sentences say only what happened: the next step is appended."""

NEXT_STEP = re.compile(
    r"\b(accept|add|again|ask|correct|deploy|fetch|give|heals|keep|leave|must|name|put|raise|remove|reprocess|roll|run|"
    r"runs|says what brings|start|stores|take|takes|try|use|wait|nothing (left )?to)\b"
)
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
CALLS = [
    (f"{path.relative_to(PACKAGE)}:{node.lineno}", ast.unparse(node.func).rpartition(".")[2], node)
    for path, tree in TREES.items()
    for node in ast.walk(tree)
    if isinstance(node, ast.Call)
]
NAMED = {
    name: node
    for tree in TREES.values()
    for node in tree.body
    for name in (
        [target.id for target in node.targets if isinstance(target, ast.Name)]
        if isinstance(node, ast.Assign)
        else [getattr(node, "name", "")]
    )
}
"""Constants and functions of all modules, in which sentences are."""

WRAPPED = "App Store Connect does not know the requested resource"
"""Errors of requests for which the caller adds the subject and the next step."""


def _texts(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value
        elif isinstance(each, ast.Name) and each.id in NAMED:
            yield from (one.value for one in ast.walk(NAMED[each.id]) if _is_text(one))


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _calls(*names: str) -> Iterator[tuple[str, ast.Call]]:
    return ((place, call) for place, name, call in CALLS if name in names)


def _errors() -> list[tuple[str, str]]:
    names = [name for name in leaves(PermanentError) if name not in ADDED]
    sentences = [(place, "".join(map(_text, call.args))) for place, call in _calls(*names)]
    return [(place, text) for place, text in sentences if text.strip() and not text.startswith(WRAPPED)]


def _text(node: ast.AST) -> str:
    return "".join(_texts(node))


def _ends() -> list[tuple[str, str]]:
    """The reasons with which steps end an item: their own, and those that rules give with a verdict."""
    own = ((place, _text(call.args[2])) for place, call in _calls("finish") if len(call.args) > 2)
    return [(place, text) for place, text in (*own, *_given()) if text and "differ" not in text]


def _given() -> Iterator[tuple[str, str]]:
    tree = TREES[PACKAGE / "rules" / "due.py"]
    for node in ast.walk(tree):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
            yield f"rules/due.py:{node.lineno}", _text(node.value.elts[1])


def test_there_are_reasons_to_read() -> None:
    assert len(_errors()) > 40
    assert len(_ends()) > 5


@pytest.mark.parametrize(("place", "sentence"), [*_errors(), *_ends()], ids=lambda value: value[:60])
def test_a_sentence_names_the_next_step(place: str, sentence: str) -> None:
    assert NEXT_STEP.search(sentence), f"{place}: {sentence}"


@pytest.mark.parametrize("error", [*leaves(TransientError), *ADDED])
def test_an_error_that_says_only_what_happened_is_followed_by_the_next_step(error: str) -> None:
    record = ItemRecord("LAND#1#x", {}, None, '{"errorMessage": "It happened."}', error)
    reason = item_reason(record)
    assert reason.startswith("It happened.")
    assert error == "KeyDoubted" or NEXT_STEP.search(reason.removeprefix("It happened."))


@pytest.mark.parametrize(
    "error", ["", "Lambda.Unknown", "States.Timeout", "Sandbox.Timedout", "KeyError", "ClientError"]
)
def test_whatever_ended_an_item_without_a_word_leaves_it_to_the_next_run_and_names_the_log(error: str) -> None:
    reason = item_reason(ItemRecord("LAND#1#x", {}, None, "", error))
    assert reason.endswith("The next run continues with it; see the log of its function.")


@pytest.mark.parametrize("verdict", [Verdict.QUARANTINED, Verdict.MISMATCH])
def test_a_verdict_without_an_error_is_followed_by_the_next_step(verdict: Verdict) -> None:
    assert NEXT_STEP.search(item_reason(ItemRecord("LAND#1#x", {}, verdict, "It differs.")))


def test_nothing_is_added_where_there_is_nothing_to_say() -> None:
    assert item_reason(ItemRecord("LAND#1#x", {}, Verdict.CONVERTED, "")) == ""
    assert item_reason(ItemRecord("LAND#1#x", {}, Verdict.UNCHANGED, "It is as it was.")) == "It is as it was."


def test_waiting_is_no_end() -> None:
    assert not set(leaves(NotReady)) & set(ADDED)
