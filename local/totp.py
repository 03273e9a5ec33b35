"""The codes of an authenticator app, for who has none at hand: `python -m local.totp <key below the QR code>`.

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
    """The code of this moment; ValueError where the secret is no Base32."""
    text = secret.replace(" ", "").upper()
    try:
        key = base64.b32decode(text + "=" * (-len(text) % 8))
    except binascii.Error:
        raise ValueError("The key is not the one below the QR code: it has letters and the digits 2 to 7.") from None
    digest = hmac.new(key, struct.pack(">Q", int(at) // _SECONDS), hashlib.sha1).digest()
    offset = digest[-1] & 15
    (number,) = struct.unpack(">I", digest[offset : offset + 4])
    return f"{(number & 0x7FFFFFFF) % 10**_DIGITS:0{_DIGITS}}"


def main() -> None:
    """Print the code; one sentence where the key is none."""
    if len(sys.argv) != 2:
        sys.exit("Give the key below the QR code: python -m local.totp KEY")
    try:
        print(code(sys.argv[1], time.time()))  # noqa: T201 (the answer)
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
