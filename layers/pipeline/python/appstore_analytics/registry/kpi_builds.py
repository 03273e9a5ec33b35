"""The Date back to which a table's KPIs were planned to be built with today's definitions, newest Date first."""

from datetime import date
from typing import TYPE_CHECKING

from appstore_analytics.registry.keys import kpi_build_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class KpiBuilds:
    """One item per table. Without an item, or with other definitions, nothing was planned."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def planned_from(self, table: str, definitions: str) -> date:
        """The oldest Date that was planned under these definitions; `date.max` before any."""
        item = self._table.get_item(Key=kpi_build_key(table), ConsistentRead=True).get("Item", {})
        if item.get("definitions") != definitions:
            return date.max
        return date.fromisoformat(str(item["planned_from"]))

    def note(self, table: str, definitions: str, planned_from: date) -> None:
        """Dates from `planned_from` on are planned; `date.min` if none is left. A second call changes nothing."""
        self._table.put_item(
            Item={**kpi_build_key(table), "definitions": definitions, "planned_from": planned_from.isoformat()}
        )
