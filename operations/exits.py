"""Exit statuses of the commands."""

from enum import IntEnum


class ExitStatus(IntEnum):
    """The exit statuses of manage.py."""

    GOOD = 0
    BAD = 1  # the command found a problem
    REFUSED = 2  # invalid request; nothing was done
    UNREACHABLE = 3  # AWS could not be reached
    INTERRUPTED = 130
