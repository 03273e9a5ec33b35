"""The password rule: the template configures Cognito with it, and the login checks it before it calls Cognito.

Because of that check, a weak password gets the same answer whether or not the address exists.
"""

SHORTEST = 12
LONGEST = 256
"""Cognito's own limit."""

_SYMBOLS = frozenset("^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+-")
"""The characters that Cognito counts as symbols."""

RULE = f"A password has at least {SHORTEST} characters, with a lower-case letter, a capital, a digit and a symbol."


def is_strong(password: str) -> bool:
    """Whether Cognito accepts this password."""
    return (
        SHORTEST <= len(password) <= LONGEST
        and any(map(str.islower, password))
        and any(map(str.isupper, password))
        and any(character in "0123456789" for character in password)
        and not _SYMBOLS.isdisjoint(password)
    )
