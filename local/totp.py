"""The codes of an authenticator app, for people without one: `python -m local.totp <key below the QR code>`.

RFC 6238 with the defaults of authenticators: SHA-1, six digits, thirty seconds.
"""

import base64
import binascii
import hashlib
import hmac
import struct
import sys
import time

_SECONDS = 30
_DIGITS = 6


def code(secret: str, at: float) -> str:
    """The current code; ValueError if the secret is not Base32."""
    text = secret.replace(" ", "").upper()
    try:
        key = base64.b32decode(text + "=" * (-len(text) % 8))
    except binascii.Error:
        raise ValueError(
            "This is not the key below the QR code, which has only letters and the digits 2 to 7."
        ) from None
    digest = hmac.new(key, struct.pack(">Q", int(at) // _SECONDS), hashlib.sha1).digest()
    offset = digest[-1] & 15
    (number,) = struct.unpack(">I", digest[offset : offset + 4])
    return f"{(number & 0x7FFFFFFF) % 10**_DIGITS:0{_DIGITS}}"


def main() -> None:
    """Print the code, or one sentence if the key is invalid."""
    if len(sys.argv) != 2:
        sys.exit("Pass the key below the QR code: python -m local.totp KEY")
    try:
        print(code(sys.argv[1], time.time()))  # noqa: T201 (the answer)
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
