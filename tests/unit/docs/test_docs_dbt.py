"""docs/dbt/sources.yml as dbt reads it, beside the types that the Glue tables and views have."""

from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from invented_rows import GLUE

from appstore_analytics.contract.catalogue import CORE_REPORT_NAMES
from appstore_analytics.contract.catalogue.definition import Granularity, Role
from appstore_analytics.contract.kpis.views import VIEWS
from appstore_analytics.contract.names import Database
from appstore_analytics.contract.tables import APPSTORE_TABLES, curated_tables
from tests.unit.docs.reading_docs import ROOT

SOURCES: Mapping[str, Any] = yaml.safe_load((ROOT / "docs" / "dbt" / "sources.yml").read_text(encoding="utf-8"))
BY_DATABASE: Mapping[str, Any] = {source["schema"]: source for source in SOURCES["sources"]}


def columns(database: Database, table: str) -> dict[str, str]:
    (found,) = (each for each in BY_DATABASE[database]["tables"] if each["name"] == table)
    assert found["description"]
    return {column["name"]: column["data_type"] for column in found["columns"]}


def test_each_database_is_a_source() -> None:
    assert SOURCES["version"] == 2
    assert set(BY_DATABASE) == set(Database)


@pytest.mark.parametrize("table", curated_tables(CORE_REPORT_NAMES, (Granularity.DAILY,)), ids=lambda table: table.name)
def test_a_table_of_apples_rows_has_the_types_of_glue_and_says_what_never_adds_up(table: Any) -> None:
    assert columns(Database.CURATED, table.name) == GLUE[Database.CURATED, table.name]
    (found,) = (each for each in BY_DATABASE[Database.CURATED]["tables"] if each["name"] == table.name)
    words = {column["name"]: column.get("description", "") for column in found["columns"]}
    for column in table.columns:
        assert ("never sum it" in words[column.name]) == (column.role is Role.NON_ADDITIVE)


@pytest.mark.parametrize("table", APPSTORE_TABLES, ids=lambda table: table.name)
def test_a_table_of_records_has_the_types_of_glue(table: Any) -> None:
    assert columns(Database.APPSTORE, table.name) == GLUE[Database.APPSTORE, table.name]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_has_the_types_that_it_promises(view: Any) -> None:
    assert columns(Database.MARTS, view.name) == {column.name: column.type for column in view.columns}
