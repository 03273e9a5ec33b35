"""The Glue tables that Athena reads."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from appstore_analytics.contract.tables import CuratedTable

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient


@dataclass(frozen=True, slots=True)
class GlueDatabase:
    """The database with Apple's rows, by its Glue name."""

    client: "GlueClient"
    name: str

    def columns(self, table: CuratedTable) -> dict[str, str]:
        """Name and type of every column of the Glue table, without the partition; empty without such a table."""
        try:
            found = self.client.get_table(DatabaseName=self.name, Name=table.name)["Table"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "EntityNotFoundException":
                return {}
            raise
        return {column["Name"]: column["Type"] for column in found["StorageDescriptor"]["Columns"]}
