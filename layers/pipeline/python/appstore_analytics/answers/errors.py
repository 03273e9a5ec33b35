"""The reasons why a question has no answer, each with one sentence for the caller."""


class NoAnswer(Exception):
    """There is no answer; the message is one sentence that says what to change."""


class Refused(NoAnswer):
    """The question is invalid, or asks about something that does not exist. Nothing was done."""


class Unreachable(NoAnswer):
    """The pipeline cannot be reached: no such stack, another version of it, or no server at the address."""
