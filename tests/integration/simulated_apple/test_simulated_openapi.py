"""Client and simulation against Apple's OpenAPI document: our requests, and the simulation's answers and refusals.

OPENAPI=app_store_connect_api.json ./run_tests.sh tests/integration/simulated_apple/test_simulated_openapi.py
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from local.apple import Fault, FaultKind
from local.apple.routes import ROUTES
from tests.integration.simulated_apple.openapi import Json, OpenApi
from tests.unit.apple.apple_in_process import APP, LATEST, Apple, report_id

FILE = os.environ.get("OPENAPI", "")
pytestmark = pytest.mark.skipif(not FILE, reason="OPENAPI=FILE names no copy of Apple's OpenAPI document")


@pytest.fixture(scope="module")
def apple_says() -> OpenApi:
    return OpenApi.read(Path(FILE))


@pytest.fixture
def ids(client) -> dict[str, str]:
    """An id for each path with one."""
    request = client.created()
    client.world.advance(1)
    report = client.report_id(request, "App Downloads Standard")
    (instance,) = client.instances(request, "App Downloads Standard").values()
    (segment, *_) = client.data(f"/v1/analyticsReportInstances/{instance}/segments")
    return {
        "apps": "1000000001",
        "analyticsReportRequests": request,
        "analyticsReports": report,
        "analyticsReportInstances": instance,
        "analyticsReportSegments": segment["id"],
    }


def address(path: str, ids: dict[str, str]) -> str:
    return path.replace("{id}", ids[path.split("/")[2]]) if "{id}" in path else path


def values_of(name: str, schema: Json) -> Iterator[str]:
    """Possible values of a parameter: each word of a list, or one value of its type."""
    if schema["type"] == "array":
        words = schema["items"].get("enum", ["2026-06-02" if name == "filter[processingDate]" else "anything"])
        yield from words
        yield ",".join(words[:3])
    elif schema["type"] == "integer":
        yield from ("1", str(schema["maximum"]))
    else:
        yield from ("true", "false")


def wrong_values_of(schema: Json) -> Iterator[str]:
    if schema["type"] == "array" and "enum" in schema["items"]:
        yield from ("bananas", f"{schema['items']['enum'][0]},bananas")
    elif schema["type"] == "integer":
        yield from ("0", "-1", "x", "1.5", str(schema["maximum"] + 1))
    elif schema["type"] == "boolean":
        yield "maybe"


FOREIGN_FIELDS = ("analytics", "apps]", "appStoreVersions]", "users]")
GETS = [route for route in ROUTES if route.method == "GET"]


def is_checked(name: str) -> bool:
    """Fields of resources that are not simulated are missing."""
    return not name.startswith("fields[") or name.removeprefix("fields[").startswith(FOREIGN_FIELDS)


def test_every_route_is_declared_and_every_declared_route_of_analytics_is_there(apple_says: OpenApi) -> None:
    ours = {(route.method, route.path) for route in ROUTES}
    declared = {
        (method.upper(), path)
        for path, methods in apple_says.paths.items()
        for method in methods
        if method != "parameters"
    }
    assert ours <= declared
    assert {(method, path) for method, path in declared if "analyticsReport" in path} <= ours


@pytest.mark.parametrize("route", GETS, ids=lambda route: route.name)
def test_every_declared_parameter_is_known_and_every_answer_is_of_its_schema(apple_says, client, ids, route) -> None:
    schema = apple_says.answer_schema("GET", route.path, 200)
    declared = apple_says.parameters("GET", route.path)
    queries = [{name: value} for name, each in declared.items() for value in values_of(name, each)]
    for query in [{}, *queries]:
        answer = client.session.get(f"https://api.appstoreconnect.apple.com{address(route.path, ids)}", params=query)
        assert answer.status_code == 200, (query, answer.text)
        assert [*apple_says.wrong_body(schema, answer.json())] == [], query


@pytest.mark.parametrize("route", GETS, ids=lambda route: route.name)
def test_what_the_document_does_not_allow_is_refused_by_the_parameters_name(apple_says, client, ids, route) -> None:
    declared = apple_says.parameters("GET", route.path)
    wrong = [(name, value) for name, each in declared.items() if is_checked(name) for value in wrong_values_of(each)]
    for name, value in [*wrong, ("filter[bananas]", "1"), ("sort", "bananas"), ("bananas", "1")]:
        answer = client.session.get(
            f"https://api.appstoreconnect.apple.com{address(route.path, ids)}", params={name: value}
        )
        assert answer.status_code == 400, (name, value)
        assert answer.json()["errors"][0]["source"] == {"parameter": name}
        assert [*apple_says.wrong_body(apple_says.answer_schema("GET", route.path, 400), answer.json())] == []


def bodies(good: Json) -> Iterator[Json]:
    """The body without each of its parts, and with each of its strings changed."""

    def places(value: Json, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
        for name, below in value.items():
            yield (*path, name)
            if isinstance(below, dict):
                yield from places(below, (*path, name))

    for path in places(good):
        for change in ("missing", "bananas", 7, None, []):
            body = json.loads(json.dumps(good))
            below = body
            for name in path[:-1]:
                below = below[name]
            if change == "missing":
                del below[path[-1]]
            else:
                below[path[-1]] = change
            yield body


def test_a_body_that_the_document_does_not_allow_creates_nothing(apple_says, client) -> None:
    route = "/v1/analyticsReportRequests"
    schema = apple_says.request_schema("POST", route)
    app = {"data": {"type": "apps", "id": "1000000001"}}
    good = {"type": "analyticsReportRequests", "attributes": {"accessType": "ONGOING"}, "relationships": {"app": app}}
    refused = 0
    for body in bodies({"data": good}):
        if not [*apple_says.wrong_body(schema, body)]:
            continue
        answer = client.session.post(f"https://api.appstoreconnect.apple.com{route}", json=body)
        assert answer.status_code in (400, 409, 422), body
        assert [
            *apple_says.wrong_body(apple_says.answer_schema("POST", route, answer.status_code), answer.json())
        ] == []
        refused += 1
    assert refused > 30
    assert client.world.requests_of("1000000001") == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429])
def test_an_error_is_of_its_schema(apple_says, client, status) -> None:
    client.world.faults.order(Fault(FaultKind.STATUS, status=status))
    answer = client.create()
    schema = apple_says.document["components"]["schemas"]["ErrorResponse"]
    assert [*apple_says.wrong_body(schema, answer.json())] == []


def test_our_client_sends_only_what_the_document_allows(apple_says) -> None:
    apple = Apple(segments_per_instance=2)
    client = apple.client
    client.app_names()
    client.versions(APP)
    made = client.create_report_request(APP, AccessType.ONGOING)
    client.create_report_request(APP, AccessType.ONE_TIME_SNAPSHOT)
    for access_type in AccessType:
        client.report_requests(APP, access_type)
    apple.world.advance(1)
    report = report_id(client, made.id)
    for granularity in Granularity:
        client.instances(report, granularity, LATEST)
    (instance,) = client.instances(report, Granularity.DAILY, LATEST).listed
    client.segments(instance.id)
    client.delete_report_request(made.id)
    assert len(apple.wire.calls) == 13
    for call in apple.wire.calls:
        method, path = call["REQUEST_METHOD"], apple_says.path_of(call["PATH_INFO"])
        assert path is not None, call["PATH_INFO"]
        assert apple_says.wrong_query(method, path, dict(parse_qsl(call["QUERY_STRING"]))) == []
        if method == "POST":
            call["wsgi.input"].seek(0)
            body = json.loads(call["wsgi.input"].read())
            assert [*apple_says.wrong_body(apple_says.request_schema(method, path), body)] == []
