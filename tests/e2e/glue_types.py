"""How three engines name the types of Glue."""

import pyarrow as pa

GLUE_TO_ARROW = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "decimal(18,6)": pa.decimal128(18, 6),
    "map<string,string>": pa.map_(pa.string(), pa.string()),
}

GLUE_TO_DUCKDB = {
    "string": "VARCHAR",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "decimal(18,6)": "DECIMAL(18,6)",
    "map<string,string>": "MAP(VARCHAR, VARCHAR)",
}

GLUE_TO_POLARS = {
    "string": "String",
    "bigint": "Int64",
    "double": "Float64",
    "boolean": "Boolean",
    "date": "Date",
    "decimal(18,6)": "Decimal(precision=18, scale=6)",
    "map<string,string>": "Map(String, String)",
}
