"""console_web: serves the pages and the login. It has no data and no AWS permissions."""

from collections.abc import Mapping
from typing import Any

from appstore_console.answering import Answer
from appstore_console.login import routes
from appstore_console.login.cognito import Login
from appstore_console.pages import Pages


def answer(event: Mapping[str, Any], pages: Pages, login: Login) -> Answer:
    """The response to one request of a browser."""
    path = str(event["rawPath"])
    if path.startswith(routes.PREFIX):
        return routes.answer(login, event)
    return pages.answer(path, event["headers"])
