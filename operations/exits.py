"""How a command ends, for the shell and for the person."""

from enum import IntEnum


class ExitStatus(IntEnum):
    """The exit statuses of manage.py."""

    GOOD = 0
    BAD = 1  # the answer stands, and what was asked about is not well
    REFUSED = 2  # what was asked for makes no sense; nothing was done
    UNREACHABLE = 3  # AWS could not be asked
    INTERRUPTED = 130


class CommandError(Exception):
    """A command that has no answer: one sentence, and the exit status."""

    status = ExitStatus.REFUSED


class Refused(CommandError):
    """What was asked for makes no sense, or does not exist."""


class Unreachable(CommandError):
    """AWS cannot be reached, does not know us, or does not let us."""

    status = ExitStatus.UNREACHABLE
