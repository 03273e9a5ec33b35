"""A fault hook: `/_local/faults` makes chosen calls slow, or answers them with an error, applied or not."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from typing import Any
from xml.sax.saxutils import escape

from local.aws import ministack

PATCH = "faults"
PATH = "/_local/faults"

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """The next `times` calls whose `X-Amz-Target`, or `METHOD:/path`, the regular expression `target` finds.

    They wait `delay_seconds`. With a `status` they are answered with it and the error `code`, instead of being applied
    or, with `after`, although they were applied.
    """

    target: str
    status: int | None = None
    code: str = "ServiceUnavailable"
    times: int = 1
    delay_seconds: float = 0.0
    after: bool = False


def patch() -> None:
    """Put the hook in front of ministack's ASGI application."""
    ministack.replace(ministack.module("app"), "app", _with_faults, patch=PATCH)


def _with_faults(application: Application) -> Application:
    faults: list[Fault] = []

    async def with_faults(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
        elif scope["path"] == PATH:
            await _administer(faults, scope, receive, send)
        elif faults and (fault := _take(faults, _call(scope))):
            await _suffer(fault, application, scope, receive, send)
        else:
            await application(scope, receive, send)

    return with_faults


def _call(scope: Scope) -> str:
    target = dict(scope["headers"]).get(b"x-amz-target")
    return target.decode() if target else f"{scope['method']}:{scope['path']}"


def _take(faults: list[Fault], call: str) -> Fault | None:
    for index, fault in enumerate(faults):
        if re.search(fault.target, call):
            if fault.times > 1:
                faults[index] = replace(fault, times=fault.times - 1)
            else:
                del faults[index]
            return fault
    return None


async def _suffer(fault: Fault, application: Application, scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.sleep(fault.delay_seconds)
    if fault.status is None:
        await application(scope, receive, send)
        return
    if fault.after:
        await application(scope, receive, _discard)
    else:
        await _body(receive)
    headers = {}
    if b"x-amz-target" in dict(scope["headers"]):
        headers = {"content-type": "application/x-amz-json-1.1", "x-amzn-errortype": fault.code}
        body = json.dumps({"__type": fault.code, "message": "injected fault"})
    else:
        headers = {"content-type": "application/xml"}
        body = f"<Error><Code>{escape(fault.code)}</Code><Message>injected fault</Message></Error>"
    await _answer(send, fault.status, "" if scope["method"] == "HEAD" else body, headers)


async def _administer(faults: list[Fault], scope: Scope, receive: Receive, send: Send) -> None:
    body = await _body(receive)
    if scope["method"] == "DELETE":
        faults.clear()
    elif scope["method"] == "POST":
        try:
            faults.extend(_parse(body))
        except (TypeError, ValueError, re.error) as error:
            await _answer(send, 400, json.dumps({"message": f"Not a JSON list of faults: {error}"}), {})
            return
    listed = json.dumps([asdict(fault) for fault in faults])
    await _answer(send, 200, listed, {"content-type": "application/json"})


def _parse(body: bytes) -> list[Fault]:
    faults = [Fault(**fields) for fields in json.loads(body)]
    for fault in faults:
        re.compile(fault.target)
    return faults


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _discard(message: dict[str, Any]) -> None:
    """Drop the true answer of a call that is supposed to look failed."""


async def _answer(send: Send, status: int, body: str, headers: dict[str, str]) -> None:
    content = body.encode()
    fields = {**headers, "content-length": str(len(content))}
    pairs = [(name.encode(), value.encode()) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": content})
