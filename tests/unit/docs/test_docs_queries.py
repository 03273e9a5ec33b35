"""The SQL of the documentation, parsed like the embedded Athena does: names and types are those of the Glue tables."""

import re

import pytest

from appstore_analytics.contract.catalogue import CORE_REPORT_NAMES, REPORTS
from appstore_analytics.contract.catalogue.definition import Role
from appstore_analytics.contract.tables import APPSTORE_TABLES, tables_by_name
from local.aws.trino import QueryError
from tests.unit.docs.invented_rows import translated
from tests.unit.docs.reading_docs import ROOT, Block, blocks, rows

OF_OTHER_ENGINES = "engines.md"
QUERIES = [block for block in blocks("sql") if block.page != OF_OTHER_ENGINES]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.text[:50])
def test_every_query_names_tables_and_columns_that_exist(query: Block) -> None:
    assert translated(query.text)


def test_a_query_that_compares_a_date_with_text_would_be_seen() -> None:
    with pytest.raises(QueryError):
        translated("SELECT dt FROM curated.engagement WHERE dt >= '2026-11-18'")
    with pytest.raises(QueryError):
        translated("SELECT no_such_column FROM curated.engagement")


def test_a_query_that_sums_what_does_not_add_up_says_so_in_the_name_of_its_column() -> None:
    never = {
        column.name
        for table in tables_by_name().values()
        for column in table.columns
        if column.role in (Role.NON_ADDITIVE, Role.UNKNOWN)
    }
    for query in QUERIES:
        if any(f'SUM("{name}")' in query.text or f"SUM({name})" in query.text for name in never):
            assert query.page == "kpis.md"
            assert re.search(r" AS \w+_(at_most|at_least|estimate)\b", query.text)


def test_the_limits_name_the_uniques_as_the_catalogue_does() -> None:
    uniques = {
        column.name
        for table in tables_by_name().values()
        for column in table.columns
        if column.role is Role.NON_ADDITIVE
    }
    assert {"unique_devices", "unique_counts", "paying_users"} <= uniques


def test_the_table_of_appstore_tables_is_complete() -> None:
    page = ROOT / "docs" / "architecture.md"
    assert rows(page, "table") == [[table.name, table.meaning] for table in APPSTORE_TABLES]


def test_the_numbers_of_reports_in_the_configuration_are_the_catalogues() -> None:
    (meaning,) = [row[2] for row in rows(ROOT / "docs" / "configuration.md", "key") if row[0] == "reports"]
    assert f"({len(CORE_REPORT_NAMES)} reports)" in meaning
    assert f"({len(REPORTS)})" in meaning
