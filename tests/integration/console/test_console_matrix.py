"""Who may what: a table written by hand, against the API. Every route of the OpenAPI document is in it."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from acting import Office, Somebody, new_office
from api_asking import pipeline_after
from migrated import Migrated

from appstore_console.rights import Role
from local.aws.server import EmbeddedAws
from tests.integration.pipeline_in_process import APP, Pipeline

MATRIX = """
                                        viewer   operator  admin    limited  of an app that is not granted
GET     /health                         allowed  allowed   allowed  allowed  hidden
GET     /apps                           allowed  allowed   allowed  allowed  left out
GET     /apps/{app_id}                  allowed  allowed   allowed  allowed  hidden
GET     /apps/{app_id}/releases         allowed  allowed   allowed  allowed  hidden
GET     /tables                         allowed  allowed   allowed  allowed  hidden
GET     /kpis                           allowed  allowed   allowed  allowed  -
GET     /kpis/query                     allowed  allowed   allowed  allowed  hidden
GET     /restatements                   allowed  allowed   allowed  allowed  hidden
GET     /runs                           allowed  allowed   allowed  allowed  left out
GET     /runs/{run_id}                  allowed  allowed   allowed  allowed  hidden
GET     /runs/{run_id}/items            allowed  allowed   allowed  allowed  hidden
GET     /me                             allowed  allowed   allowed  allowed  -
GET     /views                          allowed  allowed   allowed  allowed  -
POST    /views                          allowed  allowed   allowed  allowed  -
PATCH   /views/{view_id}                allowed  allowed   allowed  allowed  -
DELETE  /views/{view_id}                allowed  allowed   allowed  allowed  -
GET     /annotations                    allowed  allowed   allowed  allowed  hidden
POST    /annotations                    refused  allowed   allowed  allowed  hidden
PATCH   /annotations/{annotation_id}    refused  allowed   allowed  allowed  hidden
DELETE  /annotations/{annotation_id}    refused  allowed   allowed  allowed  hidden
GET     /subscriptions                  allowed  allowed   allowed  allowed  -
POST    /subscriptions                  allowed  allowed   allowed  allowed  hidden
DELETE  /subscriptions/{subscription_id} allowed allowed   allowed  allowed  -
POST    /live-tickets                   allowed  allowed   allowed  allowed  -
POST    /plans                          refused  allowed   allowed  allowed  hidden
POST    /runs                           refused  allowed   allowed  allowed  -
GET     /users                          refused  refused   allowed  allowed  -
POST    /users                          refused  refused   allowed  allowed  hidden
GET     /users/{user_id}                refused  refused   allowed  allowed  -
PATCH   /users/{user_id}                refused  refused   allowed  allowed  hidden
DELETE  /users/{user_id}                refused  refused   allowed  allowed  -
POST    /users/{user_id}/invitation     refused  refused   allowed  allowed  -
DELETE  /users/{user_id}/second-factor  refused  refused   allowed  allowed  -
GET     /grants                         refused  refused   allowed  allowed  -
POST    /grants                         refused  refused   allowed  allowed  hidden
DELETE  /grants/{grant_id}              refused  refused   allowed  allowed  -
GET     /audit                          refused  refused   allowed  allowed  -
"""
"""`limited` is a person with the lowest role that may, who asks about the app that is granted to them. `hidden`: as of
an app that does not exist. `left out`: answered without a word of it. Without a role everything is refused, without a
token nothing is answered. Who manages people sees all grants, also as a limited person: they give them."""

WORDS = {"allowed", "refused", "hidden", "left", "out", "-"}
ROWS = {
    (method, path): (roles[:3], roles[3], " ".join(rest))
    for method, path, *words in (line.split() for line in MATRIX.strip().splitlines()[1:])
    for roles, rest in [(words[:4], words[4:])]
}
OTHER, UNKNOWN = "1000000002", "1000000999"
NOBODY = "f" * 32
ID = "00000000-0000-0000-0000-000000000000"
DAYS = {"start_date": "2025-05-01", "end_date": "2025-05-02"}
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/views"): {"name": "Mine", "page": "apps", "state": ""},
    ("PATCH", "/views/{view_id}"): {"name": "Yours"},
    ("POST", "/annotations"): {"app_id": "<app>", "day": "2025-06-02", "text": "A note"},
    ("PATCH", "/annotations/{annotation_id}"): {"text": "Another"},
    ("POST", "/subscriptions"): {"app_ids": ["<app>"]},
    ("POST", "/plans"): {"operation": "backfill", "arguments": {"app_ids": ["<app>"], **DAYS}},
    ("POST", "/runs"): {"plan_id": "none"},
    ("POST", "/users"): {"email": "new@example.com", "role": "viewer", "app_ids": ["<app>"]},
    ("PATCH", "/users/{user_id}"): {"app_ids": ["<app>"]},
    ("POST", "/grants"): {"user_id": NOBODY, "app_ids": ["<app>"]},
}
QUERIES = {
    "/health": "app=<app>",
    "/tables": "app=<app>",
    "/kpis/query": "metrics=total_downloads&days=7&apps=<app>",
    "/restatements": "apps=<app>",
    "/annotations": "apps=<app>",
}
_numbers = itertools.count()


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    with pipeline_after(2, rows_per_date=4) as pipeline:
        yield pipeline


@pytest.fixture(scope="module")
def runs(pipeline: Pipeline) -> dict[str, str]:
    """By app the id of a run that is about it alone."""

    def run_of(app_id: str) -> str:
        plan = pipeline.plan(operation="backfill", app_ids=[app_id], **DAYS)
        pipeline.run(plan)
        pipeline.summarize(plan)
        return plan.run_id

    return {app_id: run_of(app_id) for app_id in (APP, OTHER)}


@pytest.fixture(scope="module")
def office(pipeline: Pipeline, cluster: Migrated, embedded_aws: EmbeddedAws) -> Iterator[Office]:
    office = new_office(pipeline, cluster, embedded_aws, f"matrix-{next(_numbers)}")
    yield office
    office.close()


@pytest.fixture(scope="module")
def people(office: Office) -> dict[str, Somebody]:
    """One person for each column, and of each role one who is limited to the app."""
    everybody = {"admin too": Role.ADMIN, "nobody": None, **dict(zip(map(str, Role), Role, strict=True))}
    found = {
        name: office.somebody(
            office.person(f"{name.replace(' ', '.')}@example.com", role), *([str(role)] if role else ["none"])
        )
        for name, role in everybody.items()
    }
    for role in Role:
        user_id = office.person(f"limited.{role}@example.com", role, APP)
        found[f"limited {role}"] = office.somebody(user_id, str(role), "limited")
    return found


@pytest.fixture
def asked(office: Office, runs: dict[str, str]) -> Any:
    """One request about an app."""

    def ask(somebody: Somebody, method: str, path: str, app_id: str) -> Any:
        places = {
            "{app_id}": app_id,
            "{run_id}": runs.get(app_id, f"20250602T100000000Z-{app_id}"),
            "{user_id}": NOBODY,
        }
        address = path
        if path.startswith("/annotations/"):
            places["{annotation_id}"] = annotation(office, app_id)
        for place in ("{view_id}", "{annotation_id}", "{subscription_id}", "{grant_id}"):
            places.setdefault(place, ID)
        for place, value in places.items():
            address = address.replace(place, value)
        if method == "GET":
            query = QUERIES.get(path, "").replace("<app>", app_id)
            return somebody.get(f"{address}?{query}" if query else address)
        body = BODIES.get((method, path), {} if method == "POST" else None)
        return somebody.send(method, address, body and json.dumps(body).replace("<app>", app_id))

    return ask


def annotation(office: Office, app_id: str) -> str:
    """The id of an annotation about this app; of one that does not exist there is none."""
    if app_id == UNKNOWN:
        return ID
    words = {"app_id": app_id, "day": "2025-06-02", "text": "A note"}
    writer = next(each for each in office.accounts.all() if each.email == "admin.too@example.com")
    return str(office.somebody(writer.user_id, "admin").post("/annotations", words).json["annotation_id"])


def lowest(row: tuple[str, str]) -> Role:
    """The lowest role that may."""
    return next(role for role, word in zip(Role, ROWS[row][0], strict=True) if word == "allowed")


def row_id(row: tuple[str, str]) -> str:
    return " ".join(row)


def test_the_table_has_every_route_of_the_document_and_no_other() -> None:
    described = json.loads((Path(__file__).parents[3] / "docs" / "openapi.json").read_text())["paths"]
    assert {(method.upper(), path) for path, methods in described.items() for method in methods} == set(ROWS)
    assert {word for line in MATRIX.strip().splitlines()[1:] for word in line.split()[2:]} == WORDS


@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_each_role_may_what_the_table_says(people: dict[str, Somebody], asked: Any, row: tuple[str, str]) -> None:
    for role, word in zip(Role, ROWS[row][0], strict=True):
        status = asked(people[role], *row, APP).status
        assert (status == 403) is (word == "refused"), (role, status)
        assert status not in (401, 500, 503)
    assert asked(people["nobody"], *row, APP).status == 403
    assert ROWS[row][1] == "allowed"
    assert asked(people[f"limited {lowest(row)}"], *row, APP).status not in (401, 403)


@pytest.mark.parametrize("row", [row for row, words in ROWS.items() if words[2] != "-"], ids=row_id)
def test_a_limited_person_learns_nothing_of_another_app(
    people: dict[str, Somebody], asked: Any, runs: dict[str, str], row: tuple[str, str]
) -> None:
    limited = people[f"limited {lowest(row)}"]
    answer = asked(limited, *row, OTHER)
    if ROWS[row][2] == "left out":
        assert answer.status == 200
        assert all(text not in answer.text for text in (OTHER, runs[OTHER]))
        return
    unknown = asked(limited, *row, UNKNOWN)
    assert (answer.status, unknown.status) == (404, 404)
    names = {OTHER: UNKNOWN, runs[OTHER]: f"20250602T100000000Z-{UNKNOWN}"}
    told = answer.text
    for name, other in names.items():
        told = told.replace(name, other)
    assert told == unknown.text


@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_whoever_is_not_signed_in_gets_no_answer(people: dict[str, Somebody], asked: Any, row: tuple[str, str]) -> None:
    viewer = people["viewer"]
    stranger = Somebody(viewer.api, None, "", viewer.reading)
    assert asked(stranger, *row, APP).status == 401
