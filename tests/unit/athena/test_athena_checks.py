from datetime import date
from decimal import Decimal

import pytest

from appstore_analytics.athena.checks import counted, counting_query
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.rules.counts import Counts

DOWNLOADS = tables_by_name()["downloads"]


def test_one_query_counts_rows_and_sums_of_all_apps_per_date():
    assert counting_query(DOWNLOADS, {date(2026, 6, 2), date(2026, 6, 1)}) == (
        'SELECT app_id, dt, COUNT(*), SUM("counts") FROM "downloads" '
        "WHERE dt IN (DATE '2026-06-01', DATE '2026-06-02') GROUP BY app_id, dt"
    )


def test_uniques_are_never_summed():
    sql = counting_query(tables_by_name()["engagement"], [date(2026, 6, 1)])
    assert 'SUM("counts")' in sql
    assert "unique" not in sql


def test_the_answer_is_read_exactly_and_null_stays_none():
    rows = [("1000000001", "2026-06-01", "2", "12345678901234567890"), ("1000000002", "2026-06-01", "1", None)]
    assert counted(DOWNLOADS, rows) == {
        (1000000001, date(2026, 6, 1)): Counts(2, {"counts": Decimal("12345678901234567890")}),
        (1000000002, date(2026, 6, 1)): Counts(1, {"counts": None}),
    }


def test_an_answer_with_another_number_of_sums_is_an_error():
    with pytest.raises(ValueError, match="zip"):
        counted(DOWNLOADS, [("1", "2026-06-01", "2")])
