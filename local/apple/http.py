"""A call and an answer, between WSGI and the modules that answer."""

import json
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlencode

Json = dict[str, Any]
Environ = dict[str, Any]
StartResponse = Callable[..., object]
Sleep = Callable[[float], None]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

SLEEP = "apple.sleep"
"""The environment key of a delay's function, for a transport without a socket; over a socket a delay takes time."""


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call. `base_url` is the scheme and host that the client asked; `query` has one value per name.

    `sleep` performs a delay.
    """

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    authorization: str | None
    base_url: str
    remote_address: str
    sleep: Sleep = time.sleep

    def url(self, **changes: str) -> str:
        """The address of this call, with other query values."""
        query = urlencode({**self.query, **changes})
        return f"{self.base_url}{self.path}{'?' if query else ''}{query}"

    def values(self, name: str) -> list[str]:
        """The comma-separated values of a query parameter; empty without it."""
        return [value for value in self.query.get(name, "").split(",") if value]

    def json(self) -> Json:
        """The body as a JSON object. Raises ValueError."""
        body = json.loads(self.body)
        if not isinstance(body, dict):
            raise ValueError("the body is not a JSON object")  # noqa: TRY004 (bad input, not a bad call)
        return body


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer. `cut` sends half of the body, but announces the whole length."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


class ApiError(Exception):
    """An answer in the form of Apple's errors. `parameter` names the query parameter at fault."""

    def __init__(self, status: int, code: str, title: str, detail: str, parameter: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.error: Json = {
            "id": str(uuid.uuid4()),
            "status": str(status),
            "code": code,
            "title": title,
            "detail": detail,
        }
        if parameter:
            self.error["source"] = {"parameter": parameter}

    def answer(self, headers: Mapping[str, str] | None = None) -> Answer:
        """The body `{"errors": […]}` with the status."""
        return json_answer({"errors": [self.error]}, self.status, headers)


def json_answer(body: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """A JSON body."""
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json", **(headers or {})})


def read_call(environ: Environ) -> Call:
    """The call in a WSGI environment."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    values: dict[str, list[str]] = {}
    for name, value in parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True):
        values.setdefault(name, []).append(value)
    return Call(
        method=environ["REQUEST_METHOD"],
        path=environ["PATH_INFO"],
        query={name: ",".join(each) for name, each in values.items()},
        body=environ["wsgi.input"].read(length) if length else b"",
        authorization=environ.get("HTTP_AUTHORIZATION"),
        base_url=f"{environ['wsgi.url_scheme']}://{environ['HTTP_HOST']}",
        remote_address=environ.get("REMOTE_ADDR", ""),
        sleep=environ.get(SLEEP, time.sleep),
    )


def send(answer: Answer, start_response: StartResponse) -> Iterable[bytes]:
    """Gives an answer to the WSGI transport."""
    headers = {**answer.headers, "Content-Length": str(len(answer.body))}
    start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", list(headers.items()))
    return [answer.body[: len(answer.body) // 2] if answer.cut else answer.body]
