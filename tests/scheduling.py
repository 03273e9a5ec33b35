"""How xdist hands out the tests: a file to a worker, and every file with the shared stack to the same worker.

The end-to-end tests come first, as their folder does by name. The short unit tests at the end keep both workers busy.
"""

import re
from functools import cache
from pathlib import Path

from xdist.scheduler import LoadFileScheduling

END_TO_END = Path(__file__).parent / "e2e"
_SHARED_STACK = re.compile(r"\bdeployed: Deployed\b")


class OneDeployment(LoadFileScheduling):
    """Otherwise each worker would deploy the session's stack for itself."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


def scope_of(nodeid: str) -> str:
    """The tests of one scope run in one worker, one after the other."""
    file = nodeid.partition("::")[0]
    return "the shared stack" if file.rpartition("/")[2] in _with_the_shared_stack() else file


@cache
def _with_the_shared_stack() -> set[str]:
    return {path.name for path in END_TO_END.glob("test_*.py") if _SHARED_STACK.search(path.read_text("utf-8"))}
