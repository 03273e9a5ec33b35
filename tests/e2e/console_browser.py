"""A client like a browser: one gateway, kept cookies, a token in each request."""

import http.client
import json
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from websockets.sync.client import ClientConnection, connect

from appstore_console.user_ids import user_id_of
from local.aws.server import EmbeddedAws
from local.console import Invited, temporary_password
from local.deployment import ConsoleDeployment
from local.totp import code
from tests.e2e.console.windows import PASSWORD

_OURS = {"Content-Type": "application/json", "X-Requested-With": "console"}


@dataclass
class Browser:
    """One person's browser. `secret` belongs to the person's authenticator, `access_token` to the page's memory."""

    aws: EmbeddedAws
    console: ConsoleDeployment
    email: str = ""
    access_token: str = ""
    secret: str = ""
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] = _OURS
    ) -> tuple[int, Any, http.client.HTTPMessage]:
        """Status, body (parsed if it is JSON) and headers of one response."""
        connection = http.client.HTTPConnection("127.0.0.1", self.aws.port, timeout=30)
        sent = {"Host": urlsplit(self.console.url).netloc, **headers}
        if self.access_token and "Authorization" not in headers:
            sent["Authorization"] = f"Bearer {self.access_token}"
        if self.cookies and path.startswith("/auth/"):
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        self._keep(response.headers)
        is_json = "json" in response.headers.get("content-type", "")
        return response.status, json.loads(content) if is_json and content else content, response.headers

    def sign_in_first(self, invited: Invited) -> None:
        """The first sign-in of an invited person: a new password, an authenticator, its first code."""
        self.email = invited.email
        asked = self.step("login", password=invited.temporary_password)
        assert asked["step"] == "new_password"
        asked = self.step("new-password", session=asked["session"], password=PASSWORD)
        assert asked["step"] == "enrol_totp"
        self.secret = asked["secret"]
        self.take_token(self.step("enrol-totp", session=asked["session"], code=self.code()))

    def sign_in(self) -> None:
        """Every later sign-in."""
        asked = self.step("login", password=PASSWORD)
        assert asked["step"] == "totp"
        self.take_token(self.step("totp", session=asked["session"], code=self.code()))

    def step(self, name: str, **body: str) -> dict[str, Any]:
        """One successful step of the login."""
        status, answer, _ = self.ask("POST", f"/auth/{name}", {"email": self.email, **body})
        assert status == 200, answer
        return dict(answer)

    def take_token(self, answer: Mapping[str, Any]) -> None:
        assert answer["step"] == "done"
        self.access_token = answer["access_token"]

    def code(self) -> str:
        """The current code of the authenticator."""
        return code(self.secret, time.time())

    @contextmanager
    def listening(self, ticket: str) -> Iterator[ClientConnection]:
        """An open connection of the live page; InvalidStatus if the ticket is refused."""
        plain = socket.create_connection(("127.0.0.1", self.aws.port))
        with connect(self.console.live_url, sock=plain, subprotocols=["console", ticket], close_timeout=1) as live:  # type: ignore[list-item]
            yield live

    def _keep(self, headers: http.client.HTTPMessage) -> None:
        for cookie in headers.get_all("set-cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)


def mailed(aws: EmbeddedAws, console: ConsoleDeployment, email: str) -> Invited:
    """Whoever an admin has invited as a viewer, with the temporary password that Cognito's e-mail would tell."""
    password = temporary_password()
    aws.client("cognito-idp").admin_set_user_password(
        UserPoolId=console.user_pool, Username=user_id_of(email), Password=password, Permanent=False
    )
    return Invited(email, "viewer", password)


def change_people(admin: Browser, app_id: str) -> None:
    """Each change that an admin can make of somebody."""
    invited = {"email": "eve@example.com", "role": "viewer", "app_ids": [app_id]}
    status, eve, _ = admin.ask("POST", "/api/v1/users", invited)
    assert status == 201
    person = f"/api/v1/users/{eve['user_id']}"
    for change in ({"role": "operator"}, {"app_ids": None}, {"is_enabled": False}, {"is_enabled": True}):
        assert admin.ask("PATCH", person, change)[0] == 200, change
    assert admin.ask("DELETE", f"{person}/second-factor")[0] in (200, 204)
    assert admin.ask("GET", "/api/v1/users")[0] == 200
