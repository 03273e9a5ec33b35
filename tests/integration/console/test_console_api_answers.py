"""The contents of answers, and the errors of invalid requests."""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from api_asking import Caller, api_of, console_of, event, pipeline_after
from hypothesis import given
from hypothesis import strategies as st
from migrated import Migrated
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse
from openapi_spec_validator import validate

from appstore_console.database.data import ApplicationData
from appstore_console.http import outgoing
from appstore_console.http.api import ROOT
from appstore_console.http.asked import Asked
from appstore_console.http.outgoing import csv_text
from appstore_console.http.problems import PROBLEM_JSON
from appstore_console.routes.reading import READING
from appstore_console.schemas.document import document
from tests.integration.answers.asking import FIRST, days
from tests.integration.pipeline_in_process import APP, Pipeline

KPIS = "metrics=total_downloads&metrics=impressions&days=7"
REPORTS = ("App Downloads Standard", "App Store Discovery and Engagement Standard")


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    with pipeline_after(4, rows_per_date=6, reports=REPORTS) as pipeline:
        yield pipeline


@pytest.fixture(scope="module")
def viewer(pipeline: Pipeline, cluster: Migrated) -> Iterator[Caller]:
    with closing(cluster.database("console_read")) as database:
        yield Caller(api_of(console_of(pipeline, ApplicationData.over(database))))


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return document(READING)


@pytest.fixture(scope="module")
def openapi(described: dict[str, Any]) -> OpenAPI:
    return OpenAPI.from_dict(described, Config(extra_media_type_deserializers={PROBLEM_JSON: json.loads}))


def test_the_document_is_valid_openapi(described: dict[str, Any]) -> None:
    validate(described)
    assert described["openapi"].startswith("3.1")


@pytest.mark.parametrize(
    "address",
    [
        "/health",
        f"/health?app={APP}",
        "/apps",
        "/apps?sort=verdict&order=asc&limit=1&days=7",
        f"/apps/{APP}",
        f"/apps/{APP}/releases?from=2025-06-01",
        "/tables?days=7",
        f"/tables?app={APP}&main=true",
        "/kpis",
        f"/kpis/query?{KPIS}",
        f"/kpis/query?{KPIS}&by=territory&limit=2&compare=previous",
        "/kpis/query?metrics=total_downloads&from=2025-06-02&to=2025-06-05&granularity=week",
        "/restatements",
        f"/restatements?apps={APP}&from=2025-06-02&to=2025-06-05",
        "/restatements?from=2025-06-05&to=2025-06-02",
        "/runs",
        "/runs/newest",
        "/runs/newest/items",
        "/me",
        "/views",
        "/annotations",
        "/subscriptions",
        "/runs/nothing-of-this-name",
        "/apps/9",
        "/apps?limit=0",
    ],
)
def test_each_answer_is_as_the_document_has_it(viewer: Caller, openapi: OpenAPI, address: str) -> None:
    answer = viewer.get(address)
    path, _, query = address.partition("?")
    pairs = [pair.split("=") for pair in query.split("&") if pair]
    request = MockRequest(
        "http://localhost",
        "get",
        ROOT + path,
        args=dict(pairs),
        headers={"Authorization": "Bearer x"},
    )
    response = MockResponse(
        answer.text.encode(), answer.status, dict(answer.headers), content_type=answer.headers["Content-Type"]
    )
    openapi.validate_response(request, response)
    if answer.status == 200:
        assert {"is_good", "sentence", "as_of"} <= answer.json.keys()


def test_an_answer_says_when_it_is_of_and_may_be_kept_only_to_be_asked_about(
    viewer: Caller, pipeline: Pipeline
) -> None:
    answer = viewer.get("/health")
    assert answer.json["as_of"] == pipeline.clock.now.isoformat(timespec="seconds")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert "Accept" in answer.headers["Vary"]


def test_what_has_not_changed_is_not_sent_again(viewer: Caller, pipeline: Pipeline) -> None:
    for address in ("/apps", f"/kpis/query?{KPIS}", "/kpis", "/runs", "/me"):
        tag = viewer.get(address).headers["ETag"]
        again = viewer.get(address, If_None_Match=f'"other", {tag}')
        assert (again.status, again.text) == (304, ""), address
        assert again.headers["ETag"] == tag
        assert viewer.get(address, If_None_Match='W/"other"').status == 200


def test_stages_have_the_names_by_which_the_pages_know_them(viewer: Caller) -> None:
    stages = viewer.get("/runs/newest").json["stages"]
    assert {stage["name"] for stage in stages} <= {"register", "restore", "land", "publish", "verify"}


def test_an_answer_without_a_body_has_an_empty_one(viewer: Caller) -> None:
    """The embedded gateway answers 500 to a body that is null."""
    tag = viewer.get("/me").headers["ETag"]
    sent = event("GET", "/me", "", viewer.claims, None, {"if-none-match": tag})
    answer = viewer.api(sent, SimpleNamespace(get_remaining_time_in_millis=lambda: 20_000))
    assert (answer["statusCode"], answer["body"]) == (304, "")


def test_new_numbers_have_a_new_version(viewer: Caller, pipeline: Pipeline) -> None:
    tag = viewer.get(f"/kpis/query?{KPIS}").headers["ETag"]
    days(pipeline, 1)
    assert viewer.get(f"/kpis/query?{KPIS}", If_None_Match=tag).status == 200


def test_the_list_and_an_apps_own_page_have_one_verdict(viewer: Caller) -> None:
    """Also while some tables have no final Date yet, as in the first days."""
    for row in viewer.get("/apps").json["apps"]:
        assert row["verdict"] == viewer.get(f"/apps/{row['app_id']}").json["verdict"]


def test_an_answer_is_made_once_and_again_while_a_run_is_under_way(
    viewer: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    make = outgoing._made

    def counted(asked: Asked, arguments: Any, *, as_csv: bool) -> str:
        made.append(asked.incoming.path)
        return make(asked, arguments, as_csv=as_csv)

    monkeypatch.setattr(outgoing, "_made", counted)
    address = "/tables?days=9"
    first, second = viewer.get(address), viewer.get(address)
    assert (made, first.json) == (["/tables"], second.json)
    assert viewer.get(address, If_None_Match=first.headers["ETag"]).status == 304
    assert len(made) == 1

    machines = boto3.client("stepfunctions")
    arn = machines.list_state_machines()["stateMachines"][0]["stateMachineArn"]
    run = machines.start_execution(stateMachineArn=arn, name="under-way")["executionArn"]
    viewer.get(address)
    viewer.get(address)
    assert len(made) == 3
    machines.stop_execution(executionArn=run)
    assert viewer.get(address).headers["ETag"] != first.headers["ETag"]
    viewer.get(address)
    assert len(made) == 4


def test_an_answer_that_was_made_before_says_when_it_is_of(viewer: Caller, pipeline: Pipeline) -> None:
    viewer.get("/tables?days=8")
    pipeline.clock.now += timedelta(seconds=30)
    assert viewer.get("/tables?days=8").json["as_of"] == pipeline.clock.now.isoformat(timespec="seconds")


def test_csv_and_json_have_the_same_numbers(viewer: Caller) -> None:
    address = "/kpis/query?metrics=total_downloads&from=2025-06-02&to=2025-06-05"
    rows = [*csv.DictReader(io.StringIO(viewer.get(address, Accept="text/csv").text))]
    (series,) = viewer.get(address).json["series"]
    assert [(row["dt"], row["value"]) for row in rows] == [
        (point["day"], "" if point["value"] is None else str(point["value"])) for point in series["points"]
    ]
    assert len(rows) == 4


def test_csv_of_what_is_no_table_is_refused(viewer: Caller) -> None:
    answer = viewer.get("/health", Accept="text/csv")
    assert (answer.status, answer.json["field"]) == (406, "Accept")
    assert viewer.get("/health", Accept="text/csv, */*;q=0.1").status == 200
    assert viewer.get("/apps", Accept="application/json, text/csv").headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_text_becomes_a_formula(text: str) -> None:
    ((cell, number, nothing),) = csv.reader(io.StringIO(csv_text([(text, -1, None)]), newline=""))
    assert cell == f"'{text}"
    assert (number, nothing) == ("-1", "")


@pytest.mark.parametrize(
    ("address", "field", "words"),
    [
        ("/apps?limit=201", "limit", "must be at most 200"),
        ("/apps?limit=many", "limit", "must be a whole number"),
        ("/apps?limt=5", "limt", "is unknown here"),
        ("/apps?sort=nothing", "sort", "verdict"),
        ("/apps?metrics=nothing", "metrics", "nothing"),
        ("/apps?cursor=AAAA", "cursor", "cursor"),
        ("/health?app=1%20OR%201", "app", "pattern"),
        ("/kpis/query", "metrics", "is missing"),
        ("/kpis/query?metrics=nothing", "metrics", "nothing"),
        (f"/kpis/query?{KPIS}&from=2025-06-02", "days", "cannot be combined"),
        ("/kpis/query?metrics=total_downloads&from=yesterday", "from", "2026-01-31"),
        ("/kpis/query?metrics=total_downloads&from=2025-06-05&to=2025-06-02", "", "2025-06-05"),
        ("/kpis/query?metrics=total_downloads&by=nothing", "by", "nothing"),
        ("/kpis/query?metrics=total_downloads&compare=never", "compare", "must be one of"),
        ("/runs?status=odd", "status", "must be one of"),
    ],
)
def test_what_is_wrong_with_a_question_is_one_sentence_that_names_the_field(
    viewer: Caller, address: str, field: str, words: str
) -> None:
    answer = viewer.get(address)
    assert answer.status == 400, answer.text
    problem = answer.json
    assert words in problem["detail"]
    if field and problem["field"]:
        assert problem["field"] == field
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/apps/", 404),
        ("GET", "/apps/1/2", 404),
        ("GET", "/apps/..", 404),
        ("DELETE", "/apps", 405),
        ("HEAD", "/apps", 405),
        ("POST", "/kpis/query", 405),
    ],
)
def test_an_address_that_is_not_there_answers_nothing(viewer: Caller, method: str, path: str, status: int) -> None:
    assert viewer.send(method, path).status == status


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ("{", {}, 400),
        ('{"a": NaN}', {}, 400),
        ("[" * 200 + "]" * 200, {}, 400),
        ("[" * 60_000, {}, 400),
        ("x" * 70_000, {}, 413),
        ("a=1", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_a_body_is_looked_at_before_anything_else(
    viewer: Caller, body: str, headers: dict[str, str], status: int
) -> None:
    path, _, query = "/apps", "", ""
    assert viewer.answer(event("GET", path, query, viewer.claims, body, headers)).status == status


_TEXT = st.text(max_size=30)
_NAMES = st.sampled_from(
    ["q", "app", "apps", "metrics", "by", "where", "days", "from", "to", "limit", "cursor", "sort", "order", "verdict"]
)
_PATHS = st.sampled_from([endpoint.path for endpoint in READING]).flatmap(
    lambda path: _TEXT.map(lambda text: path.replace("<app_id>", text).replace("<run_id>", text))
)


@given(
    path=st.one_of(_PATHS, _TEXT.map("/{}".format)),
    query=st.dictionaries(
        _NAMES, st.one_of(_TEXT, st.sampled_from(["28", "territory:US", "total_downloads", APP])), max_size=4
    ),
    accept=st.sampled_from(["", "text/csv", "*/*"]),
    groups=st.sampled_from([("viewer",), ("admin", "limited"), ()]),
)
def test_no_request_is_answered_with_an_error_of_ours(
    viewer: Caller, path: str, query: dict[str, str], accept: str, groups: tuple[str, ...]
) -> None:
    caller = Caller(viewer.api, groups)
    sent = event("GET", path, "", caller.claims, None, {"accept": accept})
    sent["queryStringParameters"] = query
    answer = caller.answer(sent)
    assert answer.status in {200, 304, 400, 403, 404, 405, 406}, answer.text
    if answer.status >= 400:
        assert answer.json["detail"].endswith(".")
        assert "Traceback" not in answer.text


@given(
    st.dictionaries(st.sampled_from(["cognito:groups", "username", "token_use", "scope"]), st.one_of(_TEXT, st.none()))
)
def test_no_claims_but_a_groups_own_name_give_a_right(viewer: Caller, claims: dict[str, Any]) -> None:
    answer = viewer.answer(event("GET", "/me", "", claims, None, {}))
    assert answer.status in {401, 403}


def test_pages_follow_each_other_and_lose_no_app(viewer: Caller) -> None:
    first = viewer.get("/apps?limit=1&sort=name&order=asc").json
    second = viewer.get(f"/apps?limit=1&sort=name&order=asc&cursor={first['next']}").json
    found = [row["app_id"] for row in (*first["apps"], *second["apps"])]
    assert sorted(found) == ["1000000001", "1000000002"]
    assert second["next"] == ""
    back = viewer.get(f"/apps?limit=1&sort=name&order=asc&cursor={second['previous']}").json
    assert back["apps"] == first["apps"]


def test_what_a_page_needs_is_in_one_answer(viewer: Caller) -> None:
    row = viewer.get("/apps?days=2").json["apps"][0]
    assert {"total_downloads", "impressions"} <= row["metrics"].keys()
    assert "proceeds" not in row["metrics"], "commerce is not deployed here"
    assert date.fromisoformat(row["complete_until"]) >= FIRST
    assert json.dumps(row)
