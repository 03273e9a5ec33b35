import base64
import io
import json
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from local.aws.server import EmbeddedAws
from tests.integration.embedded_aws import deployment
from tests.integration.embedded_aws.athena_tables import (
    COLUMNS,
    JSON_LINES,
    PARQUET,
    ROWS,
    TODAY,
    create_table,
    days,
    parquet,
    put,
    reason,
    rows,
)

pytestmark = pytest.mark.usefixtures("lake")


def test_the_first_question_of_everyone_is_answered(aws: EmbeddedAws) -> None:
    answer = deployment.query(
        aws,
        "SELECT dt, COUNT(*), COUNT(DISTINCT app_id) FROM curated.engagement "
        "WHERE dt >= CURRENT_DATE - INTERVAL '7' DAY GROUP BY dt ORDER BY dt",
    )
    assert answer["rows"] == [[str(day), "3", "2"] for day in sorted(days())[1:]]
    assert answer["names"] == ["dt", "_col1", "_col2"]
    assert answer["types"] == ["date", "bigint", "bigint"]


def test_columns_have_the_types_of_glue_and_values_athenas_spelling(aws: EmbeddedAws) -> None:
    answer = deployment.query(aws, f"SELECT * FROM engagement WHERE dt = DATE '{TODAY}' ORDER BY app_id, counts")
    assert answer["names"] == [*COLUMNS, "dt"]
    assert answer["types"] == ["bigint", "varchar", "bigint", "decimal", "double", "boolean", "date", "date"]
    today = str(TODAY)
    assert answer["rows"] == [
        ["1000000001", None, "5", "0.000001", "1.2345678E7", "false", today, today],
        ["1000000001", "Harbor Notes", "10", "12.340000", "0.5", "true", today, today],
        ["1000000002", "Tide", "7", "-1.500000", None, None, None, today],
    ]


def test_a_table_may_be_named_with_its_catalog_and_in_capitals(aws: EmbeddedAws) -> None:
    assert rows(aws, 'SELECT COUNT(App_Id) FROM "awsdatacatalog"."curated".Engagement') == [["9"]]


def test_sums_are_exact(aws: EmbeddedAws) -> None:
    answer = deployment.query(aws, f"SELECT SUM(counts), SUM(proceeds) FROM engagement WHERE dt IN (DATE '{TODAY}')")
    assert answer["rows"] == [["22", "10.840001"]]
    assert answer["types"] == ["bigint", "decimal"]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("dt >= '2026-01-01'", "TYPE_MISMATCH: Cannot apply operator: date >= varchar(10)"),
        ("dt BETWEEN '2026-01-01' AND '2026-01-31'", "TYPE_MISMATCH: Cannot apply operator: date BETWEEN varchar(10)"),
        ("dt IN ('2026-01-01')", "TYPE_MISMATCH: Cannot apply operator: date IN varchar(10)"),
        ("app_id = '1000000001'", "TYPE_MISMATCH: Cannot apply operator: bigint = varchar(10)"),
        ("is_first = 1", "TYPE_MISMATCH: Cannot apply operator: boolean = integer"),
        ("unknown = 1", "COLUMN_NOT_FOUND: Column 'unknown'"),
        ("dt > AND app_id", "SYNTAX_ERROR"),
    ],
)
def test_a_condition_that_athena_refuses_is_refused(aws: EmbeddedAws, condition: str, message: str) -> None:
    assert message in reason(aws, f"SELECT app_id FROM engagement WHERE {condition}")


def test_a_mismatch_inside_a_cte_is_refused(aws: EmbeddedAws) -> None:
    sql = "WITH recent AS (SELECT dt AS day FROM engagement) SELECT * FROM recent WHERE day = '2026-01-01'"
    assert reason(aws, sql) == "TYPE_MISMATCH: Cannot apply operator: date = varchar(10)"


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT 1/0", "Division by zero"),
        ("SELECT dt AS day FROM engagement GROUP BY day", "COLUMN_NOT_FOUND"),
        ("SELECT * FROM nowhere", "TABLE_NOT_FOUND: Table 'awsdatacatalog.curated.nowhere' does not exist"),
        ("INSERT INTO engagement SELECT * FROM engagement", "NOT_SUPPORTED: The embedded Athena answers one SELECT"),
        ("DROP TABLE engagement", "NOT_SUPPORTED"),
        ("MSCK REPAIR TABLE engagement", "NOT_SUPPORTED"),
        ("SELECT FROM WHERE", "SYNTAX_ERROR: line 1:17: Expected table name"),
        ("SELECT 'unfinished", "SYNTAX_ERROR"),
    ],
)
def test_a_failing_statement_says_why(aws: EmbeddedAws, sql: str, message: str) -> None:
    assert message in reason(aws, sql)


def test_a_table_without_a_location_is_refused(aws: EmbeddedAws) -> None:
    create_table(aws, "nowhere_stored", storage={**PARQUET, "Location": ""})
    assert reason(aws, "SELECT * FROM nowhere_stored") == (
        "NOT_SUPPORTED: The embedded Athena reads objects of S3, but nowhere_stored has no Location there."
    )


def test_an_error_that_nobody_expects_ends_the_query_too_and_stands_in_the_log(aws: EmbeddedAws, tmp_path: Any) -> None:
    create_table(aws, "misprojected", projection={"projection.dt.range": "yesterday,NOW"})
    body = parquet(ROWS.format(day="2026-01-01"), str(tmp_path / "data.parquet"))
    put(aws, f"curated/misprojected/dt={TODAY}/data.parquet", body)
    sentence = "ValueError: Invalid isoformat string: 'yesterday'"
    assert reason(aws, "SELECT * FROM misprojected") == f"GENERIC_INTERNAL_ERROR: {sentence}"
    assert sentence in aws.log_path.read_text()


def test_only_partitions_inside_the_projection_are_seen(aws: EmbeddedAws) -> None:
    found = rows(aws, "SELECT DISTINCT dt FROM engagement ORDER BY dt")
    assert found == [[str(day)] for day in sorted(days())]


def test_a_date_off_the_projections_interval_is_not_seen(aws: EmbeddedAws, tmp_path: Any) -> None:
    weekly = {
        "projection.dt.range": "2025-01-06,NOW",
        "projection.dt.interval": "1",
        "projection.dt.interval.unit": "WEEKS",
    }
    monthly = {
        "projection.dt.range": "2025-01-01,NOW",
        "projection.dt.interval": "1",
        "projection.dt.interval.unit": "MONTHS",
    }
    body = parquet(ROWS.format(day="2025-01-01"), str(tmp_path / "data.parquet"))
    for name, projection, seen, unseen in [
        ("weekly", weekly, "2025-01-13", "2025-01-14"),
        ("monthly", monthly, "2025-03-01", "2025-03-02"),
    ]:
        create_table(aws, name, projection=projection)
        for day in (seen, unseen):
            put(aws, f"curated/{name}/dt={day}/data.parquet", body)
        assert rows(aws, f"SELECT DISTINCT dt FROM {name}") == [[seen]]


def test_only_the_objects_of_the_partitions_asked_for_are_read(aws: EmbeddedAws) -> None:
    size = aws.client("s3").head_object(Bucket="lake", Key=f"curated/engagement/dt={TODAY}/data.parquet")[
        "ContentLength"
    ]
    one = f"SELECT COUNT(*) FROM engagement e WHERE e.dt = DATE '{TODAY}' AND app_id > 1"
    assert deployment.query(aws, one)["scanned_bytes"] == size
    nothing = "SELECT COUNT(*) FROM engagement WHERE dt < DATE '2020-01-01'"
    assert (deployment.query(aws, nothing)["rows"], deployment.query(aws, nothing)["scanned_bytes"]) == ([["0"]], 0)
    assert deployment.query(aws, "SELECT COUNT(*) FROM engagement")["scanned_bytes"] > 2 * size


def test_a_view_is_its_query_and_a_date_asked_of_it_reaches_the_projection(aws: EmbeddedAws) -> None:
    sql = "SELECT dt, app_id AS app, SUM(counts) AS counts FROM curated.engagement GROUP BY dt, app_id"
    definition = json.dumps({"originalSql": sql, "catalog": "awsdatacatalog", "schema": "curated", "columns": []})
    aws.client("glue").create_table(
        DatabaseName="curated",
        TableInput={
            "Name": "by_app",
            "TableType": "VIRTUAL_VIEW",
            "ViewOriginalText": f"/* Presto View: {base64.b64encode(definition.encode()).decode()} */",
        },
    )
    day = days()[1]
    of_a_day = f"SELECT app, counts FROM by_app WHERE ((dt = DATE '{day}' AND app > 0) AND counts > 5) ORDER BY app"
    assert rows(aws, of_a_day) == [["1000000001", "15"], ["1000000002", "7"]]
    scanned = [
        deployment.query(aws, sql)["scanned_bytes"]
        for sql in (of_a_day, f"SELECT app_id FROM engagement WHERE dt = DATE '{day}'", "SELECT app FROM by_app")
    ]
    assert scanned[0] == scanned[1] < scanned[2]


def test_a_replaced_object_is_read_anew(aws: EmbeddedAws, tmp_path: Any) -> None:
    create_table(aws, "replaced")
    key = f"curated/replaced/dt={TODAY}/data.parquet"
    for count in (1, 2):
        sql = f"SELECT {count} AS app_id, 'x' AS app_name"
        put(aws, key, parquet(sql.replace("AS app_id", "::BIGINT AS app_id"), str(tmp_path / "data.parquet")))
        assert rows(aws, "SELECT app_id, counts, dt FROM replaced") == [[str(count), None, str(TODAY)]]


def test_a_table_without_objects_has_its_columns_and_no_rows(aws: EmbeddedAws) -> None:
    create_table(aws, "empty")
    answer = deployment.query(aws, "SELECT * FROM empty")
    assert (answer["names"], answer["rows"]) == ([*COLUMNS, "dt"], [])
    assert answer["types"][3] == "decimal"
    assert rows(aws, "SELECT COUNT(*), SUM(counts) FROM empty") == [["0", None]]


def test_a_parquet_type_other_than_glues_is_refused(aws: EmbeddedAws, tmp_path: Any) -> None:
    create_table(aws, "mistyped")
    body = parquet("SELECT 'Harbor Notes' AS app_id", str(tmp_path / "data.parquet"))
    put(aws, f"curated/mistyped/dt={TODAY}/data.parquet", body)
    assert "HIVE_BAD_DATA: Field app_id's type VARCHAR" in reason(aws, "SELECT app_id FROM mistyped")


def test_json_lines_are_read_with_the_types_of_glue(aws: EmbeddedAws) -> None:
    columns = {
        "run_id": "string", "rows_read": "bigint", "day": "date", "is_final": "boolean", "seconds": "double",
        "reports": "array<string>",
    }  # fmt: skip
    create_table(aws, "runs", columns, JSON_LINES)
    lines = [
        {"run_id": "r1", "rows_read": 3, "day": "2026-01-01", "is_final": True, "seconds": 1.5, "reports": ["a", "b"]},
        {"run_id": "r2"},
    ]
    put(aws, "curated/runs/run=r1.json", "\n".join(map(json.dumps, lines)).encode())
    answer = deployment.query(aws, "SELECT * FROM runs ORDER BY run_id")
    assert answer["rows"] == [["r1", "3", "2026-01-01", "true", "1.5", "[a, b]"], ["r2", None, None, None, None, None]]
    assert answer["types"] == ["varchar", "bigint", "date", "boolean", "double", "array"]
    assert rows(aws, "SELECT report FROM runs CROSS JOIN UNNEST(reports) AS t(report) ORDER BY 1") == [["a"], ["b"]]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("7/2", "3"),
        ("-7/2", "-3"),
        ("7/DOUBLE '2'", "3.5"),
        ("SUM(counts)/COUNT(*)", "7"),
        ("date_add('day', -7, DATE '2026-01-31')", "2026-01-24"),
        ("date_add('month', 1, DATE '2026-01-31')", "2026-02-28"),
        ("DATE '2026-01-31' - INTERVAL '1' MONTH", "2025-12-31"),
        ("date_diff('day', DATE '2026-01-01', DATE '2026-01-31')", "30"),
        ("date_trunc('month', DATE '2026-01-31')", "2026-01-01"),
        ("approx_distinct(app_id)", "2"),
        ("max_by(app_name, counts)", "Harbor Notes"),
        ("max_by(nullif(app_name, 'Harbor Notes'), counts)", None),
        ("from_iso8601_date('2026-01-31')", "2026-01-31"),
        ("from_iso8601_timestamp('2026-01-31T10:00:00Z')", "2026-01-31 10:00:00.000 UTC"),
        ("format_datetime(TIMESTAMP '2026-01-31 10:20:30', 'yyyy-MM-dd HH:mm')", "2026-01-31 10:20"),
        ("date_format(TIMESTAMP '2026-01-31 10:20:30', '%Y-%m')", "2026-01"),
        ("COALESCE(SUM(counts) FILTER (WHERE app_id = 3), 0)", "0"),
        ("CAST(MAX(dt) AS varchar)", str(TODAY)),
        ("COUNT_IF(app_name IS NULL)", "1"),
        ("ABS(SUM(proceeds))", "10.840001"),
    ],
)
def test_an_expression_of_trino_has_trinos_value(aws: EmbeddedAws, expression: str, expected: str | None) -> None:
    answer = rows(aws, f"SELECT {expression}, COUNT(*) FROM engagement WHERE dt = DATE '{TODAY}'")
    assert answer == [[expected, "3"]]


@pytest.mark.parametrize(
    "sequence",
    ["DATE '2026-01-01', DATE '2026-01-03'", "DATE '2026-01-01', DATE '2026-01-03', INTERVAL '1' DAY"],
)
def test_a_sequence_of_dates_is_unnested(aws: EmbeddedAws, sequence: str) -> None:
    found = rows(aws, f"SELECT day FROM UNNEST(sequence({sequence})) AS t(day) ORDER BY day")
    assert found == [["2026-01-01"], ["2026-01-02"], ["2026-01-03"]]


def test_missing_dates_are_found_by_an_outer_join(aws: EmbeddedAws) -> None:
    found = rows(
        aws,
        "WITH expected AS (SELECT day FROM UNNEST(sequence(CURRENT_DATE - INTERVAL '3' DAY, CURRENT_DATE)) AS t(day)) "
        "SELECT day FROM expected LEFT JOIN engagement ON dt = day WHERE dt IS NULL ORDER BY day",
    )
    assert found == [[str(TODAY - timedelta(days=2))], [str(TODAY - timedelta(days=1))]]


@pytest.mark.parametrize("join", ["RIGHT JOIN expected ON dt = day", "FULL JOIN expected ON dt = day"])
def test_a_condition_on_the_optional_side_of_a_join_prunes_nothing(aws: EmbeddedAws, join: str) -> None:
    sql = "WITH expected AS (SELECT CURRENT_DATE AS day) SELECT COUNT(*) FROM engagement " + join
    assert rows(aws, f"{sql} WHERE dt IS NULL") == [["0"]]


def test_window_functions_and_ctes(aws: EmbeddedAws) -> None:
    found = rows(
        aws,
        "WITH ranked AS (SELECT app_id, dt, ROW_NUMBER() OVER (PARTITION BY app_id ORDER BY dt DESC, counts) AS place "
        "FROM engagement) SELECT app_id, dt FROM ranked WHERE place = 1 ORDER BY app_id LIMIT 5",
    )
    assert found == [["1000000001", str(TODAY)], ["1000000002", str(TODAY)]]


def test_results_are_paged_and_written_where_the_location_says(aws: EmbeddedAws) -> None:
    answer = deployment.query(aws, "SELECT n FROM UNNEST(sequence(1, 2500)) AS t(n) ORDER BY n")
    assert [row[0] for row in answer["rows"]] == [str(number) for number in range(1, 2501)]
    assert answer["location"].startswith("s3://results/athena/")
    bucket, _, key = answer["location"].removeprefix("s3://").partition("/")
    lines = io.TextIOWrapper(aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"]).read().splitlines()
    assert (lines[0], lines[1], len(lines)) == ('"n"', '"1"', 2501)


def test_decimals_survive_as_decimals(aws: EmbeddedAws) -> None:
    found: Sequence[Any] = rows(aws, "SELECT proceeds FROM engagement")
    assert sum(Decimal(row[0]) for row in found) == 3 * Decimal("10.840001")
