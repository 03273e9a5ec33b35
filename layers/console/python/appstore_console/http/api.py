"""The API of one function: the gate, the resolver behind it, and the handling of errors.

    event ─► read (size, JSON) ─► route? ─► signed in? ─► may? ─► audited? ─► parameters? ─► validation ─► function
                413, 400, 415      404, 405   401           403     503         400            400

Before the route's right is checked, no part of a request is validated and no function is called: the resolver sees only
requests that passed the gate, and each function checks that the gate chose it for this request.
"""

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Annotated, Any, Protocol, get_type_hints

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Path
from botocore.exceptions import BotoCoreError, ClientError
from pg8000.exceptions import DatabaseError
from pydantic import ValidationError
from pydantic_core import PydanticUndefined

from appstore_analytics.answers.errors import Refused, Unreachable
from appstore_analytics.contract.errors import InputRefused, TransientError
from appstore_console.database.connection import CONFLICT, DatabaseAway, sqlstate
from appstore_console.database.statements import Full, Taken
from appstore_console.http import problems
from appstore_console.http.asked import Asked, Asking
from appstore_console.http.endpoints import Endpoint
from appstore_console.http.incoming import Incoming, read_event
from appstore_console.http.outgoing import answer
from appstore_console.http.problems import Problem
from appstore_console.people import NoSuchPerson, PeopleUnavailable, PersonConflict

ROOT = "/api/v1"
_ASKED = "asked"
_AWS_AWAY = problems.unavailable("AWS does not answer correctly: try again in a moment.")


class Auditing(Protocol):
    """The audit log of actions."""

    def around(self, asked: Asked, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The result of `act`; Problem, and nothing is done, if the action cannot be logged."""


class Api:
    """The routes of one function, called with API Gateway's events (payload format 2.0)."""

    def __init__(self, endpoints: Iterable[Endpoint], asking: Asking, audit: Auditing | None = None) -> None:
        self._audit = audit
        self.endpoints = tuple(sorted(endpoints, key=lambda each: bool(each.places)))  # fixed paths first
        self._asking = asking
        self._resolver = new_resolver()
        for endpoint in self.endpoints:
            register(self._resolver, endpoint, self._called(endpoint))
        _tell_problems(self._resolver)

    def __call__(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """The response to one request; every error is a problem+json."""
        try:
            incoming = read_event(event, ROOT)
            endpoint = self._endpoint(incoming)
            asked = self._asking.admit(incoming, endpoint)
            if self._audit and endpoint.is_audited:
                return self._audit.around(asked, lambda: self._resolved(event, asked, context))
        except Problem as problem:
            return _event_of(problem.response())
        except (BotoCoreError, ClientError):
            return _event_of(_AWS_AWAY.response())
        return self._resolved(event, asked, context)

    def _resolved(self, event: Mapping[str, Any], asked: Asked, context: Any) -> dict[str, Any]:
        try:
            _refuse_unknown_parameters(asked.incoming, asked.endpoint)
        except Problem as problem:
            return _event_of(problem.response())
        self._resolver.append_context(**{_ASKED: asked})  # type: ignore[no-untyped-call]
        answer = self._resolver.resolve(_as_read(event, asked.incoming), context)
        return {**answer, "body": answer["body"] or ""}  # a gateway need not know what to do with null

    def _endpoint(self, incoming: Incoming) -> Endpoint:
        """The route, by method and path. Listing the allowed methods is safe: the documentation lists all routes."""
        found = [each for each in self.endpoints if each.pattern.fullmatch(incoming.path)]
        if not found:
            raise Problem(HTTPStatus.NOT_FOUND, "There is no such path: docs/api.md lists all paths.")
        for endpoint in found:
            if endpoint.method == incoming.method:
                return endpoint
        methods = " and ".join(sorted({each.method for each in found}))
        raise Problem(HTTPStatus.METHOD_NOT_ALLOWED, f"This path allows {methods}.")

    def _called(self, endpoint: Endpoint) -> Callable[..., Response[Any]]:
        def call(**values: Any) -> Response[Any]:
            asked: Asked = self._resolver.context[_ASKED]
            if asked.endpoint is not endpoint:
                raise Problem(HTTPStatus.FORBIDDEN, "This request was authorized for another path.")
            return answer(asked, arguments_of(endpoint, values))

        return call


def new_resolver() -> APIGatewayHttpResolver:
    """A resolver below the API's root."""
    return APIGatewayHttpResolver(enable_validation=True, strip_prefixes=[ROOT])


def register(
    resolver: APIGatewayHttpResolver, endpoint: Endpoint, call: Callable[..., Response[Any]], **described: Any
) -> None:
    """Register a route: each query parameter is one of `call`, so that the resolver validates and describes it."""
    call.__signature__ = _signature(endpoint)  # type: ignore[attr-defined]
    call.__annotations__ = {}
    summary, _, description = inspect.cleandoc(endpoint.function.__doc__ or "").partition("\n\n")
    resolver.route(
        endpoint.path,
        endpoint.method,
        compress=True,
        summary=summary,
        description=description.replace("\n", " ") or None,
        tags=[endpoint.tag],
        operation_id=endpoint.name,
        status_code=endpoint.status,
        **described,
    )(call)


def arguments_of(endpoint: Endpoint, values: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of the function, from what the resolver has validated."""
    arguments = {name: values[name] for name in endpoint.places}
    if endpoint.parameters:
        name, model = endpoint.parameters
        given = {each: values[each] for each in model.model_fields if each in values}
        arguments[name] = model.model_construct(**given)
    if endpoint.body:
        arguments[endpoint.body[0]] = values[endpoint.body[0]]
    return arguments


def _signature(endpoint: Endpoint) -> inspect.Signature:
    made = [_parameter(name, Annotated[str, Path(max_length=200)]) for name in endpoint.places]
    if endpoint.parameters:
        model = endpoint.parameters[1]
        hints = get_type_hints(model, include_extras=True)
        made += [_parameter(name, hints[name], field.default) for name, field in model.model_fields.items()]
    if endpoint.body:
        made.append(_parameter(*endpoint.body))
    return inspect.Signature(made, return_annotation=inspect.Signature.empty)


def _parameter(name: str, kind: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    default = inspect.Parameter.empty if default is PydanticUndefined else default
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def _refuse_unknown_parameters(incoming: Incoming, endpoint: Endpoint) -> None:
    fields = endpoint.parameters[1].model_fields if endpoint.parameters else {}
    known = sorted(field.alias or name for name, field in fields.items())
    for name in sorted(incoming.parameters.difference(known)):
        shown = name if name.isprintable() and len(name) <= 40 else "a parameter"
        raise problems.invalid(f"{shown} is unknown here: use {', '.join(known) or 'no parameter'}.", shown)


def _tell_problems(resolver: APIGatewayHttpResolver) -> None:
    """The errors that an answer can raise, as problems."""

    def refused(error: Exception) -> Problem:
        return problems.invalid(str(error))

    def away(_: Exception) -> Problem:
        return _AWS_AWAY

    def database(error: DatabaseError) -> Problem:
        if sqlstate(error) != CONFLICT:
            raise error
        return problems.unavailable("Another request is changing the same data: try again.")

    def without_data(_: Exception) -> Problem:
        return problems.unavailable(
            "The console's database, which stores your permissions, does not answer: try again in a moment."
        )

    told: Mapping[type[Exception], Callable[[Any], Problem]] = {
        Problem: lambda error: error,
        RequestValidationError: lambda error: problems.of_validation(error.errors()),
        ValidationError: lambda error: problems.of_validation(error.errors()),
        Refused: refused,
        InputRefused: refused,
        Unreachable: away,
        DatabaseAway: without_data,
        TransientError: away,
        ClientError: away,
        BotoCoreError: away,
        DatabaseError: database,
        Taken: lambda error: problems.conflict(str(error)),
        Full: lambda error: problems.conflict(str(error)),
        NoSuchPerson: lambda _: problems.not_there("such person"),
        PersonConflict: lambda error: problems.conflict(str(error)),
        PeopleUnavailable: lambda error: problems.unavailable(str(error)),
    }
    for kind, problem in told.items():
        resolver.exception_handler(kind)(lambda error, problem=problem: problem(error).response())


def _as_read(event: Mapping[str, Any], incoming: Incoming) -> dict[str, Any]:
    """The event with the body that was read, so that the resolver does not read it differently."""
    body = None if incoming.body is None else json.dumps(incoming.body)
    headers = {**incoming.headers, "content-type": "application/json"}
    return {**event, "headers": headers, "body": body, "isBase64Encoded": False}


def _event_of(response: Response[str]) -> dict[str, Any]:
    headers = {name: str(value) for name, value in response.headers.items()}
    return {"statusCode": response.status_code, "headers": headers, "body": response.body, "isBase64Encoded": False}
