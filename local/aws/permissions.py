"""IAM: with `AUTH=true` every call is checked against the caller's policies, and `/_local/calls` lists who called what.

Step Functions and Athena run inside the emulator, so their calls with the rights of a role are neither checked nor
listed.
"""

import json
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from email.utils import parseaddr
from typing import Any

from local.aws import ministack
from local.aws.faults import Application, Receive, Scope, Send

PATCH = "permissions"
PATH = "/_local/calls"

_ROLE_SESSION = ":assumed-role/"
_SEND_E_MAIL = "/v2/email/outbound-emails"


@dataclass(frozen=True, slots=True)
class Judgement:
    """One right that a call needed. `caller` is the role's session, a function's name; `allowed` by its policies."""

    caller: str
    action: str
    resource: str
    allowed: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A checked call and the HTTP status of its answer. Repeated calls are reported once."""

    judgement: Judgement
    status: int


_judgements: ContextVar[list[Judgement]] = ContextVar("judgements")
_sender: ContextVar[str] = ContextVar("sender")


def patch() -> None:
    """Observe ministack's permission checks, and add the list in front of its ASGI application; only if IAM is
    enforced."""
    app = ministack.module("app")
    if ministack.original(app, "AUTH", patch=PATCH):
        actions, evaluator = ministack.module("core.iam_actions"), ministack.module("core.iam_evaluator")
        ministack.replace(actions, "extract_resource_arn", _with_workgroup_and_sender, patch=PATCH)
        ministack.replace(evaluator, "enforce", lambda enforce: _listening(enforce, evaluator), patch=PATCH)
        ministack.replace(app, "app", _telling, patch=PATCH)


def _with_workgroup_and_sender(extract: Any) -> Any:
    """A call about a query is checked against the query's workgroup, which only the query knows; an e-mail against its
    sender."""
    executions = ministack.original(ministack.module("services.athena"), "_executions", patch=PATCH)

    def resource_arn(
        service: str, method: str, path: str, headers: Any, body: bytes, query: Any, region: str, account: str
    ) -> str:
        if service == "athena":
            request = json.loads(body or b"{}")
            execution = executions.get(request.get("QueryExecutionId", "")) or {}
            body = json.dumps({"WorkGroup": execution.get("WorkGroup"), **request}).encode()
        if service == "ses" and path == _SEND_E_MAIL:
            _, sender = parseaddr(json.loads(body)["FromEmailAddress"])
            _sender.set(sender)
            return f"arn:aws:ses:{region}:{account}:identity/{sender}"
        return str(extract(service, method, path, headers, body, query, region, account))

    return resource_arn


def _listening(enforce: Any, evaluator: Any) -> Any:
    resolve = ministack.original(evaluator, "resolve_caller_identity", patch=PATCH)

    def listening(access_key: str, action: str, service: str, region: str, **more: Any) -> Any:
        if action == "ses:SendEmail":
            more["service_context"] = {**(more.get("service_context") or {}), "ses:fromaddress": _sender.get()}
        refusal = enforce(access_key, action, service, region, **more)
        arn = str((resolve(access_key) or {}).get("userArn", ""))
        if _ROLE_SESSION in arn:
            resource = more.get("resource_arn", "*")
            _judgements.get([]).append(Judgement(arn.rpartition("/")[2], action, resource, refusal is None))
        return refusal

    return listening


def _telling(application: Application) -> Application:
    calls: dict[Call, None] = {}

    async def telling(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
        elif scope["path"] == PATH:
            await _tell(list(calls), send)
        else:
            judgements: list[Judgement] = []
            _judgements.set(judgements)

            async def send_and_remember(message: dict[str, Any]) -> None:
                if message["type"] == "http.response.start":
                    calls.update(dict.fromkeys(Call(one, message["status"]) for one in judgements))
                await send(message)

            # The loopback interface has no TLS. The policies that refuse plain HTTP must not refuse everything here; a
            # test checks them in the template.
            await application({**scope, "scheme": "https"}, receive, send_and_remember)

    return telling


async def _tell(calls: list[Call], send: Send) -> None:
    told = [{**asdict(call.judgement), "status": call.status} for call in calls]
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})
