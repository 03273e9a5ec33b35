"""One type per column: Glue's, Arrow's and the files' agree."""

import json

import pyarrow as pa
import pytest

from appstore_analytics.contract.catalogue.definition import ColumnType
from appstore_analytics.contract.tables import EXTRA, tables_by_name
from appstore_analytics.lake.schema import arrow_type, part_schema, report_schema, table_schema

_GLUE_NAMES = {
    pa.string(): "string",
    pa.date32(): "date",
    pa.int64(): "bigint",
    pa.float64(): "double",
    pa.bool_(): "boolean",
    pa.decimal128(18, 6): "decimal(18,6)",
    pa.map_(pa.string(), pa.string()): "map<string,string>",
}


@pytest.mark.parametrize("column_type", list(ColumnType))
def test_the_arrow_type_is_the_glue_type(column_type: ColumnType) -> None:
    assert _GLUE_NAMES[arrow_type(column_type)] == column_type.value


def test_every_schema_follows_the_catalogue() -> None:
    for table in tables_by_name().values():
        for schema, columns in (
            (report_schema(table.report), table.report.columns),
            (part_schema(table), table.part_columns),
            (part_schema(table, has_extra=True), (*table.part_columns, EXTRA)),
            (table_schema(table), table.columns[:-1]),
            (table_schema(table, has_extra=True), table.columns),
        ):
            assert [(field.name, _GLUE_NAMES[field.type]) for field in schema] == [
                (column.name, column.type.value) for column in columns
            ]


def test_the_sums_of_every_report_fit_into_the_metadata_of_an_s3_object() -> None:
    for table in tables_by_name().values():
        sums = {measure.name: "-" + "9" * 30 for measure in table.report.additive_measures}
        assert len(json.dumps(sums)) < 1500  # of 2,048 bytes; a vintage needs at most 250
