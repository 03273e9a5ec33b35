import gzip
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import jwt
import pytest
import requests

from local.apple import ApiKey, AppStoreConnect, World, WorldSettings, mount

APPLE = "https://api.appstoreconnect.apple.com"


@dataclass
class WallClock:
    seconds: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.seconds


def claims(key: ApiKey, now: float, **changes: object) -> dict[str, Any]:
    party = {"iss": key.issuer_id} if key.issuer_id else {"sub": "user"}
    whole = {**party, "iat": int(now), "exp": int(now) + 1200, "aud": "appstoreconnect-v1", **changes}
    return {name: value for name, value in whole.items() if value is not None}


def token(key: ApiKey, now: float, kid: str | None = None, **changes: object) -> str:
    return jwt.encode(claims(key, now, **changes), key.private_key_pem, "ES256", {"kid": kid or key.key_id})


@dataclass
class Client:
    world: World
    clock: WallClock
    session: requests.Session
    app_id: str = "1000000001"

    def sign_in(self, key: ApiKey, **changes: object) -> None:
        self.session.headers["Authorization"] = f"Bearer {token(key, self.clock(), **changes)}"

    def get(self, path: str, **query: str | int) -> requests.Response:
        params = {name.replace("__", "[") + ("]" if "__" in name else ""): value for name, value in query.items()}
        return self.session.get(path if path.startswith("https:") else APPLE + path, params=params)

    def data(self, path: str, **query: str | int) -> list[dict[str, Any]]:
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def create(self, access_type: str = "ONGOING", app_id: str = "1000000001") -> requests.Response:
        app = {"data": {"type": "apps", "id": app_id}}
        resource = {
            "type": "analyticsReportRequests",
            "attributes": {"accessType": access_type},
            "relationships": {"app": app},
        }
        return self.session.post(f"{APPLE}/v1/analyticsReportRequests", json={"data": resource})

    def created(self, access_type: str = "ONGOING", app_id: str = "1000000001") -> str:
        answer = self.create(access_type, app_id)
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]["id"]

    def report_id(self, request_id: str, name: str) -> str:
        (report,) = self.data(f"/v1/analyticsReportRequests/{request_id}/reports", filter__name=name)
        return report["id"]

    def instances(self, request_id: str, name: str, **query: str | int) -> dict[str, str]:
        found = self.data(f"/v1/analyticsReports/{self.report_id(request_id, name)}/instances", limit=200, **query)
        return {each["attributes"]["processingDate"]: each["id"] for each in found}

    def segments(self, instance_id: str) -> list[dict[str, Any]]:
        found = self.data(f"/v1/analyticsReportInstances/{instance_id}/segments")
        return [each["attributes"] for each in found]

    def download(self, url: str) -> requests.Response:
        return self.session.get(url, headers={"Authorization": None})

    def lines(self, instance_id: str, separator: str = "\t") -> list[list[str]]:
        """Header and rows of all segments."""
        header, rows = [], []
        for segment in self.segments(instance_id):
            text = gzip.decompress(self.download(segment["url"]).content).decode()
            header, *more = [line.split(separator) for line in text.splitlines()]
            rows += more
        return [header, *rows]

    def rows_by_date(self, instance_id: str) -> dict[str, list[list[str]]]:
        header, *rows = self.lines(instance_id)
        at = next(header.index(name) for name in ("Date", "Event Date", "Install Day") if name in header)
        return {day: [row for row in rows if row[at] == day] for day in sorted({row[at] for row in rows})}


@pytest.fixture
def start() -> Callable[..., Client]:
    """Starts a world with these settings, signed in with its Admin key."""

    def started(**settings: Any) -> Client:
        world = World(WorldSettings(today=date(2026, 6, 1), **{"rows_per_date": 20, **settings}))
        clock = WallClock()
        session = requests.Session()
        mount(session, AppStoreConnect(world, wall_seconds=clock))
        client = Client(world, clock, session)
        client.sign_in(world.admin_key)
        return client

    return started


@pytest.fixture
def client(start: Callable[..., Client]) -> Client:
    return start()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not os.environ.get("OPENAPI"):
        terminalreporter.write_line(
            "NOT RUN: the comparison with Apple's OpenAPI document; OPENAPI=FILE names a copy of it.", yellow=True
        )
