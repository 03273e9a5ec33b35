"""Signs in to the web console like its own page, for scripts that act for a person."""

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from appstore_analytics.answers.errors import Refused, Unreachable

_SECONDS = 30
_MARK = {"Content-Type": "application/json", "X-Requested-With": "console"}
_LOCALHOST = ".localhost"


class ConsoleLogin:
    """The login of the console at one address."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._address = urlsplit(url)

    def password(self, email: str, password: str) -> str:
        """The session that asks for the code. Refused for a wrong password, and before the first sign-in."""
        answer = self._post("/auth/login", {"email": email, "password": password})
        if answer["step"] != "totp":
            raise Refused(f"First sign in at {self._url} to set up a new password and an authenticator.")
        return str(answer["session"])

    def code(self, email: str, session: str, code: str) -> str:
        """The access token; Refused for a wrong code."""
        answer = self._post("/auth/totp", {"email": email, "session": session, "code": code})
        return str(answer["access_token"])

    def _post(self, path: str, body: Mapping[str, str]) -> dict[str, Any]:
        connection = self._connection()
        try:
            connection.request("POST", path, json.dumps(body), {**_MARK, "Host": self._address.netloc})
            response = connection.getresponse()
            answer = json.loads(response.read() or b"{}")
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unreachable(f"The console at {self._url} does not answer ({type(error).__name__}).") from None
        finally:
            connection.close()
        if response.status >= 500:
            raise Unreachable(str(answer.get("detail", f"The console at {self._url} failed.")))
        if response.status >= 400:
            raise Refused(str(answer.get("detail", f"The console at {self._url} refused.")))
        return dict(answer)

    def _connection(self) -> http.client.HTTPConnection:
        """Names below localhost, which the embedded AWS uses, resolve to this machine without DNS."""
        host = self._address.hostname or ""
        if self._address.scheme == "http" and host.endswith(_LOCALHOST):
            return http.client.HTTPConnection("127.0.0.1", self._address.port, timeout=_SECONDS)
        return http.client.HTTPSConnection(host, self._address.port, timeout=_SECONDS)
