"""Errors as problem+json (RFC 9457): one sentence for a person, and the field that is wrong, if any."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from appstore_console.facts import ProblemDetails

PROBLEM_JSON = "application/problem+json"

_TITLES: Mapping[HTTPStatus, str] = {
    HTTPStatus.BAD_REQUEST: "The request is invalid",
    HTTPStatus.UNAUTHORIZED: "Not signed in",
    HTTPStatus.FORBIDDEN: "Not allowed",
    HTTPStatus.NOT_FOUND: "Not found",
    HTTPStatus.METHOD_NOT_ALLOWED: "Method not allowed",
    HTTPStatus.NOT_ACCEPTABLE: "Not acceptable",
    HTTPStatus.CONFLICT: "Conflict",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Too large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "Unsupported media type",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not available right now",
}


class Problem(Exception):
    """The request fails. `detail` is one sentence that says what to change, `field` the part of the request."""

    def __init__(self, status: HTTPStatus, detail: str, field: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.field = field

    @property
    def details(self) -> ProblemDetails:
        """The body of the response."""
        return ProblemDetails("about:blank", _TITLES[self.status], self.status.value, self.detail, self.field)

    def response(self) -> Response[str]:
        """The whole response. It must not be cached: the next request can succeed."""
        return Response(
            self.status.value, PROBLEM_JSON, json.dumps(asdict(self.details)), {"Cache-Control": "no-store"}
        )


def invalid(detail: str, field: str = "") -> Problem:
    """A request that cannot be answered as it is."""
    return Problem(HTTPStatus.BAD_REQUEST, detail, field)


def not_there(what: str) -> Problem:
    """Something that does not exist, or that this person must not see; the message is the same in both cases."""
    return Problem(HTTPStatus.NOT_FOUND, f"There is no {what}, or you cannot see it.")


def conflict(detail: str) -> Problem:
    """The request conflicts with the current state."""
    return Problem(HTTPStatus.CONFLICT, detail)


def unavailable(detail: str) -> Problem:
    """A service that the console depends on does not answer."""
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail)


_WORDS: Mapping[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "is unknown",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "date_parsing": "must be a date such as 2026-01-31",
    "date_type": "must be a date such as 2026-01-31",
    "date_from_datetime_parsing": "must be a date such as 2026-01-31",
    "date_from_datetime_inexact": "must be a date such as 2026-01-31",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "model_type": "must be a JSON object",
    "model_attributes_type": "must be a JSON object",
    "dict_type": "must be a JSON object",
    "json_invalid": "is not JSON",
    "string_pattern_mismatch": "does not match the pattern {pattern}",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "too_long": "must have at most {max_length} entries",
    "too_short": "must have at least {min_length} entries",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "enum": "must be one of {expected}",
    "literal_error": "must be one of {expected}",
}
"""pydantic's error types as sentences, with the violated limit."""
_WHOLE = {"body": "The body"}


def of_validation(errors: list[dict[str, Any]]) -> Problem:
    """The first error that pydantic found, as one sentence. It does not repeat the input."""
    first = errors[0]
    place = [str(each) for each in first["loc"] if each not in ("query", "path", "body", "header")]
    field = ".".join(place)
    context = first.get("ctx") or {}
    known = _WORDS.get(first["type"])
    said = known.format(**context) if known else str(context.get("error") or "is not valid")
    return invalid(f"{field or _WHOLE['body']} {said}.", field)
