"""What the text of a query says about the traps of its result."""

import pytest

from appstore_analytics.answers.query_traps import kpis_in, tables_in, traps_of
from appstore_analytics.contract.kpis import KPIS_BY_NAME


@pytest.mark.parametrize(
    ("query", "trap"),
    [
        (
            "SELECT SUM(unique_counts) FROM engagement",
            "unique_counts of engagement is not additive: a sum over rows or Dates counts the same people",
        ),
        (
            "SELECT SUM(counts) FROM curated.subscription_states_vintages",
            "subscription_states_vintages has every vintage of a Date: add WHERE is_newest_vintage",
        ),
        (
            'SELECT * FROM "Engagement_Detailed"',
            "engagement_detailed leaves out groups below five users and has noise: shares are right, totals are not.",
        ),
        ("SELECT SUM(amount) FROM marts.kpis", "kpis has a row for one dimension at a time, and app_id 0 is all apps"),
        ("SELECT impressions FROM marts.app_daily", f"impressions: {KPIS_BY_NAME['impressions'].trap}"),
        ("SELECT * FROM marts.retention", "retention: Active devices by the days since their download"),
    ],
)
def test_a_trap_of_a_table_or_a_column_is_told(query: str, trap: str) -> None:
    assert any(told.startswith(trap) for told in traps_of(query))


@pytest.mark.parametrize(
    "query",
    [
        "SELECT SUM(counts) FROM downloads",
        "SELECT 1",
        "SELECT SUM(counts) FROM subscription_states_vintages WHERE is_newest_vintage",
        "SELECT counts FROM engagement -- not unique_counts\n/* nor sessions_detailed */",
        "SELECT run_id FROM appstore.runs",
    ],
)
def test_what_has_no_trap_is_told_none(query: str) -> None:
    assert traps_of(query) == ()


def test_tables_and_kpis_are_found_by_their_names_alone() -> None:
    query = "WITH d AS (SELECT conversion_rate_at_least FROM marts.by_source) SELECT * FROM d, curated.downloads"
    assert [table.name for table in tables_in(query)] == ["downloads"]
    assert [kpi.name for kpi in kpis_in(query)] == ["conversion_rate"]
    assert kpis_in("SELECT sessions FROM curated.sessions") == ()
