"""What console_web answers: a page, or a step of signing in. It holds no data and may do nothing in AWS."""

from collections.abc import Mapping
from typing import Any

from appstore_console.answering import Answer
from appstore_console.login import routes
from appstore_console.login.cognito import Login
from appstore_console.pages import Pages


def answer(event: Mapping[str, Any], pages: Pages, login: Login) -> Answer:
    """The answer to one request of a browser."""
    path = str(event["rawPath"])
    if path.startswith(routes.PREFIX):
        return routes.answer(login, event)
    return pages.answer(path, event["headers"])
