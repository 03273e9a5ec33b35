"""Enrollment of an authenticator: the URI in a QR code, and the code itself, drawn here.

The secret leaves the console only in this picture: no other service draws it, and it is never in a URL.
"""

from urllib.parse import quote, urlencode

import segno

ISSUER = "App Store Analytics"


def otpauth(secret: str, email: str) -> str:
    """The URI that authenticators read, with their defaults: SHA-1, six digits, thirty seconds."""
    label = quote(f"{ISSUER}:{email}")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': ISSUER}, quote_via=quote)}"


def qr_modules(text: str) -> list[list[int]]:
    """The QR code row by row, 1 for a dark module, with the quiet zone that scanners need."""
    return [[int(module) for module in row] for row in segno.make(text, error="m", micro=False).matrix_iter(border=4)]
