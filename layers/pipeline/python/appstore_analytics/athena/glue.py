"""The Glue tables that Athena reads."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from appstore_analytics.contract.tables import CURATED_DATABASE, CuratedTable

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient


def glue_columns(glue: "GlueClient", table: CuratedTable) -> dict[str, str]:
    """Name and type of every column of the Glue table, without the partition; none when there is no such table."""
    try:
        found = glue.get_table(DatabaseName=CURATED_DATABASE, Name=table.name)["Table"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "EntityNotFoundException":
            return {}
        raise
    return {column["Name"]: column["Type"] for column in found["StorageDescriptor"]["Columns"]}
