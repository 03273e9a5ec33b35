"""The parts of one table, and which of them are published: what is in the tables, without reading a row."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from appstore_analytics.contract.layout import TableDate, day_of, parts_location
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.parts import part_version
from appstore_analytics.lake.published import published_dates


@dataclass(frozen=True, slots=True)
class TableParts:
    """The parts of one table: their keys by app and Date, and the Dates with a published object."""

    lake: Bucket
    table: CuratedTable
    keys: Mapping[str, Mapping[date, list[str]]]
    published: frozenset[date]

    @classmethod
    def read(cls, lake: Bucket, table: CuratedTable, start: date, end: date) -> "TableParts":
        """Those of the Dates from `start` to `end`: one listing of the parts, one of the objects."""
        published = frozenset(day for day in published_dates(lake, table) if start <= day <= end)
        keys: dict[str, dict[date, list[str]]] = defaultdict(lambda: defaultdict(list))
        for stored in lake.list(parts_location(table.name)):
            day = day_of(stored.key)
            if start <= day <= end:
                keys[str(TableDate(table.name, day).app_id_of_part(stored.key))][day].append(stored.key)
        return cls(lake, table, keys, published)

    def unpublished(self, app_id: str) -> frozenset[date]:
        """The Dates that have a part of the app but no object."""
        return frozenset(self.keys.get(app_id, {}).keys() - self.published)

    def present(self, app_id: str) -> frozenset[date]:
        """The Dates with published rows of the app."""
        return self.published & self.keys.get(app_id, {}).keys()

    def standing(self, app_id: str, day: date) -> date | None:
        """The processing date of the newest published rows of a Date, from the metadata of a single part."""
        keys = self.keys.get(app_id, {}).get(day, []) if day in self.published else []
        if not keys:
            return None
        if self.table.keeps_vintages:
            return max(date.fromisoformat(key.rsplit("/", 1)[1][:10]) for key in keys)
        stored = self.lake.head(keys[0])
        return None if stored is None else part_version(stored).vintage.processing_date
