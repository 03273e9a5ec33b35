"""The end of a program on Ctrl-C. Standard library only, so that it is ready before anything slow is imported."""

import signal
import sys
from collections.abc import Callable
from types import FrameType

from workshop.ctrl_c import interrupted


def until_interrupted(run: Callable[[], int]) -> int:
    """The exit status of `run`; 130 with one sentence if Ctrl-C or SIGTERM ends it at any moment."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return run()
    except KeyboardInterrupt:
        sys.stdout.write("stopped; nothing is left running\n")
        return interrupted()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
