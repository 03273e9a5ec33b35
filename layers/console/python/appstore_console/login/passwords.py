"""The rule of passwords: the template gives it to Cognito, and the login says it before Cognito is asked.

Asked first, so that a weak password is refused in the same words whether or not the address exists.
"""

SHORTEST = 12
LONGEST = 256
"""Cognito's own limit."""

_SYMBOLS = frozenset("^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+-")
"""What Cognito counts as symbols."""

RULE = f"A password has at least {SHORTEST} characters, among them a small and a capital letter, a digit and a symbol."


def is_strong(password: str) -> bool:
    """Whether Cognito takes this password."""
    return (
        SHORTEST <= len(password) <= LONGEST
        and any(map(str.islower, password))
        and any(map(str.isupper, password))
        and any(character in "0123456789" for character in password)
        and not _SYMBOLS.isdisjoint(password)
    )
