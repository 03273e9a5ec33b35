"""The API of a pipeline in the test's process, called with the gateway's events by each kind of person."""

import gzip
import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import boto3
import pytest

from appstore_analytics.answers.installation import Installation
from appstore_analytics.contract.names import Database
from appstore_console.connections import DatabaseClients, PipelineClients
from appstore_console.console import Console
from appstore_console.database.connection import Database as Postgres
from appstore_console.database.data import ApplicationData
from appstore_console.http.api import ROOT, Api
from appstore_console.http.asked import Asking
from appstore_console.routes.reading import READING
from appstore_console.settings import DatabaseSettings
from local.apple import World, WorldSettings
from tests.aws_in_process import aws_in_process
from tests.integration.answers.asking import FIRST, days
from tests.integration.pipeline_in_process import DOWNLOADS, Pipeline

PERSON = "0123456789abcdef0123456789abcdef"
_STATES = {"Plan": {"Type": "Pass", "End": True}}


@contextmanager
def pipeline_after(
    days_of_runs: int, *, rows_per_date: int, reports: tuple[str, ...] = (DOWNLOADS,), **settings: int
) -> Iterator[Pipeline]:
    """Two apps on moto's AWS, whose credentials the console's functions find in the environment."""
    with pytest.MonkeyPatch.context() as environment, aws_in_process():
        for name, value in (("DEFAULT_REGION", "us-east-1"), ("ACCESS_KEY_ID", "test"), ("SECRET_ACCESS_KEY", "test")):
            environment.setenv(f"AWS_{name}", value)
        sizes = WorldSettings(today=FIRST, apps=2, rows_per_date=rows_per_date, segments_per_instance=1, **settings)
        pipeline = Pipeline(World(sizes), reports=reports)
        days(pipeline, days_of_runs)
        yield pipeline


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Caller:
    """A person who sends requests. With `groups` None they are not signed in."""

    api: Api
    groups: tuple[str, ...] | None = ("viewer",)
    user_id: str = PERSON

    def get(self, address: str, **headers: str) -> Answer:
        return self.send("GET", address, **headers)

    def send(self, method: str, address: str, body: str | None = None, **headers: str) -> Answer:
        path, _, query = address.partition("?")
        return self.answer(event(method, path, query, self.claims, body, headers))

    def answer(self, sent: dict[str, Any]) -> Answer:
        response = self.api(sent, SimpleNamespace(get_remaining_time_in_millis=lambda: 20_000))
        body = response["body"] or ""
        headers = {**response["headers"], **response.get("multiValueHeaders", {})}
        text = gzip.decompress(b64decode(body)).decode() if response["isBase64Encoded"] else body
        return Answer(response["statusCode"], headers, text)

    @property
    def claims(self) -> dict[str, str] | None:
        if self.groups is None:
            return None
        return {"username": self.user_id, "token_use": "access", "cognito:groups": f"[{' '.join(self.groups)}]"}


def event(
    method: str, path: str, query: str, claims: dict[str, str] | None, body: str | None, headers: Mapping[str, str]
) -> dict[str, Any]:
    """An event of an HTTP API, payload format 2.0."""
    together: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        together.setdefault(name, []).append(value)
    context: dict[str, Any] = {
        "http": {"method": method, "path": ROOT + path},
        "requestId": "request-1",
        "stage": "$default",
    }
    if claims is not None:
        context["authorizer"] = {"jwt": {"claims": claims, "scopes": None}}
    return {
        "version": "2.0",
        "rawPath": ROOT + path,
        "rawQueryString": query,
        "queryStringParameters": {name: ",".join(values) for name, values in together.items()},
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "requestContext": context,
        "body": body,
        "isBase64Encoded": False,
    }


def console_of(pipeline: Pipeline, data: ApplicationData) -> Console:
    """A console over this pipeline, whose state machine and Athena are moto's."""
    machine = boto3.client("stepfunctions").create_state_machine(
        name="pipeline",
        definition=json.dumps(
            {"StartAt": "Plan", "configuration": pipeline.configuration.to_payload(), "States": _STATES}
        ),
        roleArn="arn:aws:iam::123456789012:role/pipeline",
    )
    outputs = {
        "StateMachineArn": machine["stateMachineArn"],
        "RegistryTable": "registry",
        "LakeBucket": "lake",
        "RawBucket": "raw",
        "Workgroup": "analytics",
        **{each.output: str(each) for each in Database},
    }
    opened = partial(Installation, outputs, PipelineClients(), pipeline.clock)
    return Console(opened, data, pipeline.clock, "cron(0 12 * * ? *)")


def nowhere() -> ApplicationData:
    """Application data in an unreachable PostgreSQL: nothing listens on this port."""
    settings = DatabaseSettings("console_read", "127.0.0.1:1", "", database_without_tls=True)
    return ApplicationData.over(Postgres(settings, DatabaseClients(), sleep=lambda _: None))


def api_of(console: Console) -> Api:
    return Api(READING, Asking(console))
