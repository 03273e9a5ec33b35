"""Every reading route by each kind of person, and what a limited person must not learn."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from api_asking import PERSON, Answer, Caller, api_of, console_of, nowhere, pipeline_after
from migrated import Migrated

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.operations import Operation
from appstore_console.database.data import ApplicationData
from appstore_console.database.grants import StoredGrants
from appstore_console.rights import RIGHTS, Right, Role
from appstore_console.routes.acting import ACTING
from appstore_console.routes.reading import READING
from local.apple.model import Series
from tests.integration.answers.asking import FIRST, days
from tests.integration.pipeline_in_process import APP, Pipeline

OTHER = "1000000002"
KEPT_IN_POSTGRESQL = {"views", "annotations", "subscriptions"}
KPIS = "metrics=total_downloads&days=7"


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    with pipeline_after(4, rows_per_date=6) as pipeline:
        for app_id in (APP, OTHER):
            pipeline.world.restate(Series(app_id, pipeline.reports[0], Granularity.DAILY), FIRST)
        days(pipeline, 1)
        yield pipeline


@pytest.fixture(scope="module")
def grants(cluster: Migrated) -> Iterator[StoredGrants]:
    """As console_act writes them."""
    with closing(cluster.database("console_act")) as database:
        yield StoredGrants(database)
        StoredGrants(database).replace(PERSON, (), "the test")


@pytest.fixture(scope="module")
def anybody(pipeline: Pipeline, cluster: Migrated) -> Iterator[Caller]:
    with closing(cluster.database("console_read")) as database:
        yield Caller(api_of(console_of(pipeline, ApplicationData.over(database))))


@pytest.fixture
def asks(anybody: Caller, grants: StoredGrants) -> Any:
    """A person with these groups; `granted` are a limited person's apps."""

    def asked(*groups: str, granted: tuple[str, ...] = ()) -> Caller:
        grants.replace(PERSON, granted, "the test")
        return Caller(anybody.api, groups)

    return asked


@pytest.fixture(scope="module")
def run_id(pipeline: Pipeline) -> str:
    return str(pipeline.report()["run_id"])


def addresses(run_id: str) -> dict[str, str]:
    """A path of each reading route without particular parameters."""
    places = {"<app_id>": APP, "<run_id>": run_id}
    made = {}
    for endpoint in READING:
        address = endpoint.path
        for place, value in places.items():
            address = address.replace(place, value)
        made[endpoint.name] = f"{address}?{KPIS}" if endpoint.name == "query_kpis" else address
    return made


def everything(caller: Caller, run_id: str) -> dict[str, Answer]:
    return {name: caller.get(address) for name, address in addresses(run_id).items()}


def test_every_route_asks_for_a_right() -> None:
    assert [endpoint.name for endpoint in (*READING, *ACTING) if endpoint.right is None] == []


def test_no_reading_route_changes_anything_or_asks_for_what_viewers_do_not_have() -> None:
    for endpoint in READING:
        assert endpoint.method == "GET"
        assert endpoint.right in RIGHTS[Role.VIEWER]


@pytest.mark.parametrize("role", Role)
def test_each_role_reads_everything(asks: Any, run_id: str, role: Role) -> None:
    for name, answer in everything(asks(role), run_id).items():
        assert answer.status == 200, (name, answer.text)


@pytest.mark.parametrize("groups", [(), ("limited",), ("Viewer",), ("viewers",), ("us-east-1_abc_Google",)])
def test_without_a_role_nothing_is_read(asks: Any, run_id: str, groups: tuple[str, ...]) -> None:
    for name, answer in everything(asks(*groups), run_id).items():
        assert answer.status == 403, name
        assert answer.json["detail"] == "You have no role yet: an admin can give you one."


def test_nobody_is_told_to_sign_in_everywhere(anybody: Caller, run_id: str) -> None:
    for name, answer in everything(Caller(anybody.api, None), run_id).items():
        assert answer.status == 401, name


@pytest.mark.parametrize(
    "claims", [{"token_use": "id"}, {"username": ""}, {"username": ["somebody"]}, {"cognito:groups": "viewer"}]
)
def test_a_token_of_another_kind_opens_nothing(asks: Any, claims: dict[str, Any]) -> None:
    caller = asks("viewer")

    class Other(Caller):
        @property
        def claims(self) -> Any:
            return {**caller.claims, **claims}

    assert Other(caller.api).get("/health").status in (401, 403)


def test_a_right_that_is_missing_is_named_with_the_role_that_has_it(asks: Any) -> None:
    me = asks("viewer").get("/me").json
    assert me["actions"] == [str(right) for right in Right if right in RIGHTS[Role.VIEWER]]
    assert me["app_ids"] is None


def test_a_limited_person_learns_nothing_of_an_app_that_is_not_granted(
    asks: Any, run_id: str, pipeline: Pipeline
) -> None:
    name = pipeline.world.apps[OTHER].name
    for route, answer in everything(asks("operator", "limited", granted=(APP,)), run_id).items():
        assert answer.status == 200, route
        assert OTHER not in answer.text, route
        assert name not in answer.text, route


def test_counts_are_of_the_granted_apps(asks: Any, run_id: str) -> None:
    limited = asks("viewer", "limited", granted=(APP,))
    assert limited.get("/apps").json["total"] == 1
    assert limited.get("/health").json["apps_known"] == 1
    assert limited.get(f"/runs/{run_id}").json["apps"] == 1
    assert limited.get(f"/runs/{run_id}/items").json["total"] == 1
    assert limited.get("/me").json["app_ids"] == [APP]


def test_the_whole_of_a_limited_person_is_the_sum_of_the_granted_apps(asks: Any) -> None:
    address = f"/kpis/query?{KPIS}"
    own, rest = (
        asks("viewer", "limited", granted=(each,)).get(address).json["series"][0]["total"] for each in (APP, OTHER)
    )
    everybody = asks("viewer").get(address).json["series"][0]["total"]
    assert own["value"] + rest["value"] == everybody["value"]
    assert asks("viewer").get(f"{address}&apps={APP}").json["series"][0]["total"]["value"] == own["value"]


@pytest.mark.parametrize(
    "address",
    [
        f"/apps/{OTHER}",
        f"/health?app={OTHER}",
        f"/tables?app={OTHER}",
        f"/kpis/query?{KPIS}&apps={OTHER}",
        f"/kpis/query?{KPIS}&apps={APP}&apps={OTHER}",
        f"/restatements?apps={OTHER}",
        f"/apps/{OTHER}/releases",
    ],
)
def test_an_app_that_is_not_granted_is_as_one_that_is_not_there(asks: Any, address: str) -> None:
    limited = asks("viewer", "limited", granted=(APP,))
    hidden, unknown = limited.get(address), limited.get(address.replace(OTHER, "1000000999"))
    assert hidden.status == unknown.status == 404
    assert hidden.text.replace(OTHER, "1000000999") == unknown.text


def test_restatements_are_of_the_granted_apps(asks: Any) -> None:
    whole = asks("viewer").get("/restatements").json["restatements"]
    assert {line["app_id"] for line in whole} == {APP, OTHER}
    own = [line for line in whole if line["app_id"] == APP]
    assert asks("viewer").get(f"/restatements?apps={APP}").json["restatements"] == own
    limited = asks("viewer", "limited", granted=(APP,))
    for address in ("/restatements", f"/restatements?from={FIRST}&to={FIRST}"):
        assert limited.get(address).json["restatements"] == own


def test_csv_has_the_granted_apps_only(asks: Any) -> None:
    limited = asks("viewer", "limited", granted=(APP,))
    for address in ("/apps", f"/kpis/query?{KPIS}&by=app", "/restatements"):
        answer = limited.get(address, Accept="text/csv")
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert APP in answer.text
        assert OTHER not in answer.text


def test_a_run_that_was_about_other_apps_alone_is_not_there(asks: Any, pipeline: Pipeline) -> None:
    plan = pipeline.plan(operation=Operation.BACKFILL, app_ids=[OTHER], start_date="2025-06-02", end_date="2025-06-03")
    pipeline.run(plan)
    pipeline.summarize(plan)
    limited = asks("viewer", "limited", granted=(APP,))
    assert limited.get(f"/runs/{plan.run_id}").status == 404
    assert limited.get(f"/runs/{plan.run_id}/items").status == 404
    assert plan.run_id not in limited.get("/runs").text
    assert asks("viewer").get(f"/runs/{plan.run_id}").status == 200


def test_nothing_granted_is_nothing_seen(asks: Any, run_id: str) -> None:
    limited = asks("admin", "limited")
    assert limited.get("/apps").json["apps"] == []
    assert limited.get("/health").status == 200
    assert limited.get(f"/apps/{APP}").status == 404
    for name, answer in everything(limited, run_id).items():
        assert answer.status in (200, 404), (name, answer.text)
        assert all(app_id not in answer.text for app_id in (OTHER,)), name


def test_without_postgresql_the_limited_see_nothing_and_the_others_all_but_what_is_kept_there(
    pipeline: Pipeline, run_id: str
) -> None:
    api = api_of(console_of(pipeline, nowhere()))
    for name, answer in everything(Caller(api, ("viewer",)), run_id).items():
        assert answer.status == (503 if name in KEPT_IN_POSTGRESQL else 200), name
    for name, answer in everything(Caller(api, ("viewer", "limited")), run_id).items():
        assert answer.status == 503, name
        assert answer.json["detail"].startswith(
            "The console's database, which stores your permissions, does not answer"
        )


def test_no_answer_of_one_person_is_taken_for_anothers(asks: Any, anybody: Caller) -> None:
    mine = asks("viewer").get("/apps")
    asks("viewer", "limited", granted=(APP,))
    other = Caller(anybody.api, ("viewer",), "f" * 32)
    assert other.get("/apps", If_None_Match=mine.headers["ETag"]).status == 200
    limited = Caller(anybody.api, ("viewer", "limited"))
    assert limited.get("/apps", If_None_Match=mine.headers["ETag"]).status == 200


def test_what_is_refused_says_nothing_of_what_is_there(asks: Any) -> None:
    answer = asks("viewer", "limited", granted=(APP,)).get(
        f"/kpis/query?metrics=total_downloads&by=app&where=app:{OTHER}"
    )
    assert answer.status == 400
    assert json.loads(answer.text)["status"] == 400
