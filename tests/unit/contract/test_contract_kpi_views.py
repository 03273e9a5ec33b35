"""The views on `marts.kpis`, queried like the embedded Athena does: their types and values."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from appstore_analytics.contract.kpis import KPIS
from appstore_analytics.contract.kpis.stored import KPI_COLUMNS, KPIS_TABLE, STATE_COLUMNS, STATE_SOURCES, STATES_TABLE
from appstore_analytics.contract.kpis.views import VIEWS, View
from appstore_analytics.contract.tables import PARTITION_COLUMN
from local.aws.trino import Translation, tables_of, translate, with_views

MARTS = "marts"
GLUE = {
    KPIS_TABLE: {**{name: kind for name, kind, _ in KPI_COLUMNS}, PARTITION_COLUMN: "date"},
    STATES_TABLE: {**{name: kind for name, kind, _ in STATE_COLUMNS}, PARTITION_COLUMN: "date"},
}
BY_NAME = {view.name: view for view in VIEWS}
_GLUE_TYPE = {"VARCHAR": "string", "HUGEINT": "bigint"}
"""DuckDB's types; it sums 64-bit integers in 128 bits."""
EVERY_VIEW = pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
TOTALS = """
    (7, 'first_time_downloads', 'total', NULL, 30, NULL, true, DATE '2026-11-16'),
    (7, 'redownloads', 'total', NULL, 10, NULL, true, DATE '2026-11-16'),
    (7, 'impressions', 'total', NULL, 160, NULL, false, DATE '2026-11-16'),
    (7, 'preorders_placed', 'total', NULL, 2, NULL, true, DATE '2026-11-16'),
    (7, 'preorders_canceled', 'total', NULL, 5, NULL, true, DATE '2026-11-16'),
    (7, 'proceeds', 'total', NULL, NULL, 12.5, true, DATE '2026-11-16'),
    (0, 'first_time_downloads', 'total', NULL, 99, NULL, true, DATE '2026-11-16'),
    (7, 'first_time_downloads', 'territory', 'US', 20, NULL, true, DATE '2026-11-16'),
    (7, 'first_time_downloads', 'territory', NULL, 10, NULL, true, DATE '2026-11-16'),
    (7, 'active_devices', 'days_since_download', '0', 8, NULL, true, DATE '2026-11-16'),
    (7, 'active_devices', 'days_since_download', '1', 4, NULL, true, DATE '2026-11-17')
"""
STATES = """
    (7, 'final', 'preliminary', DATE '2026-11-16'),
    (8, 'missing', 'not due', DATE '2026-11-16'),
    (7, 'zero', 'quarantined', DATE '2026-11-17')
"""


@pytest.fixture(scope="module")
def lake() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(f"CREATE SCHEMA {MARTS}")
        for table, types in GLUE.items():
            kinds = ", ".join(f"{name} {'varchar' if kind == 'string' else kind}" for name, kind in types.items())
            connection.execute(f"CREATE TABLE {MARTS}.{table} ({kinds})")
        connection.execute(f"INSERT INTO {MARTS}.{KPIS_TABLE} VALUES {TOTALS}")
        connection.execute(f"INSERT INTO {MARTS}.{STATES_TABLE} (app_id, downloads, engagement, dt) VALUES {STATES}")
        yield connection


def translated(sql: str) -> Translation:
    def find_view(database: str, name: str) -> tuple[str, str] | None:
        view = BY_NAME.get(name) if database == MARTS else None
        return (view.query(MARTS), MARTS) if view else None

    inlined = with_views(sql, MARTS, find_view)
    assert tables_of(inlined, MARTS) <= {(MARTS, table) for table in GLUE}
    schema = {(MARTS, table): types for table, types in GLUE.items()}
    return translate(inlined, MARTS, schema, lambda *_: frozenset({PARTITION_COLUMN}))


def ask(lake: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    translation = translated(sql)
    for scan in translation.scans:
        lake.execute(f'CREATE OR REPLACE TEMP VIEW "{scan.relation}" AS FROM {MARTS}.{scan.table}')
    found = lake.execute(translation.sql)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@EVERY_VIEW
def test_every_column_of_a_view_is_there_in_its_type(lake: duckdb.DuckDBPyConnection, view: View) -> None:
    rows = ask(lake, f"SELECT * FROM {view.name}")
    kinds = lake.execute(f"DESCRIBE {translated(f'SELECT * FROM {view.name}').sql}").fetchall()
    assert [(name, _GLUE_TYPE.get(kind, kind.lower())) for name, kind, *_ in kinds] == [
        (column.name, column.type) for column in view.columns
    ]
    assert rows or view.name not in ("app_daily", "by_territory", "retention")


def test_a_row_of_an_app_and_date_has_every_kpi_and_null_is_never_zero(lake: duckdb.DuckDBPyConnection) -> None:
    (row,) = ask(lake, "SELECT * FROM app_daily WHERE dt = DATE '2026-11-16' AND app_id = 7")
    assert (row["app_id"], row["total_downloads"], row["preorders_net"]) == (7, 40, -3)
    assert row["conversion_per_impression"] == 0.25
    assert float(row["proceeds"]) == 12.5
    assert row["sessions"] is None
    assert (row["downloads_is_final"], row["engagement_is_final"], row["sessions_is_final"]) == (True, False, None)


def test_an_app_whose_date_is_missing_has_a_row_and_no_number(lake: duckdb.DuckDBPyConnection) -> None:
    asked = "SELECT dt, app_id, total_downloads, impressions, downloads_state, engagement_state, sessions_state"
    rows = ask(lake, f"{asked} FROM app_daily WHERE dt >= DATE '2026-11-16' ORDER BY dt, app_id")
    assert [(*row.values(),)[1:] for row in rows] == [
        (7, 40, 160, "final", "preliminary", None),
        (8, None, None, "missing", "not due", None),
        (7, None, None, "zero", "quarantined", None),
    ]


def test_every_source_of_the_daily_view_has_its_state() -> None:
    names = {column.name for column in BY_NAME["app_daily"].columns}
    sources = {name.removesuffix("_is_final") for name in names if name.endswith("_is_final")}
    assert sources == {table.name for table in STATE_SOURCES}
    assert {f"{source}_state" for source in sources} <= names


def test_a_breakdown_adds_up_to_the_day(lake: duckdb.DuckDBPyConnection) -> None:
    rows = ask(lake, "SELECT * FROM by_territory WHERE dt = DATE '2026-11-16'")
    assert {row["territory"]: row["first_time_downloads"] for row in rows} == {"US": 20, None: 10}


def test_a_cohort_is_the_date_minus_its_day(lake: duckdb.DuckDBPyConnection) -> None:
    rows = ask(
        lake, "SELECT CAST(cohort AS varchar) AS cohort, day, active_devices_at_most FROM retention ORDER BY day"
    )
    assert [(row["cohort"][:10], row["day"], row["active_devices_at_most"]) for row in rows] == [
        ("2026-11-16", 0, 8),
        ("2026-11-16", 1, 4),
    ]


@EVERY_VIEW
def test_what_is_asked_of_dt_reaches_the_table_below_the_view(view: View) -> None:
    scans = translated(f"SELECT app_id FROM {view.name} WHERE dt >= DATE '2026-11-17'").scans
    assert [scan.table for scan in scans] == [KPIS_TABLE, *([STATES_TABLE] if view.has_states else [])]
    assert all("2026-11-17" in scan.conditions for scan in scans)


def test_a_comment_fits_into_glue() -> None:
    assert max(len(column.meaning.encode()) for view in VIEWS for column in view.columns) <= 255


def test_below_a_window_a_limit_a_join_and_a_rollup_nothing_is_asked() -> None:
    for below in (
        "SELECT dt, row_number() OVER (ORDER BY app_id) AS number FROM kpis",
        "SELECT dt FROM kpis LIMIT 5",
        "SELECT a.dt FROM kpis a JOIN kpis b ON a.app_id = b.app_id",
        "SELECT dt, SUM(amount) AS amount FROM kpis GROUP BY ROLLUP (dt)",
        "SELECT dt FROM kpis UNION ALL (SELECT dt FROM kpis LIMIT 5)",
        "SELECT dt FROM kpis UNION ALL SELECT MAX(dt) AS dt FROM kpis",
        "SELECT dt FROM kpis UNION ALL SELECT dt FROM kpis LIMIT 5",
    ):
        sql = f"SELECT dt FROM ({below}) WHERE dt = DATE '2026-11-17'"
        assert [scan.conditions for scan in translated(sql).scans] in ([""], ["", ""]), below


def test_no_view_sums_what_does_not_add_up_without_saying_so() -> None:
    for view in VIEWS:
        for kpi in KPIS:
            if kpi.label != kpi.name:
                assert kpi.name not in {column.name for column in view.columns}
