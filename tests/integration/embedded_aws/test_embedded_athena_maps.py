"""Maps, asked as in Trino."""

from typing import Any

import pytest

from local.aws.server import EmbeddedAws
from tests.integration.embedded_aws import deployment
from tests.integration.embedded_aws.athena_tables import JSON_LINES, TODAY, create_table, parquet, put, reason, rows

pytestmark = pytest.mark.usefixtures("lake")


def test_a_map_is_read_from_json_and_from_parquet(aws: EmbeddedAws, tmp_path: Any) -> None:
    create_table(aws, "sums", {"run_id": "string", "sums": "map<string,string>"}, JSON_LINES)
    put(
        aws,
        "curated/sums/run=r1.json",
        b'{"run_id": "r1", "sums": {"counts": "12", "sales": "1.5"}}\n{"run_id": "r2"}\n',
    )
    answer = deployment.query(aws, "SELECT sums, sums['counts'], element_at(sums, 'other') FROM sums ORDER BY run_id")
    assert answer["rows"] == [["{counts=12, sales=1.5}", "12", None], [None, None, None]]
    assert answer["types"][0] == "map"
    total = "SELECT SUM(CAST(element_at(sums, 'counts') AS bigint)) FROM sums WHERE sums IS NOT NULL"
    assert rows(aws, total) == [["12"]]


EXTRAS = """
SELECT * FROM (VALUES
    (1, MAP {'Audience': 'new', 'Plan': 'yearly'}), (2, MAP {'Plan': 'monthly'}), (3, NULL)
) AS t(app_id, extra)
"""


@pytest.fixture(scope="module")
def _extras(aws: EmbeddedAws, tmp_path_factory: pytest.TempPathFactory) -> None:
    create_table(aws, "extras", {"app_id": "int", "extra": "map<string,string>"})
    path = str(tmp_path_factory.mktemp("extras") / "data.parquet")
    put(aws, f"curated/extras/dt={TODAY}/data.parquet", parquet(EXTRAS, path))


@pytest.mark.usefixtures("_extras")
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("extra['Plan']", ["yearly", "monthly", None]),
        ("element_at(extra, 'Audience')", ["new", None, None]),
        ("cardinality(extra)", ["2", "1", None]),
        ("cardinality(extra) / 2", ["1", "0", None]),
        ("cardinality(map_keys(extra))", ["2", "1", None]),
        ("map_keys(extra)", ["[Audience, Plan]", "[Plan]", None]),
        ("map_values(extra)", ["[new, yearly]", "[monthly]", None]),
        ("contains(map_keys(extra), 'Audience')", ["true", "false", None]),
    ],
)
def test_a_map_is_asked_as_in_trino(aws: EmbeddedAws, expression: str, expected: list[str | None]) -> None:
    assert rows(aws, f"SELECT {expression} FROM extras ORDER BY app_id") == [[value] for value in expected]


@pytest.mark.usefixtures("_extras")
def test_a_map_from_a_cte_is_asked_as_in_trino(aws: EmbeddedAws) -> None:
    sql = "WITH kept AS (SELECT extra AS cells FROM extras) SELECT SUM(cardinality(cells)) FROM kept"
    assert rows(aws, sql) == [["3"]]


@pytest.mark.usefixtures("_extras")
@pytest.mark.parametrize("join", ["CROSS JOIN", ","])
def test_a_map_is_unnested_into_keys_and_values(aws: EmbeddedAws, join: str) -> None:
    sql = f"SELECT app_id, header, cell FROM extras {join} UNNEST(extra) AS t (header, cell) WHERE dt = DATE '{TODAY}'"
    assert rows(aws, f"{sql} ORDER BY app_id, header") == [
        ["1", "Audience", "new"],
        ["1", "Plan", "yearly"],
        ["2", "Plan", "monthly"],
    ]


@pytest.mark.usefixtures("_extras")
def test_a_key_that_a_map_has_not_fails_the_query_as_in_trino(aws: EmbeddedAws) -> None:
    assert "Key not present in map: Audience" in reason(aws, "SELECT extra['Audience'] FROM extras")
