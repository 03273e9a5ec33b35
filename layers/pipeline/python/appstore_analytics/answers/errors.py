"""Why a question has no answer: one sentence each, for whatever asks."""


class NoAnswer(Exception):
    """There is no answer; the text is one sentence that says what to change."""


class Refused(NoAnswer):
    """The question is invalid, or asks about something that does not exist. Nothing was done."""


class Unreachable(NoAnswer):
    """AWS cannot be asked: no such stack, another version of it, or nothing listens."""
