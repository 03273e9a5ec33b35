"""An answer to API Gateway: the headers that every answer has, and problems in the words of RFC 9457."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

Answer = dict[str, Any]
"""A response in API Gateway's payload format 2.0."""

GUARDS: Mapping[str, str] = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What every answer tells a browser not to do with it. No header lets another origin read one: there is no CORS."""

NO_STORE = {"Cache-Control": "no-store"}


def json_answer(status: HTTPStatus, facts: Mapping[str, Any], cookies: Sequence[str] = ()) -> Answer:
    """An answer that no cache keeps."""
    headers = {**GUARDS, **NO_STORE, "Content-Type": "application/json"}
    answer: Answer = {"statusCode": status.value, "headers": headers, "body": json.dumps(facts)}
    return {**answer, "cookies": list(cookies)} if cookies else answer


def empty_answer(cookies: Sequence[str] = ()) -> Answer:
    """Done, and nothing to say."""
    answer: Answer = {"statusCode": HTTPStatus.NO_CONTENT.value, "headers": {**GUARDS, **NO_STORE}}
    return {**answer, "cookies": list(cookies)} if cookies else answer


def problem(status: HTTPStatus, detail: str, field: str = "", cookies: Sequence[str] = ()) -> Answer:
    """What went wrong in one sentence for a person, and which field of the request it is about."""
    facts = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    answer = json_answer(status, {**facts, **({"field": field} if field else {})}, cookies)
    answer["headers"]["Content-Type"] = "application/problem+json"
    return answer
