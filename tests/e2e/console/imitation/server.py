"""Serves the console and an invented API on loopback, and fails in every way that a test requests.

Everything that a test changes is an attribute of `World`; the server reads it at each request.
"""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

import uvicorn

from appstore_analytics.answers.facts import to_json
from appstore_console.facts import LiveTicket, PlanOffer, StartedRun
from appstore_console.pages import content_security_policy
from appstore_console.rights import Right, Role
from infra.console.browser_files import browser_files
from tests.e2e.console.imitation import looks, numbers, people, runs
from tests.e2e.console.imitation.portfolio import NOW, App, Portfolio

TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg+xml", "txt": "text/plain"}
PASSWORD, NEW_PASSWORD, CODE = "first-Password-1", "second-Password-2", "123456"

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass
class World:
    """The state for the next request."""

    portfolio: Portfolio = field(default_factory=Portfolio)
    role: Role = Role.OPERATOR
    app_ids: tuple[str, ...] | None = None
    is_signed_in: bool = True
    first_step: str = "totp"
    is_running: bool = False
    is_live: bool = True
    outage: int = 0
    outage_of: str = ""
    delay: float = 0.0
    clock_ahead: float = 0.0
    started: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    plans: dict[str, Any] = field(default_factory=dict)
    invited: list[dict[str, Any]] = field(default_factory=list)


class ConsoleServer:
    """The server, and the changes that a test makes while a page is open."""

    def __init__(self, world: World, *, packs_anew: bool = False) -> None:
        self.world = world
        self.port = 0
        self._packs_anew = packs_anew
        self._files = browser_files()
        self._sockets: set[asyncio.Queue[dict[str, Any]]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def url(self) -> str:
        """The address of the console."""
        return f"http://127.0.0.1:{self.port}/"

    def nudge(self, run: str = runs.NEWEST_RUN) -> None:
        """Send every open page a nudge about a run."""
        self._to_all({"type": "websocket.send", "text": json.dumps({"run": run})})

    def cut(self) -> None:
        """Close every socket, as a network or API Gateway does."""
        self._to_all({"type": "websocket.close", "code": 1001})

    def _to_all(self, message: dict[str, Any]) -> None:
        for queue in list(self._sockets):
            assert self._loop is not None
            self._loop.call_soon_threadsafe(queue.put_nowait, message)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        self._loop = asyncio.get_running_loop()
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(receive, send)

    async def _socket(self, receive: Receive, send: Send) -> None:
        await receive()
        if not self.world.is_live:
            await send({"type": "websocket.close", "code": 1008})
            return
        await send({"type": "websocket.accept", "subprotocol": "console"})
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._sockets.add(queue)
        reader = asyncio.create_task(self._echo(receive, queue))
        try:
            while True:
                message = await queue.get()
                await send(message)
                if message["type"] == "websocket.close":
                    return
        finally:
            reader.cancel()
            self._sockets.discard(queue)

    async def _echo(self, receive: Receive, queue: asyncio.Queue[dict[str, Any]]) -> None:
        while (await receive())["type"] != "websocket.disconnect":
            queue.put_nowait({"type": "websocket.send", "text": "{}"})
        queue.put_nowait({"type": "websocket.close"})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        path = scope["path"].lstrip("/")
        query = dict(parse_qsl(scope["query_string"].decode()))
        if path.startswith(("api/", "auth/")) and self.world.delay:
            await asyncio.sleep(self.world.delay)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        found = self._answer(scope["method"], path, query, json.loads(body or b"{}"), headers)
        reply = Reply(*found, content_security_policy(f"ws://127.0.0.1:{self.port}/live"))
        date = NOW.timestamp() + self.world.clock_ahead
        await reply.send(send, format_datetime(NOW.fromtimestamp(date, NOW.tzinfo), usegmt=True))

    def _answer(
        self, method: str, path: str, query: dict[str, str], body: dict[str, Any], headers: dict[str, str]
    ) -> tuple[int, str, bytes]:
        if path.startswith("auth/"):
            return self._login(path.removeprefix("auth/"), body)
        if not path.startswith("api/v1/"):
            return self._file(path or "index.html")
        question = path.removeprefix("api/v1/")
        self.world.asked.append(f"{method} {question}")
        if self.world.outage and question.startswith(self.world.outage_of):
            return problem(self.world.outage, "")
        if headers.get("authorization") != "Bearer access-token":
            return problem(401, "Not signed in.")
        if method == "GET":
            return self._ask(question, query, wants_csv="text/csv" in headers.get("accept", ""))
        return self._act(method, question, body)

    def _file(self, path: str) -> tuple[int, str, bytes]:
        if self._packs_anew and path == "index.html":
            self._files = browser_files()
        if path not in self._files:
            return problem(404, "There is no such file.")
        return 200, TYPES[path.rsplit(".", 1)[1]], self._files[path]

    def _login(self, step: str, body: dict[str, Any]) -> tuple[int, str, bytes]:
        world = self.world
        if step == "refresh" and not world.is_signed_in:
            return problem(401, "Sign in.")
        if step in ("forgot", "reset", "sign-out"):
            world.is_signed_in = world.is_signed_in and step != "sign-out"
            return 204, "", b""
        refused = "Address and password do not match an account that may sign in."
        wrong = {"login": body.get("password") not in (PASSWORD, NEW_PASSWORD), "totp": body.get("code") != CODE}
        wrong["enrol-totp"] = wrong["totp"]
        if wrong.get(step):
            return problem(401, refused if step == "login" else "That code was not accepted.")
        return answer(self._next_step(step, body))

    def _next_step(self, step: str, body: dict[str, Any]) -> dict[str, Any]:
        world = self.world
        if step == "login" and world.first_step == "new_password" and body.get("password") == PASSWORD:
            return {"step": "new_password", "session": "session-1"}
        if step == "new-password" or (step == "login" and world.first_step == "enrol_totp"):
            rows = [[(row * column) % 3 % 2 for column in range(29)] for row in range(29)]
            return {
                "step": "enrol_totp",
                "session": "session-2",
                "secret": "JBSW Y3DP EHPK 3PXP",
                "otpauth": "",
                "qr": rows,
            }
        if step == "login" and world.first_step == "totp":
            return {"step": "totp", "session": "session-3"}
        world.is_signed_in = True
        email = people.ADDRESSES[world.role]
        return {"step": "done", "access_token": "access-token", "expires_in": 3600, "email": email}

    def _ask(self, question: str, query: dict[str, str], *, wants_csv: bool) -> tuple[int, str, bytes]:
        name, _, rest = question.partition("/")
        if name in ("users", "audit") and self.world.role is not Role.ADMIN:
            return problem(403, "This needs the role admin.")
        found = self._find(name, rest, query)
        if found is None:
            return problem(404, f"There is no {question}, or you cannot see it.")
        if wants_csv:
            return 200, "text/csv", csv_of(found)
        return answer(found)

    def _find(self, name: str, rest: str, query: dict[str, str]) -> Any:
        world, portfolio = self.world, self._seen
        app = portfolio.app(query.get("app") or rest)
        offset, limit = int(query.get("cursor") or 0), int(query.get("limit", "50"))
        found: dict[str, Callable[[], Any]] = {
            "me": lambda: people.me(world.role, world.app_ids),
            "health": lambda: looks.health(portfolio, is_running=world.is_running, is_first_day=portfolio.is_first_day),
            "tables": lambda: looks.table_dates(portfolio, int(query.get("days", "30")), app),
            "apps": lambda: looks.app_table(portfolio, query),
            "apps/": lambda: self._app(rest, query),
            "kpis": numbers.catalogue,
            "kpis/": lambda: numbers.report(portfolio, query),
            "runs": lambda: self._runs(query, offset, limit),
            "runs/": lambda: self._run(rest, query, offset, limit),
            "users": people.everybody,
            "audit": lambda: people.audit(query.get("outcome", ""), offset, limit),
            "annotations": people.annotations,
        }
        return found.get(f"{name}/" if rest else name, lambda: None)()

    def _app(self, rest: str, query: dict[str, str]) -> Any:
        app_id, _, part = rest.partition("/")
        app = self._seen.app(app_id)
        if app is None:
            return None
        if part == "releases":
            return looks.releases(app, date.fromisoformat(query["from"]))
        return looks.app_details(self._seen, app, int(query.get("days", "30")))

    @property
    def _seen(self) -> Portfolio:
        world = self.world
        if world.app_ids is None:
            return world.portfolio
        hidden = frozenset(App(number).id for number in range(world.portfolio.apps_known)) - set(world.app_ids)
        return replace(world.portfolio, hidden=hidden)

    def _runs(self, query: dict[str, str], offset: int, limit: int) -> Any:
        chosen = {name: query.get(name, "") for name in ("operation", "status", "q")}
        return runs.list_runs(limit, is_running=self.world.is_running, offset=offset, **chosen)

    def _run(self, rest: str, query: dict[str, str], offset: int, limit: int) -> Any:
        run, _, part = rest.partition("/")
        if part == "items":
            only, q = query.get("only", ""), query.get("q", "")
            return runs.items(run, self._seen, only=only, q=q, limit=limit, offset=offset)
        return runs.details(run, is_running=self.world.is_running, portfolio=self._seen)

    def _act(self, method: str, question: str, body: dict[str, Any]) -> tuple[int, str, bytes]:
        world = self.world
        me = people.me(world.role, world.app_ids)
        if question == "live-tickets":
            return answer(LiveTicket("ticket", f"ws://127.0.0.1:{self.port}/live", NOW))
        if question in ("plans", "runs") and str(Right.START_RUNS) not in me.actions:
            return problem(403, "Starting runs needs the role operator.")
        if question == "plans":
            plan_id = f"plan-{len(world.plans)}"
            world.plans[plan_id] = runs.plan(body["operation"], body.get("arguments", {}))
            return answer(PlanOffer(plan_id, NOW, world.plans[plan_id]))
        if question == "runs":
            operation = world.plans[body["plan_id"]].operation
            world.started.append(body["plan_id"])
            return answer(StartedRun(runs.NEWEST_RUN, operation, NOW, is_new=world.started.count(body["plan_id"]) == 1))
        world.invited.append({"method": method, "path": question, **body})
        return answer(people.people()[1])


@dataclass(frozen=True)
class Reply:
    """One HTTP response."""

    status: int
    kind: str
    body: bytes
    policy: str

    async def send(self, send: Send, date: str) -> None:
        headers = {
            "content-type": self.kind,
            "cache-control": "no-store",
            "date": date,
            "content-security-policy": self.policy,
            "x-content-type-options": "nosniff",
        }
        pairs = [(name.encode(), value.encode()) for name, value in headers.items() if value]
        await send({"type": "http.response.start", "status": self.status, "headers": pairs})
        await send({"type": "http.response.body", "body": self.body})


def answer(facts: Any) -> tuple[int, str, bytes]:
    content = facts if isinstance(facts, dict) else {**to_json(facts), "as_of": NOW.isoformat()}
    return 200, "application/json", json.dumps(content).encode()


def problem(status: int, detail: str) -> tuple[int, str, bytes]:
    content = {"type": "about:blank", "title": "", "status": status, "detail": detail, "field": ""}
    return status, "application/problem+json", json.dumps(content).encode()


def csv_of(report: Any) -> bytes:
    lines = ["kpi,app_id,slice,day,value,state"]
    for one in to_json(report)["series"]:
        for point in one["points"]:
            value = "" if point["value"] is None else point["value"]
            lines.append(f"{one['kpi']},{one['app_id']},{one['slice'] or ''},{point['day']},{value},{point['state']}")
    return ("\r\n".join(lines) + "\r\n").encode()


@contextmanager
def serve(world: World, port: int = 0, *, packs_anew: bool = False) -> Iterator[ConsoleServer]:
    """Run the server on this port or a free one until the block ends."""
    console = ConsoleServer(world, packs_anew=packs_anew)
    config = uvicorn.Config(
        console, host="127.0.0.1", port=port, log_level="error", date_header=False, server_header=False,
        ws="websockets-sansio", lifespan="off", timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    console.port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield console
    finally:
        server.should_exit = True
        thread.join(timeout=5)
