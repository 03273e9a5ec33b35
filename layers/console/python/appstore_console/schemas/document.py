"""The API's OpenAPI 3.1 document, generated from the route table; it is written to `docs/openapi.json`."""

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from types import NoneType
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer, Server

from appstore_console.facts import ProblemDetails
from appstore_console.http.api import ROOT, new_resolver, register
from appstore_console.http.endpoints import Endpoint
from appstore_console.http.problems import PROBLEM_JSON
from appstore_console.schemas.answers import answer_model, plain_model

_ABOUT = (
    "Questions to an installed pipeline and its stored KPIs, and runs started in two steps. Answers are those of "
    "`./manage.py … --json`, with `as_of`. Roles and rights: docs/security.md."
)
_SIGN_IN = "signIn"
_VERSION = "1"
"""The version in the paths; it does not change when something is added."""
_WRONG: Mapping[HTTPStatus, str] = {
    HTTPStatus.BAD_REQUEST: "The request is invalid; `field` names the invalid part",
    HTTPStatus.UNAUTHORIZED: "Not signed in",
    HTTPStatus.FORBIDDEN: "The role does not allow it",
    HTTPStatus.NOT_FOUND: "It does not exist, or you cannot see it",
    HTTPStatus.CONFLICT: "The request conflicts with the current state",
    HTTPStatus.SERVICE_UNAVAILABLE: "A service that this needs does not answer",
}


def document(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """The document as plain JSON values; the same routes give the same document."""
    resolver = new_resolver()
    for endpoint in endpoints:
        register(resolver, endpoint, _never_called(), responses=_responses(endpoint), security=_security(endpoint))
    written = resolver.get_openapi_json_schema(
        title="App Store Analytics",
        version=_VERSION,
        description=_ABOUT,
        servers=[Server(url=ROOT)],
        security_schemes={_SIGN_IN: HTTPBearer(bearerFormat="JWT")},
    )
    return _tidied(json.loads(written))


def text(endpoints: Iterable[Endpoint]) -> str:
    """The document as a file, with sorted keys."""
    return json.dumps(document(endpoints), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _never_called() -> Any:
    def call(**values: Any) -> Response[Any]:
        raise NotImplementedError

    return call


def _security(endpoint: Endpoint) -> list[dict[str, list[str]]] | None:
    return None if endpoint.right is None else [{_SIGN_IN: []}]


def _responses(endpoint: Endpoint) -> dict[int, Any]:
    good: dict[str, Any] = {"description": "The answer", "content": {}}
    if endpoint.answer is not NoneType:
        good["content"]["application/json"] = {"model": answer_model(endpoint.answer)}
    if endpoint.csv:
        good["content"]["text/csv"] = {"schema": {"type": "string"}}
    responses: dict[int, Any] = {endpoint.status: good}
    if not endpoint.is_action:
        responses[HTTPStatus.NOT_MODIFIED.value] = {"description": "The answer has not changed", "content": {}}
    problem = plain_model(ProblemDetails)
    for status, description in _WRONG.items():
        if endpoint.is_action or status is not HTTPStatus.CONFLICT:
            responses[status.value] = {"description": description, "content": {PROBLEM_JSON: {"model": problem}}}
    return responses


_OF_POWERTOOLS = ("HTTPValidationError", "ResponseValidationError", "ValidationError")


def _tidied(found: dict[str, Any]) -> dict[str, Any]:
    """Removes Powertools' descriptions of its own errors, repeated problems, and titles that only repeat names."""
    for name in _OF_POWERTOOLS:
        found["components"]["schemas"].pop(name, None)
    shared = found["components"].setdefault("responses", {})
    for operations in found["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
            operation["responses"] = {
                status: _shared(status, response, shared) for status, response in operation["responses"].items()
            }
    tidied: dict[str, Any] = _without_titles(found)
    return tidied


def _shared(status: str, response: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """A reference to a response that several routes have; other responses unchanged."""
    if not response.get("content"):
        return {name: value for name, value in response.items() if name != "content"}
    if PROBLEM_JSON not in response["content"]:
        return response
    name = "".join(word.capitalize() for word in HTTPStatus(int(status)).name.split("_"))
    shared[name] = response
    return {"$ref": f"#/components/responses/{name}"}


def _without_titles(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_titles(each) for each in value]
    if not isinstance(value, dict):
        return value
    is_type = "type" in value or "anyOf" in value or "$ref" in value
    return {
        name: _without_titles(each)
        for name, each in value.items()
        if not (name == "title" and isinstance(each, str) and is_type)
    }
