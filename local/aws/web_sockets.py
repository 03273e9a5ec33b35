"""API Gateway as the live page uses it: subprotocols, messages without a route, URLs, and cookies.

ministack serves WebSocket APIs, but accepts no subprotocol, which a browser that asked for one takes for a refusal.
"""

import json
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from local.aws.faults import Application, Receive, Scope, Send
from local.aws.ministack import module, original, replace

PATCH = "web_sockets"
_CONNECTIONS = "/@connections/"
_NO_ROUTE = {"routeKey": "", "target": ""}
"""The target of a message without a route: there is no function, because API Gateway answers it itself."""

_subprotocol: ContextVar[list[str]] = ContextVar("subprotocol")


def patch() -> None:
    """Change how a WebSocket is opened and answered, and the URL of its API."""
    service = module("services.apigateway")
    replace(service, "_api_endpoint_scheme", _with_ws, patch=PATCH)
    replace(service, "handle_websocket", _with_subprotocol, patch=PATCH)
    replace(service, "_invoke_ws_lambda", _noting_subprotocol, patch=PATCH)
    replace(service, "_match_ws_route", _with_forbidden, patch=PATCH)
    replace(service, "run_reentrant", _with_cookies, patch=PATCH)
    replace(module("app"), "app", lambda app: _finding_connections(app, service), patch=PATCH)


def _with_ws(scheme: Callable[[str], str]) -> Callable[[str], str]:
    """A URL that a browser can open; ministack returns http."""

    def endpoint_scheme(protocol: str) -> str:
        return "ws" if protocol == "WEBSOCKET" else scheme(protocol)

    return endpoint_scheme


def _with_subprotocol(handle: Callable[..., Any]) -> Callable[..., Any]:
    """The subprotocol that $connect returns is the accepted one."""

    async def handle_websocket(scope: Scope, receive: Receive, send: Send, *more: Any, **named: Any) -> None:
        chosen: list[str] = []
        _subprotocol.set(chosen)

        async def accepting(message: dict[str, Any]) -> None:
            if message["type"] == "websocket.accept" and chosen:
                message = {**message, "subprotocol": chosen[0]}
            await send(message)

        await handle(scope, receive, accepting, *more, **named)

    return handle_websocket


def _noting_subprotocol(invoke: Callable[..., Any]) -> Callable[..., Any]:
    async def invoke_ws_lambda(
        api: str, account: str, region: str, route: Any, stage: str, *more: Any, **named: Any
    ) -> Any:
        connection_id, event_type, request_id = more[:3]
        if route is _NO_ROUTE:
            facts = {"message": "Forbidden", "connectionId": connection_id, "requestId": request_id}
            return {"statusCode": 403, "body": json.dumps(facts)}
        answer = await invoke(api, account, region, route, stage, *more, **named)
        if event_type == "CONNECT":
            headers = (answer or {}).get("headers") or {}
            _subprotocol.get().extend(headers[name] for name in headers if name.lower() == "sec-websocket-protocol")
        return answer

    return invoke_ws_lambda


def _with_forbidden(match: Callable[..., Any]) -> Callable[..., Any]:
    """A message without a route gets an answer; ministack sends none."""

    def match_ws_route(api_id: str, route_key: str) -> Any:
        found = match(api_id, route_key)
        return _NO_ROUTE if found is None and not route_key.startswith(("$connect", "$disconnect")) else found

    return match_ws_route


def _with_cookies(run: Callable[..., Any]) -> Callable[..., Any]:
    """Payload format 2.0 has cookies in a field of their own, not among the headers."""

    async def run_reentrant(function: Any, *arguments: Any, **named: Any) -> Any:
        for event in (each for each in arguments if isinstance(each, dict) and each.get("version") == "2.0"):
            cookies = event["headers"].pop("cookie", None)
            if cookies:
                event["cookies"] = [each.strip() for each in cookies.split(";")]
        return await run(function, *arguments, **named)

    return run_reentrant


def _finding_connections(application: Application, service: Any) -> Application:
    """On AWS the host name identifies the API of a connection; on loopback the connection id does."""
    connections = original(service, "_ws_connections", patch=PATCH)

    async def finding(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_CONNECTIONS):
            connection_id = scope["path"].removeprefix(_CONNECTIONS)
            known = connections.get(connection_id) or {"apiId": "gone", "stage": "gone"}
            path = f"/_aws/execute-api/{known['apiId']}/{known['stage']}{_CONNECTIONS}{connection_id}"
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await application(scope, receive, send)

    return finding
