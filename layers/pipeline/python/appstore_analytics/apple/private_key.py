"""Reads the private key that a person put into a secret.

Unambiguous variants are accepted: a byte order mark, line ends written as `\\n`, a key on one line, the base64 of the
key without its BEGIN and END lines, the base64 of the whole .p8 file. Anything else is refused with the reason.
"""

import base64
import binascii
import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

_ARMOUR = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_BEGIN = "-----BEGIN "
_LABELS = ("PRIVATE KEY", "EC PRIVATE KEY")
_WRITTEN_LINE_ENDS = ("\\r", "\\n")  # two characters each: base64 has no backslash
_FILE_NAME = re.compile(r"\S+\.p8")
_INVISIBLE = "\ufeff\u200b\u00a0 \t\r\n"
_MOJIBAKE_OF_A_MARK = "\u00ef\u00bb\u00bf"  # the UTF-8 byte order mark, read as Latin-1


class PrivateKeyRefusedError(Exception):
    """The text is not a private key from Apple; the message describes it without repeating any part of it."""


def trimmed(text: str) -> str:
    """The text without byte order marks, blanks and line ends around it."""
    return text.strip(_INVISIBLE).removeprefix(_MOJIBAKE_OF_A_MARK).strip(_INVISIBLE)


def read_private_key(text: object) -> EllipticCurvePrivateKey:
    """The P-256 key in a secret's `private_key`; PrivateKeyRefusedError describes what the field contains instead."""
    if not isinstance(text, str) or not trimmed(text):
        raise PrivateKeyRefusedError("is missing")
    key = _loaded(_der(_with_line_ends(trimmed(text))))
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise PrivateKeyRefusedError("is a key of another kind, not of the curve P-256")
    return key


def _with_line_ends(text: str) -> str:
    for written in _WRITTEN_LINE_ENDS:
        text = text.replace(written, "\n")
    return text


def _der(text: str) -> bytes:
    """The binary form of the key, without its encoding."""
    if _FILE_NAME.fullmatch(text):
        raise PrivateKeyRefusedError("is the name of a file")
    if _BEGIN not in text:
        unwrapped = _from_base64(text)
        if not unwrapped.startswith(_BEGIN.encode()):
            return unwrapped
        text = unwrapped.decode("ascii", errors="replace")
    armour = _ARMOUR.search(text)
    if armour is None:
        raise PrivateKeyRefusedError("is cut off: its END line is missing")
    if armour[1] not in _LABELS:
        raise PrivateKeyRefusedError("is not a private key, or is locked with a password")
    return _from_base64(armour[2])


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise PrivateKeyRefusedError("is not a key, or one with characters missing") from None


def _loaded(der: bytes) -> object:
    try:
        return load_der_private_key(der, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise PrivateKeyRefusedError("cannot be read: characters are missing or changed") from None
