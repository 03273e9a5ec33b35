"""A person's id: Cognito's username, made of the e-mail address.

Cognito cannot remove a second factor, so a reset deletes the user and invites the address again. Its id stays, and
with it grants, views and lines of the audit log; they are even found again in a new pool. The access token has the id
as `username`. Cognito's `sub` would be different each time.
"""

import hashlib

_CHARACTERS = 32


def user_id_of(email: str) -> str:
    """The id of the person with this address, whatever its case."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()[:_CHARACTERS]
