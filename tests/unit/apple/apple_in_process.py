"""The client against an application in the test's process, which records all requests."""

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from itertools import chain, repeat
from typing import Any, NoReturn

import requests

from appstore_analytics.apple.client import AppStoreConnect
from appstore_analytics.apple.keys import ApiKey, Tokens
from appstore_analytics.apple.rate_limit import RateLimit
from appstore_analytics.contract.errors import CallsUnavailable, KeyDoubted
from local.apple import AppStoreConnect as SimulatedApp
from local.apple import World, WorldSettings, mount
from local.apple.adapter import APPLE_URL
from local.apple.http import Answer, Application, Environ, send
from tests.clock import Clock

APP = "1000000001"
LATEST = date(2026, 12, 31)
STORAGE_URL = "https://asp-us-west-2.s3.us-west-2.amazonaws.com"


@dataclass
class Wire:
    """An application that records its calls."""

    application: Application
    calls: list[Environ] = field(default_factory=list)

    def __call__(self, environ: Environ, start_response: Any) -> Any:
        self.calls.append(environ)
        return self.application(environ, start_response)

    @property
    def methods(self) -> list[str]:
        return [call["REQUEST_METHOD"] for call in self.calls]

    @property
    def queries(self) -> list[str]:
        return [call["QUERY_STRING"] for call in self.calls]

    @property
    def authorizations(self) -> list[str | None]:
        return [call.get("HTTP_AUTHORIZATION") for call in self.calls]


def answering(*answers: Answer | Exception) -> Wire:
    """An application with these answers in turn, the last one repeated; exceptions are raised by the transport."""
    remaining = chain(answers, repeat(answers[-1]))

    def application(environ: Environ, start_response: Any) -> Any:
        answer = next(remaining)
        if isinstance(answer, Exception):
            raise answer
        return send(answer, start_response)

    return Wire(application)


@dataclass
class SpentCalls:
    """An unlimited call budget, which records its calls."""

    taken: int = 0
    limits: list[RateLimit] = field(default_factory=list)
    refusals: list[RateLimit] = field(default_factory=list)

    def take(self) -> None:
        self.taken += 1

    def answered(self, limit: RateLimit) -> None:
        self.limits.append(limit)

    def refused(self, limit: RateLimit) -> NoReturn:
        self.refusals.append(limit)
        raise CallsUnavailable("Apple throttles this key.", datetime(2026, 6, 2, 11, 0, tzinfo=UTC))

    def rejected(self, code: str) -> NoReturn:
        raise KeyDoubted(f"App Store Connect does not accept the key ({code}).")


def secret_of(key: Any, **changes: Any) -> str:
    secret = {"key_id": key.key_id, "issuer_id": key.issuer_id, "private_key": key.private_key_pem, **changes}
    return json.dumps({name: value for name, value in secret.items() if value is not None})


class Apple:
    """A world, a client signed in with its Admin key, and the wire between them.

    Every other https URL leads to `elsewhere`, which must never receive a request.
    """

    def __init__(self, application: Application | None = None, **settings: Any) -> None:
        self.clock = Clock()
        settings = {"today": self.clock.now.date(), "rows_per_date": 5, "segment_base_url": STORAGE_URL, **settings}
        self.world = World(WorldSettings(**settings))
        self.wire = Wire(application or SimulatedApp(self.world, wall_seconds=self.clock.seconds))
        self.elsewhere = answering(Answer(200, b'{"data": []}'))
        self.session = requests.Session()
        mount(self.session, self.wire, APPLE_URL, STORAGE_URL)
        mount(self.session, self.elsewhere, "https://", "http://")
        self.sign_in(self.world.admin_key)

    def sign_in(self, key: Any) -> None:
        self.key = key
        self.calls = SpentCalls()
        self.tokens = Tokens(partial(ApiKey.from_secret, secret_of(key), "the secret"), self.clock)
        self.client = AppStoreConnect(self.session, APPLE_URL, self.tokens, self.calls)


def report_id(client: AppStoreConnect, request_id: str, name: str = "App Downloads Standard") -> str:
    (found,) = (report.id for report in client.reports(request_id) if report.name == name)
    return found
