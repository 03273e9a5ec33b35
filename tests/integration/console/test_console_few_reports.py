"""An installation without the reports that the console's numbers usually come from."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from api_asking import Caller, api_of, console_of, pipeline_after
from migrated import Migrated

from appstore_console.database.data import ApplicationData
from tests.integration.pipeline_in_process import APP


@pytest.fixture(scope="module", params=["App Sessions Standard", "App Crashes", "Home Screen Widget Usage"])
def viewer(request: pytest.FixtureRequest, cluster: Migrated) -> Iterator[Caller]:
    with (
        pipeline_after(3, rows_per_date=4, reports=(request.param,)) as pipeline,
        closing(cluster.database("console_read")) as database,
    ):
        yield Caller(api_of(console_of(pipeline, ApplicationData.over(database))))


@pytest.mark.parametrize(
    "address", ["/apps", "/apps?days=28&limit=50", f"/apps/{APP}", "/health", "/tables", "/kpis", "/runs"]
)
def test_every_page_asks_only_for_what_is_here(viewer: Caller, address: str) -> None:
    answer = viewer.get(address)
    assert answer.status == 200, answer.text


def test_the_apps_are_sorted_by_the_first_number_that_is_here(viewer: Caller) -> None:
    found = viewer.get("/apps").json
    assert len(found["apps"]) == 2
    names = [column["name"] for column in found["columns"]]
    assert found == viewer.get(f"/apps?sort={names[0] if names else 'name'}").json
