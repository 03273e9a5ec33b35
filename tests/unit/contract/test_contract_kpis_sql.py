"""KPIs as SQL, run over generated rows, against the same formulas in Python."""

from fractions import Fraction
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.contract.kpis import KPIS, KPIS_BY_NAME
from appstore_analytics.contract.kpis.definition import Amount, Basis, Kpi
from appstore_analytics.contract.kpis.sql import query, sum_of, value_of
from appstore_analytics.contract.names import Database
from appstore_analytics.contract.tables import PARTITION_COLUMN, tables_by_name
from local.aws.trino import tables_of, translate

EVENTS = ("Impression", "IMPRESSION", "Page View", "Page view", "Tap", None)
PAGES = ("Product page", "Product Page", "Store sheet", "No page", None)
TERRITORIES = ("US", "NA", None)
VIEWS = st.lists(
    st.tuples(st.sampled_from(EVENTS), st.sampled_from(PAGES), st.sampled_from(TERRITORIES), st.integers(0, 10**12)),
    max_size=30,
)


@pytest.fixture(scope="module")
def connection() -> Any:
    with duckdb.connect() as connection:
        yield connection


def _asked(connection: Any, columns: str, rows: list[tuple[Any, ...]], expressions: list[str]) -> tuple[Any, ...]:
    connection.execute(f"CREATE OR REPLACE TABLE rows ({columns})")
    if rows:
        connection.executemany(f"INSERT INTO rows VALUES ({', '.join('?' * len(rows[0]))})", rows)
    answer: tuple[Any, ...] = connection.execute(f"SELECT {', '.join(expressions)} FROM rows").fetchone()
    return answer


@given(rows=VIEWS)
def test_a_condition_compares_in_lower_case_and_a_null_meets_none(connection: Any, rows: list[Any]) -> None:
    kpis = [KPIS_BY_NAME[name] for name in ("impressions", "page_views", "product_page_views")]
    columns = "event VARCHAR, page_type VARCHAR, territory VARCHAR, counts BIGINT"
    answer = _asked(connection, columns, rows, [sum_of(kpi.plus[0]) for kpi in kpis])

    def total(*events: str, page: str | None = None) -> int | None:
        found = [
            counts
            for event, page_type, _, counts in rows
            if event in events and (page is None or (page_type or "").lower() == page)
        ]
        return sum(found) if found else None

    views = ("Page View", "Page view")
    assert answer == (total("Impression", "IMPRESSION"), total(*views), total(*views, page="product page"))


SALES = st.lists(
    st.tuples(
        st.sampled_from(TERRITORIES),
        st.integers(-50, 50),
        st.decimals(-(10**6), 10**6, places=6, allow_nan=False),
        st.integers(1, 9),
    ),
    min_size=1,
    max_size=20,
)


@given(rows=SALES)
def test_sums_of_slices_add_up_and_a_ratio_is_the_quotient_of_its_sums_whatever_the_slices(
    connection: Any, rows: list[Any]
) -> None:
    columns = "territory VARCHAR, purchases BIGINT, proceeds_in_usd DECIMAL(18,6), paying_users BIGINT"
    per_user = KPIS_BY_NAME["proceeds_per_paying_user"]
    above, below = (sum_of(side[0]) for side in (per_user.plus, per_user.over))
    whole = _asked(connection, columns, rows, [above, below, value_of(per_user, sum_of)])
    parts = connection.execute(f"SELECT {above}, {below} FROM rows GROUP BY territory").fetchall()
    assert tuple(sum(side) for side in zip(*parts, strict=True)) == whole[:2]
    assert whole[:2] == (sum(row[2] for row in rows), sum(row[3] for row in rows))
    assert whole[2] == pytest.approx(float(Fraction(whole[0]) / whole[1]))


def test_a_ratio_without_a_divisor_is_null_and_not_zero(connection: Any) -> None:
    kpi = KPIS_BY_NAME["average_session"]
    columns = "sessions BIGINT, total_session_duration BIGINT"
    assert _asked(connection, columns, [(0, 0)], [value_of(kpi, sum_of)]) == (None,)
    assert _asked(connection, columns, [], [value_of(kpi, sum_of)]) == (None,)
    assert _asked(connection, columns, [(4, 30), (1, 20)], [value_of(kpi, sum_of)]) == (10.0,)


def test_a_mean_is_weighted_and_rows_without_one_are_left_out_of_both_sides(connection: Any) -> None:
    kpi = KPIS_BY_NAME["average_install_time"]
    rows = [(3, 1_000), (1, 5_000), (100, None)]
    assert _asked(connection, "counts BIGINT, avg_install_duration BIGINT", rows, [value_of(kpi, sum_of)]) == (2_000.0,)


def test_a_net_sum_is_negative_where_more_is_taken_away(connection: Any) -> None:
    kpi = KPIS_BY_NAME["preorders_net"]
    columns = "pre_orders_placed BIGINT, pre_orders_canceled BIGINT"
    assert _asked(connection, columns, [(2, 5), (1, 0)], [value_of(kpi, sum_of)]) == (-2,)


DEVICES = st.lists(st.sets(st.integers(0, 12), min_size=1), min_size=1, max_size=8)


@given(slices=DEVICES, sessions=st.integers(0, 10**6))
def test_uniques_summed_over_slices_are_never_below_the_true_number(
    connection: Any, slices: list[set[int]], sessions: int
) -> None:
    """The proof of "at most", and of "at least" for a quotient with such a divisor."""
    true = len(set().union(*slices))
    rows = [(len(devices),) for devices in slices]
    (active,) = _asked(connection, "unique_devices BIGINT", rows, [sum_of(KPIS_BY_NAME["active_devices"].plus[0])])
    assert active >= true
    assert Fraction(sessions, active) <= Fraction(sessions, true)


GLUE = {
    (Database.CURATED, table.name): {
        **{column.name: str(column.type) for column in table.columns},
        PARTITION_COLUMN: "date",
    }
    for table in tables_by_name().values()
}


@pytest.mark.parametrize("kpi", KPIS, ids=lambda kpi: kpi.name)
def test_every_query_reads_its_tables_for_some_dates_only_and_the_newest_vintage(kpi: Kpi) -> None:
    sql = query(kpi)
    used = tables_of(sql, Database.CURATED)
    assert used == {(Database.CURATED, table.name) for table in kpi.tables}
    translation = translate(sql, Database.CURATED, {name: GLUE[name] for name in used}, lambda *_: frozenset({"dt"}))
    assert all(scan.conditions for scan in translation.scans)
    assert ("is_newest_vintage" in sql) is any(table.keeps_vintages for table in kpi.tables)
    assert f" AS {kpi.label}\n" in sql


def test_a_query_of_two_tables_keeps_apps_that_one_of_them_lacks() -> None:
    sql = query(KPIS_BY_NAME["conversion_rate"])
    assert sql.endswith(
        "FROM engagement\nLEFT JOIN downloads USING (dt, app_id)\nLEFT JOIN preorders USING (dt, app_id)"
    )


def test_a_stock_has_a_row_for_each_date_and_a_churn_rate_the_stock_before_its_period() -> None:
    assert "GROUP BY dt, app_id" in query(KPIS_BY_NAME["active_subscriptions"])
    churn = query(KPIS_BY_NAME["churn_rate"])
    assert "WHERE dt = CURRENT_DATE - INTERVAL '32' DAY AND is_newest_vintage" in churn
    assert "WHERE dt BETWEEN CURRENT_DATE - INTERVAL '31' DAY AND CURRENT_DATE - INTERVAL '4' DAY" in churn


def test_a_cohort_is_followed_over_thirty_days_of_which_all_are_complete() -> None:
    for kpi in KPIS:
        if kpi.basis is Basis.COHORT:
            oldest, newest = kpi.window_days + 31, kpi.window_days + 1
            between = f"BETWEEN CURRENT_DATE - INTERVAL '{oldest}' DAY AND CURRENT_DATE - INTERVAL '{newest}' DAY"
            assert between in query(kpi)


def test_a_product_of_two_columns_is_summed_as_such() -> None:
    amount = Amount("weighed", "performance", "counts", times="avg_install_duration")
    assert sum_of(amount) == "SUM(counts * avg_install_duration)"
