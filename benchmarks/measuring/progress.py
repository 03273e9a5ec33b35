"""What is being measured now, in one line of the terminal that gives way to the next; nothing where there is none.

No thread draws it: the cores belong to what is measured.
"""

import shutil
import sys

_CLEAR_LINE = "\r\x1b[K"


def say(text: str) -> None:
    """Show `text` in the place of what was shown before; an empty one takes it away."""
    if sys.stderr.isatty():
        sys.stderr.write(_CLEAR_LINE + text[: shutil.get_terminal_size().columns - 1])
        sys.stderr.flush()
