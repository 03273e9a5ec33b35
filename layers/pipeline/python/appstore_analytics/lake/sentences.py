"""Quoting of Apple's text in a sentence."""

_SHOWN_CHARACTERS = 120


def shown(text: str) -> str:
    """The text, shortened to 120 characters, because the sentence goes into states, logs and alarms."""
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
