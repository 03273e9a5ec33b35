import re
from datetime import UTC, datetime
from itertools import takewhile

import pytest

from appstore_analytics.contract import errors
from appstore_analytics.contract.errors import (
    ClaimHeld,
    NotReady,
    PermanentError,
    PipelineError,
    TransientError,
    leaves,
)

EXISTING = {
    name: found.__bases__[0].__name__
    for name, found in vars(errors).items()
    if isinstance(found, type) and issubclass(found, PipelineError)
}


def drawn() -> dict[str, str]:
    """Every class in the docstring's tree, with its parent."""
    parents, path = {}, ["Exception"]
    lines = (errors.__doc__ or "").split("\n\n")[1].splitlines()
    for line in lines:
        name = re.search(r"[A-Za-z]+", line)
        assert name is not None, line
        depth = len([*takewhile(lambda character: not character.isalpha(), line)]) // 4
        parents[name[0]] = path[depth - 1]
        path[depth:] = [name[0]]
    return parents


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    assert drawn() == EXISTING


@pytest.mark.parametrize("root", [TransientError, PermanentError, NotReady])
def test_leaves_are_the_errors_that_are_raised_below_a_root_sorted(root: type[PipelineError]) -> None:
    expected = tuple(sorted(name for name, parent in EXISTING.items() if parent == root.__name__))
    assert leaves(root) == expected
    assert expected


def test_the_leaves_of_the_root_are_those_of_its_branches() -> None:
    branches = (*leaves(TransientError), *leaves(PermanentError), *leaves(NotReady))
    assert leaves(PipelineError) == tuple(sorted(branches))
    assert len(set(branches)) == len(branches)


def test_not_ready_says_when_to_come_back() -> None:
    available_at = datetime(2025, 6, 2, 10, tzinfo=UTC)
    held = ClaimHeld("Another execution registers this app.", available_at)
    assert (str(held), held.available_at) == ("Another execution registers this app.", available_at)
