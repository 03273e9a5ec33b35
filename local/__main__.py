"""`python -m local`: the demo. ./quick_start.sh calls it."""

import signal
import sys
from types import FrameType

from local.arguments import parse_arguments
from local.demo import run_demo
from local.deployment import DeploymentError
from local.screens import say


def main() -> int:
    """Run the demo; 0 when everything is as it should be, 130 after Ctrl-C."""
    signal.signal(signal.SIGTERM, _interrupt)
    arguments = parse_arguments(sys.argv[1:])
    try:
        return 1 if run_demo(arguments) else 0
    except DeploymentError as error:
        say(str(error), style="red")
        return 1
    except KeyboardInterrupt:
        say("stopped; nothing is left running")
        return 130


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
