"""The requests that /auth accepts: a small JSON object of strings, marked as sent by the console's own page."""

import base64
import binascii
import json
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

MARK = ("x-requested-with", "console")
"""A header that forms cannot send, and that scripts of other origins could send only with CORS, which is off."""

COOKIE = "console_refresh"
_MOST_BYTES = 16_384
_LONGEST: Mapping[str, int] = {"email": 254, "password": 256, "code": 16, "session": 4096}


class BadRequest(Exception):
    """The request was not sent by the console's page; the sentence says what is wrong with it."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


def is_marked(headers: Mapping[str, str]) -> bool:
    """Whether the console's own page sent it: a second protection besides the SameSite cookie."""
    name, value = MARK
    return headers.get(name) == value


def read_body(event: Mapping[str, Any], fields: tuple[str, ...]) -> list[str]:
    """The values of these fields; BadRequest if one is missing, not a string, empty or too long."""
    content = _bytes_of(event)
    if len(content) > _MOST_BYTES:
        raise BadRequest("The request is too large.")
    try:
        body = json.loads(content or b"{}")
    except ValueError:
        raise BadRequest("The request is not JSON.") from None
    if not isinstance(body, dict):
        raise BadRequest("The request is not a JSON object.")
    return [_text(body, field) for field in fields]


def refresh_token_of(event: Mapping[str, Any]) -> str:
    """The refresh token in the cookie; empty without one."""
    for cookie in event.get("cookies") or ():
        try:
            found = SimpleCookie(cookie).get(COOKIE)
        except CookieError:
            continue
        if found:
            return found.value
    return ""


def _bytes_of(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(body).encode()
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        raise BadRequest("The request is not JSON.") from None


def _text(body: Mapping[str, Any], field: str) -> str:
    value = body.get(field)
    if not isinstance(value, str) or not value.strip():
        raise BadRequest(f"'{field}' is missing.", field)
    value = value if field == "password" else value.strip()
    if len(value) > _LONGEST[field] or not value.isprintable():
        raise BadRequest(f"'{field}' is too long, or has control characters.", field)
    return value
