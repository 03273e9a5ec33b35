"""One request of the gateway, parsed once and checked before it is used.

Source: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs", payload format 2.0.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from appstore_console.http.problems import Problem, invalid

MOST_BODY_BYTES = 65_536
_DEEPEST = 16
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Incoming:
    """Method, path below the API's root, parameters, headers in lower case, claims of the token, and the JSON body.

    `principal` is the ARN of the caller who invoked the function directly, with AWS credentials (`./manage.py users`).
    The gateway writes `requestContext` and has no IAM authorizer, so it is empty for requests from there.
    """

    method: str
    path: str
    query: str
    parameters: frozenset[str]
    headers: Mapping[str, str]
    claims: Mapping[str, Any]
    request_id: str
    body: Any
    principal: str = ""

    @property
    def user_id(self) -> str:
        """The person's id from the token; empty without a token. It is derived from the address (user_ids.py)."""
        username = self.claims.get("username", "")
        return username if isinstance(username, str) else ""


def read_event(event: Mapping[str, Any], root: str) -> Incoming:
    """The request in an event; Problem if its body is too large, not JSON, or of another type."""
    context = event["requestContext"]
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    authorizer = context.get("authorizer") or {}
    claims = authorizer.get("jwt", {}).get("claims") or {}
    return Incoming(
        method=context["http"]["method"].upper(),
        path=APIGatewayProxyEventV2(dict(event)).path.removeprefix(root),  # as the resolver parses it
        query=str(event.get("rawQueryString", "")),
        parameters=frozenset(event.get("queryStringParameters") or {}),
        headers=headers,
        claims=claims,
        request_id=str(context.get("requestId", "")),
        body=_json(_text(event), headers),
        principal="" if "jwt" in authorizer else str(authorizer.get("iam", {}).get("userArn", "")),
    )


def _text(event: Mapping[str, Any]) -> str:
    """The body as text; the gateway encodes bodies that it considers binary."""
    body = event.get("body") or ""
    if len(body) > 2 * MOST_BODY_BYTES:
        raise _too_large()
    try:
        content = base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
        text = content.decode()
    except (binascii.Error, UnicodeError):
        raise invalid("The body must be JSON in UTF-8.") from None
    if len(content) > MOST_BODY_BYTES:
        raise _too_large()
    return text


def _json(text: str, headers: Mapping[str, str]) -> Any:
    if not text.strip():
        return None
    if headers.get("content-type", _JSON).partition(";")[0].strip().lower() != _JSON:
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"The body must be {_JSON}.")
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise invalid("The body is not JSON.") from None
    if _depth(value) > _DEEPEST:
        raise invalid(f"The body must not be nested deeper than {_DEEPEST} levels.")
    return value


def _refuse(word: str) -> float:
    """NaN and Infinity are Python's, not JSON's."""
    raise ValueError(word)


def _depth(value: Any) -> int:
    """The nesting depth of lists and objects, up to the limit."""
    depth, layer = 0, [value]
    while layer and depth <= _DEEPEST:
        depth += 1
        layer = [
            each
            for one in layer
            if isinstance(one, (dict, list))
            for each in (one.values() if isinstance(one, dict) else one)
        ]
    return depth


def _too_large() -> Problem:
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body must not have more than {MOST_BODY_BYTES:,} bytes.")
