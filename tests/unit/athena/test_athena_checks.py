from datetime import date
from decimal import Decimal

import pytest

from appstore_analytics.athena.checks import counted, counting_query
from appstore_analytics.athena.kpi_checks import amount_columns, difference
from appstore_analytics.contract.kpis.definition import dimensions_of
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.rules.counts import Counts

DOWNLOADS = tables_by_name()["downloads"]


def test_one_query_counts_rows_sums_and_kpi_amounts_of_all_apps_per_date():
    sql = counting_query(DOWNLOADS, {date(2026, 6, 2), date(2026, 6, 1)})
    assert sql.startswith(
        """SELECT app_id, dt, COUNT(*), SUM("counts"), SUM(counts) FILTER (WHERE lower(download_type) IN ('first-time"""
    )
    assert sql.endswith(""" FROM "downloads" WHERE dt IN (DATE '2026-06-01', DATE '2026-06-02') GROUP BY app_id, dt""")


def test_a_table_without_kpis_is_asked_for_its_additive_measures_only():
    assert counting_query(tables_by_name()["engagement_detailed"], [date(2026, 6, 1)]) == (
        'SELECT app_id, dt, COUNT(*), SUM("counts") FROM "engagement_detailed" '
        "WHERE dt IN (DATE '2026-06-01') GROUP BY app_id, dt"
    )


def test_the_answer_is_read_exactly_and_null_stays_none():
    amounts = ["3", "2", None, None, "1"]
    rows = [
        ("1000000001", "2026-06-01", "2", "12345678901234567890", *amounts),
        ("1000000002", "2026-06-01", "1", None, *[None] * 5),
    ]
    found = counted(DOWNLOADS, rows)
    assert {key: counts for key, (counts, _) in found.items()} == {
        (1000000001, date(2026, 6, 1)): Counts(2, {"counts": Decimal("12345678901234567890")}),
        (1000000002, date(2026, 6, 1)): Counts(1, {"counts": None}),
    }
    expected = found[1000000001, date(2026, 6, 1)][1]
    assert len({wanted for (name, _), wanted in expected.items() if name == "first_time_downloads"}) == 1
    assert len(expected) == len(amounts) * (1 + len(dimensions_of(DOWNLOADS)))


def test_an_amount_of_several_vintages_is_of_the_newest():
    for sql in amount_columns(tables_by_name()["subscription_states_vintages"]):
        assert " FILTER (WHERE is_newest_vintage AND lower(state_metric) IN (" in sql


AMOUNTS = {("impressions", "total"): Decimal(3), ("impressions", "territory"): Decimal(3)}


def test_kpis_that_agree_differ_in_nothing_and_what_is_not_stored_is_zero():
    assert difference(AMOUNTS, AMOUNTS) == ""
    assert difference({("taps", "total"): Decimal(0)}, {}) == ""


def test_the_first_kpi_that_differs_is_named():
    less = AMOUNTS | {("impressions", "territory"): Decimal(2)}
    assert difference(AMOUNTS, less) == ("KPI amount impressions summed over territory: 3 of the rows, 2 in marts.kpis")
    assert difference(AMOUNTS, {}) == "KPI amount impressions: 3 of the rows, 0 in marts.kpis"


def test_an_answer_with_another_number_of_sums_is_an_error():
    with pytest.raises(ValueError, match="zip"):
        counted(DOWNLOADS, [("1", "2026-06-01", "2")])
