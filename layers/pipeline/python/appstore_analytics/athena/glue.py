"""The Glue tables that Athena reads."""

from typing import Any

from botocore.exceptions import ClientError

from appstore_analytics.contract.tables import CURATED_DATABASE, CuratedTable


def glue_columns(glue: Any, table: CuratedTable) -> dict[str, str]:
    """Name and type of every column of the Glue table, without the partition; none when there is no such table."""
    try:
        found = glue.get_table(DatabaseName=CURATED_DATABASE, Name=table.name)["Table"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "EntityNotFoundException":
            return {}
        raise
    return {column["Name"]: column["Type"] for column in found["StorageDescriptor"]["Columns"]}
