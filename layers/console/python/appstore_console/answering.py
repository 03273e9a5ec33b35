"""Responses for API Gateway: the headers of every response, and problems as RFC 9457 describes them."""

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
"""Security headers of every response. No header allows other origins to read a response: there is no CORS."""

NO_STORE = {"Cache-Control": "no-store"}


def json_answer(status: HTTPStatus, facts: Mapping[str, Any], cookies: Sequence[str] = ()) -> Answer:
    """A response that must not be cached."""
    headers = {**GUARDS, **NO_STORE, "Content-Type": "application/json"}
    answer: Answer = {"statusCode": status.value, "headers": headers, "body": json.dumps(facts)}
    return {**answer, "cookies": list(cookies)} if cookies else answer


def empty_answer(cookies: Sequence[str] = ()) -> Answer:
    """An empty response: success without a body."""
    answer: Answer = {"statusCode": HTTPStatus.NO_CONTENT.value, "headers": {**GUARDS, **NO_STORE}}
    return {**answer, "cookies": list(cookies)} if cookies else answer


def problem(status: HTTPStatus, detail: str, field: str = "", cookies: Sequence[str] = ()) -> Answer:
    """An error as one sentence for a person, and the field of the request that caused it."""
    facts = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    answer = json_answer(status, {**facts, **({"field": field} if field else {})}, cookies)
    answer["headers"]["Content-Type"] = "application/problem+json"
    return answer
