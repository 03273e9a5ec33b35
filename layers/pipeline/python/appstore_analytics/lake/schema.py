"""The Arrow schemas of the curated tables: the one place where a column's type is translated."""

from collections.abc import Iterable, Set

import pyarrow as pa

from appstore_analytics.contract.catalogue.definition import Column, ColumnType, ReportDefinition
from appstore_analytics.contract.tables import EXTRA, CuratedTable

MONEY_SCALE = 6
"""Decimal places of `ColumnType.MONEY`."""

_ARROW_TYPES: dict[ColumnType, pa.DataType] = {
    ColumnType.STRING: pa.string(),
    ColumnType.DATE: pa.date32(),
    ColumnType.INT64: pa.int64(),
    ColumnType.FLOAT64: pa.float64(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.MONEY: pa.decimal128(18, MONEY_SCALE),
    ColumnType.TEXTS_BY_HEADER: pa.map_(pa.string(), pa.string()),
}

DICTIONARY = pa.dictionary(pa.int32(), pa.string())
"""The type of strings in memory, which is several times smaller and faster than plain strings."""

_STRINGS = frozenset({pa.string().id, DICTIONARY.id})
_MONEY = frozenset({pa.decimal128(18, MONEY_SCALE).id})
_DATES = frozenset({pa.date32().id})
_NUMBERS = frozenset({pa.int64().id, pa.float64().id, *_DATES})


def arrow_type(column_type: ColumnType) -> pa.DataType:
    """The Arrow type of a column; the value of `column_type` is its Glue type."""
    return _ARROW_TYPES[column_type]


def memory_type(column_type: ColumnType) -> pa.DataType:
    """The Arrow type of a column whose rows are in memory."""
    return DICTIONARY if column_type is ColumnType.STRING else arrow_type(column_type)


def report_schema(report: ReportDefinition) -> pa.Schema:
    """The columns from Apple's file, in the catalogue's order."""
    return _schema(report.columns)


def part_schema(table: CuratedTable, *, has_extra: bool = False) -> pa.Schema:
    """The columns of a part: lineage, then Apple's, then `extra` if its instance has it."""
    return _schema((*table.part_columns, EXTRA) if has_extra else table.part_columns)


def table_schema(table: CuratedTable, *, has_extra: bool = False) -> pa.Schema:
    """The columns of the object that Athena reads, in the order of the Glue table; `extra` if a part has it."""
    return _schema(column for column in table.columns if has_extra or column is not EXTRA)


def string_columns(schema: pa.Schema) -> list[str]:
    """The columns of strings, plain or as dictionaries."""
    return _columns_of(schema, _STRINGS)


def number_columns(schema: pa.Schema) -> list[str]:
    """The columns of numbers and of dates, which are numbers of days."""
    return _columns_of(schema, _NUMBERS)


def money_columns(schema: pa.Schema) -> list[str]:
    """The columns of money."""
    return _columns_of(schema, _MONEY)


def date_columns(schema: pa.Schema) -> list[str]:
    """The columns of dates."""
    return _columns_of(schema, _DATES)


def in_memory(schema: pa.Schema) -> pa.Schema:
    """`schema` with its strings as dictionaries."""
    return pa.schema(
        [pa.field(each.name, DICTIONARY if pa.types.is_string(each.type) else each.type) for each in schema]
    )


def _columns_of(schema: pa.Schema, ids: Set[int]) -> list[str]:
    # Called for every part, so it compares the ids of the types, which is faster than pyarrow's predicates.
    return [name for name, data_type in zip(schema.names, schema.types, strict=True) if data_type.id in ids]


def _schema(columns: Iterable[Column]) -> pa.Schema:
    return pa.schema([pa.field(column.name, arrow_type(column.type)) for column in columns])
