"""PostgreSQL's verifier of a password (SCRAM-SHA-256, RFC 5803), computed here so that the password is never sent."""

import base64
import hashlib
import hmac
import secrets

_ITERATIONS = 4096  # PostgreSQL's default
_SALT_BYTES = 16


def verifier(password: str, salt: bytes = b"") -> str:
    """The text that `PASSWORD '…'` accepts in place of an ASCII password."""
    salt = salt or secrets.token_bytes(_SALT_BYTES)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, _ITERATIONS)
    stored = hashlib.sha256(_mac(salted, b"Client Key")).digest()
    server = _mac(salted, b"Server Key")
    return f"SCRAM-SHA-256${_ITERATIONS}:{_text(salt)}${_text(stored)}:{_text(server)}"


def _mac(key: bytes, words: bytes) -> bytes:
    return hmac.new(key, words, hashlib.sha256).digest()


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
