"""The parts of one table and which of them are published: what is in the tables, without reading a row."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial

from appstore_analytics.contract.layout import TableDate, day_of, parts_location
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.parts import part_version
from appstore_analytics.lake.published import published_dates
from appstore_analytics.rules.gaps import PartsOfApp


def parts_of_apps(lake: Bucket, table: CuratedTable, start: date, end: date) -> dict[str, PartsOfApp]:
    """The parts of the Dates from `start` to `end`, by app id: one listing of the parts, one of the objects."""
    keys: dict[str, dict[date, list[str]]] = defaultdict(lambda: defaultdict(list))
    for stored in lake.list(parts_location(table.name)):
        day = day_of(stored.key)
        if start <= day <= end:
            keys[str(TableDate(table.name, day).app_id_of_part(stored.key))][day].append(stored.key)
    published = frozenset(published_dates(lake, table))
    found = {}
    for app_id, of_app in keys.items():
        in_the_table = {day: of_app[day] for day in published & of_app.keys()}
        unpublished = frozenset(of_app) - published
        found[app_id] = PartsOfApp(frozenset(in_the_table), unpublished, partial(_standing, lake, table, in_the_table))
    return found


def _standing(lake: Bucket, table: CuratedTable, keys: Mapping[date, Sequence[str]], day: date) -> date | None:
    """The newest processing date of a Date's parts: in their keys if the table keeps every vintage, otherwise in the
    metadata of the only one."""
    of_day = keys.get(day)
    if not of_day:
        return None
    if table.keeps_vintages:
        return max(date.fromisoformat(key.rsplit("/", 1)[1][:10]) for key in of_day)
    stored = lake.head(of_day[0])
    return None if stored is None else part_version(stored).vintage.processing_date
