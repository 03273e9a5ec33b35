"""Tables that the tests of the embedded Athena ask."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb

from local.aws.server import EmbeddedAws
from tests.integration.embedded_aws import deployment

TODAY = datetime.now(UTC).date()


PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}


JSON_LINES = {
    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"},
}


COLUMNS = {
    "app_id": "bigint",
    "app_name": "string",
    "counts": "bigint",
    "proceeds": "decimal(18,6)",
    "ratio": "double",
    "is_first": "boolean",
    "processing_date": "date",
}


ROWS = """
SELECT * FROM (VALUES
    (1000000001, 'Harbor Notes', 10, 12.34::DECIMAL(18,6), 0.5::DOUBLE, true, DATE '{day}'),
    (1000000001, NULL, 5, 0.000001::DECIMAL(18,6), 12345678.0::DOUBLE, false, DATE '{day}'),
    (1000000002, 'Tide', 7, -1.5::DECIMAL(18,6), NULL, NULL, NULL)
) AS t(app_id, app_name, counts, proceeds, ratio, is_first, processing_date)
"""


def parquet(sql: str, path: str) -> bytes:
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"COPY ({sql}) TO '{path}' (FORMAT parquet)")
    with open(path, "rb") as file:
        return file.read()


def create_table(
    aws: EmbeddedAws,
    name: str,
    columns: Mapping[str, str] = COLUMNS,
    storage: Mapping[str, Any] = PARQUET,
    projection: Mapping[str, str] | None = None,
) -> None:
    partitioned = storage is PARQUET
    parameters = {
        "projection.enabled": "true",
        "projection.dt.type": "date",
        "projection.dt.range": "2020-01-01,NOW+1DAYS",
        "projection.dt.format": "yyyy-MM-dd",
        **(projection or {}),
    }
    aws.client("glue").create_table(
        DatabaseName="curated",
        TableInput={
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": parameters if partitioned else {},
            "PartitionKeys": [{"Name": "dt", "Type": "date"}] if partitioned else [],
            "StorageDescriptor": {
                "Columns": [{"Name": column, "Type": kind} for column, kind in columns.items()],
                "Location": f"s3://lake/curated/{name}/",
                **storage,
            },
        },
    )


def days() -> list[date]:
    return [TODAY - timedelta(days=distance) for distance in (0, 3, 10)]


def put(aws: EmbeddedAws, key: str, body: bytes) -> None:
    aws.client("s3").put_object(Bucket="lake", Key=key, Body=body)


def rows(aws: EmbeddedAws, sql: str) -> list[list[str | None]]:
    answer = deployment.query(aws, sql)
    assert answer["state"] == "SUCCEEDED", answer["reason"]
    return list(answer["rows"])


def reason(aws: EmbeddedAws, sql: str) -> str:
    answer = deployment.query(aws, sql)
    assert answer["state"] == "FAILED", answer
    return str(answer["reason"])
