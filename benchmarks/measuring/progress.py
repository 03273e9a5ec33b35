"""The current measurement in one line of the terminal, which the next one replaces; nothing without a terminal.

No thread draws it: all cores are reserved for the measurement.
"""

import shutil
import sys

_CLEAR_LINE = "\r\x1b[K"


def say(text: str) -> None:
    """Show `text` in place of the previous one; an empty text removes it."""
    if sys.stderr.isatty():
        sys.stderr.write(_CLEAR_LINE + text[: shutil.get_terminal_size().columns - 1])
        sys.stderr.flush()
