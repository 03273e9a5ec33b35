"""How a command ends, for the shell."""

from enum import IntEnum


class ExitStatus(IntEnum):
    """The exit statuses of manage.py."""

    GOOD = 0
    BAD = 1  # there is an answer, and what was asked about is not well
    REFUSED = 2  # what was asked for makes no sense; nothing was done
    UNREACHABLE = 3  # AWS could not be asked
    INTERRUPTED = 130
