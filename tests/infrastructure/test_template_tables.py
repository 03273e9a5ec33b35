"""The Glue tables and views: columns, formats and projections."""

import base64
import json
from typing import Any

import pytest
from synthesis import Synthesis, columns_of, context, plain, synthesize

from appstore_analytics.contract.kpis.stored import KPI_COLUMNS, STATE_COLUMNS
from appstore_analytics.contract.kpis.views import VIEWS, View
from appstore_analytics.contract.tables import APPSTORE_TABLES, CuratedTable
from infra.configuration import parse_context


def _tables(synthesis: Synthesis, database: str) -> dict[str, dict[str, Any]]:
    """The tables of a database, by name."""
    (reference,) = [
        name
        for name, properties in synthesis.of_type("Glue::Database").items()
        if properties["DatabaseInput"]["Name"] == database
    ]
    return {
        table["TableInput"]["Name"]: table
        for table in synthesis.of_type("Glue::Table").values()
        if table["DatabaseName"] == {"Ref": reference}
    }


def _curated() -> dict[str, CuratedTable]:
    return {table.name: table for table in parse_context({}).curated_tables}


def test_curated_tables_are_the_catalogues_column_by_column(synthesis: Synthesis) -> None:
    found = _tables(synthesis, "curated")
    assert set(found) == set(_curated())
    for name, table in _curated().items():
        assert [(each["Name"], each["Type"]) for each in columns_of(found[name])] == [
            (column.name, column.type) for column in table.columns
        ]
        assert [each.get("Comment", "") for each in columns_of(found[name])] == [each.meaning for each in table.columns]


def test_appstore_tables_are_the_contracts_column_by_column(synthesis: Synthesis) -> None:
    found = _tables(synthesis, "appstore")
    assert set(found) == {table.name for table in APPSTORE_TABLES}
    for table in APPSTORE_TABLES:
        assert [(each["Name"], each["Type"]) for each in columns_of(found[table.name])] == list(table.columns)
        assert found[table.name]["TableInput"]["Description"] == f"{table.meaning}."


def test_the_table_of_kpis_is_the_contracts_column_by_column(synthesis: Synthesis) -> None:
    table = _tables(synthesis, "marts")["kpis"]
    assert [(each["Name"], each["Type"], each["Comment"]) for each in columns_of(table)] == list(KPI_COLUMNS)


def test_the_table_of_states_is_the_contracts_column_by_column(synthesis: Synthesis) -> None:
    table = _tables(synthesis, "marts")["states"]
    assert [(each["Name"], each["Type"], each["Comment"]) for each in columns_of(table)] == list(STATE_COLUMNS)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_is_stored_as_athena_stores_it_with_its_types_twice(synthesis: Synthesis, view: View) -> None:
    described = _tables(synthesis, "marts")[view.name]["TableInput"]
    assert described["TableType"] == "VIRTUAL_VIEW"
    assert described["Parameters"] == {"presto_view": "true", "comment": "Presto View"}
    assert described["ViewExpandedText"] == "/* Presto View */"
    assert described["StorageDescriptor"]["SerdeInfo"] == {}
    columns = [(each["Name"], each["Type"]) for each in described["StorageDescriptor"]["Columns"]]
    assert columns == [(column.name, column.type) for column in view.columns]
    encoded = described["ViewOriginalText"].removeprefix("/* Presto View: ").removesuffix(" */")
    assert json.loads(base64.b64decode(encoded, validate=True)) == {
        "originalSql": view.query("marts"),
        "catalog": "awsdatacatalog",
        "schema": "marts",
        "columns": [{"name": name, "type": kind.replace("string", "varchar")} for name, kind in columns],
    }


PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe", "parquet"


JSON = "org.openx.data.jsonserde.JsonSerDe", "json"


@pytest.mark.parametrize("database", ["marts", "curated", "appstore"])
def test_every_table_projects_its_days_where_the_objects_lie(synthesis: Synthesis, database: str) -> None:
    lake = synthesis.template["Outputs"]["LakeBucket"]["Value"]["Ref"]
    tables = _tables(synthesis, database)
    for name in tables.keys() - {view.name for view in VIEWS}:
        table = tables[name]
        serde, classification = JSON if database == "appstore" or name == "states" else PARQUET
        location = f"s3://<{lake}>/{database}/{name}/"
        described = table["TableInput"]
        storage, parameters = described["StorageDescriptor"], described["Parameters"]
        assert plain(storage["Location"]) == location
        assert storage["SerdeInfo"] == {"SerializationLibrary": serde}
        (partition,) = described["PartitionKeys"]
        assert (partition["Name"], partition["Type"]) == ("dt", "date")
        assert {key: plain(value) for key, value in parameters.items()} == {
            "classification": classification,
            "EXTERNAL": "TRUE",
            "projection.enabled": "true",
            "projection.dt.type": "date",
            "projection.dt.format": "yyyy-MM-dd",
            "projection.dt.range": f"{'2019-12-30' if database == 'marts' else '2020-01-01'},NOW+1DAYS",
            "projection.dt.interval": "1",
            "projection.dt.interval.unit": "DAYS",
            "storage.location.template": f"{location}dt=${{dt}}/",
        }


def test_weekly_tables_project_mondays_and_monthly_ones_firsts(tmp_path_factory: pytest.TempPathFactory) -> None:
    values = context(reports=["downloads_detailed"], granularities=["WEEKLY", "MONTHLY"])
    found = _tables(synthesize(tmp_path_factory.mktemp("periods"), values), "curated")
    projections = {
        name: {
            key.removeprefix("projection.dt."): value
            for key, value in table["TableInput"]["Parameters"].items()
            if key.startswith("projection.dt.")
        }
        for name, table in found.items()
    }
    same = {"type": "date", "format": "yyyy-MM-dd"}
    assert projections == {
        "downloads_detailed_weekly": same | {"range": "2019-12-30,NOW+1DAYS", "interval": "7", "interval.unit": "DAYS"},
        "downloads_detailed_monthly": same
        | {"range": "2020-01-01,NOW+1DAYS", "interval": "1", "interval.unit": "MONTHS"},
    }


def test_a_table_says_what_it_is_when_it_is_complete_and_which_vintages_it_holds(synthesis: Synthesis) -> None:
    found = _tables(synthesis, "curated")
    downloads = found["downloads"]["TableInput"]["Description"]
    assert downloads == (
        "Apple's report 'App Downloads Standard', daily. A Date is complete 2 days after it. "
        "For each app and Date it has all rows of the newest processing date, and no others. "
        "Documentation: https://developer.apple.com/documentation/analytics-reports/app-download"
    )
    for name, table in found.items():
        keeps_all = "every vintage of a Date is kept" in table["TableInput"]["Description"]
        assert keeps_all == name.endswith("_vintages")
