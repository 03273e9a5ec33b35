"""Calls the API in this process: `python -m benchmarks.console.job OUTPUTS APPS TIMES` prints the figures as JSON.

CPU time is that of the process with all its threads, including boto3, without AWS. Each question is put to a console
with an empty cache (cold), then again (warm), then with the answer's ETag.
"""

import json
import sys
import time
from collections import Counter
from functools import partial
from statistics import median, quantiles
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

_BEGAN = time.process_time()

from botocore.client import BaseClient  # noqa: E402

from appstore_analytics.answers.installation import Installation  # noqa: E402 (what is imported is measured)
from appstore_console.connections import DatabaseClients, PipelineClients  # noqa: E402
from appstore_console.console import Console  # noqa: E402
from appstore_console.database.connection import Database  # noqa: E402
from appstore_console.database.data import ApplicationData  # noqa: E402
from appstore_console.http.api import ROOT, Api  # noqa: E402
from appstore_console.http.asked import Asking  # noqa: E402
from appstore_console.routes.reading import READING  # noqa: E402
from appstore_console.settings import DatabaseSettings  # noqa: E402
from benchmarks.console.questions import QUESTIONS, Question  # noqa: E402
from benchmarks.scale.aws import NOON  # noqa: E402

_CLAIMS = {"username": "0" * 32, "token_use": "access", "cognito:groups": "[viewer]"}
_CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 20_000)


def _count_calls() -> Counter[str]:
    """A counter of the calls to S3 from now on."""
    calls: Counter[str] = Counter()
    call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def counted(client: Any, name: str, values: Any) -> Any:
        calls["listings" if name.startswith("List") else "reads"] += client.meta.service_model.service_name == "s3"
        return call(client, name, values)

    BaseClient._make_api_call = counted  # type: ignore[attr-defined]
    return calls


def main(outputs: str, apps: str, times: str) -> None:
    """Measure every question."""
    clients, calls = PipelineClients(), _count_calls()
    _asked(_api(outputs, clients), QUESTIONS[0], int(apps))
    cold_start = {"cpu_seconds": time.process_time(), "imports_cpu_seconds": _IMPORTED - _BEGAN}
    questions = {
        question.name: _measured(_api(outputs, clients), calls, question, int(apps), int(times))
        for question in QUESTIONS
    }
    sys.stdout.write(f"{json.dumps({'cold_start': cold_start, 'questions': questions})}\n")


def _api(outputs: str, clients: PipelineClients) -> Api:
    """A console with an empty cache. The person sees all apps, so no database is needed."""
    nowhere = DatabaseSettings("console_read", "127.0.0.1:1", "", database_without_tls=True)
    data = ApplicationData.over(Database(nowhere, DatabaseClients()))
    opened = partial(Installation, json.loads(outputs), clients, lambda: NOON)
    return Api(READING, Asking(Console(opened, data, lambda: NOON, "cron(0 12 * * ? *)")))


def _measured(api: Api, calls: Counter[str], question: Question, apps: int, times: int) -> dict[str, Any]:
    calls.clear()
    cold = _asked(api, question, apps)
    asked_of_s3 = dict(calls)
    warm = [_asked(api, question, apps) for _ in range(times)]
    unchanged = [_asked(api, question, apps, etag=cold["etag"]) for _ in range(times)]
    if {each["status"] for each in unchanged} != {304}:
        raise AssertionError(f"{question.name}: the ETag of an answer did not save making it again.")
    walls = [each["wall_seconds"] for each in warm]
    return {
        "cold_cpu_seconds": cold["cpu_seconds"],
        "warm_cpu_seconds": median(each["cpu_seconds"] for each in warm),
        "unchanged_cpu_seconds": median(each["cpu_seconds"] for each in unchanged),
        "p50_seconds": median(walls),
        "p95_seconds": quantiles(walls, n=20)[-1],
        "s3_reads": asked_of_s3.get("reads", 0),
        "s3_listings": asked_of_s3.get("listings", 0),
        "bytes": cold["bytes"],
        "sql": cold["sql"],
    }


def _asked(api: Api, question: Question, apps: int, etag: str = "") -> dict[str, Any]:
    event = _event(question.address(apps), etag)
    cpu, wall = time.process_time(), time.perf_counter()
    response = api(event, _CONTEXT)
    spent = {"cpu_seconds": time.process_time() - cpu, "wall_seconds": time.perf_counter() - wall}
    body = response["body"] or ""
    if response["statusCode"] >= 400:
        raise AssertionError(f"{question.name}: {response['statusCode']} {body[:300]}")
    is_plain = body and not response["isBase64Encoded"]
    return {
        **spent,
        "status": response["statusCode"],
        "etag": {**response["headers"], **response.get("multiValueHeaders", {})}.get("ETag", ""),
        "bytes": len(body),
        "sql": json.loads(body).get("sql", "") if is_plain else "",
    }


def _event(address: str, etag: str) -> dict[str, Any]:
    """An event of an HTTP API, payload format 2.0."""
    path, _, query = address.partition("?")
    return {
        "version": "2.0",
        "rawPath": ROOT + path,
        "rawQueryString": query,
        "queryStringParameters": dict(parse_qsl(query)),
        "headers": {"if-none-match": etag} if etag else {},
        "requestContext": {
            "http": {"method": "GET", "path": ROOT + path},
            "requestId": "request-1",
            "stage": "$default",
            "authorizer": {"jwt": {"claims": _CLAIMS, "scopes": None}},
        },
        "body": None,
        "isBase64Encoded": False,
    }


_IMPORTED = time.process_time()

if __name__ == "__main__":
    main(*sys.argv[1:])
