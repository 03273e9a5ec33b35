"""Apple-like segments, and their contents from an independent reading with the standard library."""

import csv
import gzip
import io
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from appstore_analytics.contract.catalogue.definition import AccessType, ColumnType
from appstore_analytics.contract.tables import CuratedTable, tables_by_name
from appstore_analytics.lake.conversion import Conversion, convert
from appstore_analytics.model.vintage import Vintage

APP = 1000000001
TODAY = date(2026, 11, 23)
DAY = date(2026, 11, 20)
ENGAGEMENT = tables_by_name()["engagement"]
PURCHASES = tables_by_name()["purchases"]
CRASHES_EXPANDED = tables_by_name()["crashes_expanded_vintages"]

_USUAL = {
    ColumnType.STRING: "Harbor",
    ColumnType.DATE: "2026-11-20",
    ColumnType.INT64: "3",
    ColumnType.FLOAT64: "1.5",
    ColumnType.BOOLEAN: "true",
    ColumnType.MONEY: "1.25",
}


def vintage(day: int, instance_id: str = "instance-1", access_type: AccessType = AccessType.ONGOING) -> Vintage:
    return Vintage(date(2026, 11, day), access_type, instance_id)


def row(table: CuratedTable, app_id: int = APP, /, **cells: str) -> dict[str, str]:
    """A row of `table` by Apple's headers; `cells` by our column names."""
    values = {column.name: _USUAL[column.type] for column in table.report.columns}
    if table.report.app_id_column is not None:
        values[table.report.app_id_column.name] = str(app_id)
    values |= cells
    return {column.header: values[column.name] for column in table.report.columns}


def tsv(rows: Sequence[dict[str, str]], headers: Sequence[str] = (), delimiter: str = "\t") -> bytes:
    headers = headers or list(rows[0])
    lines = [delimiter.join(headers), *(delimiter.join(each[header] for header in headers) for each in rows)]
    return ("\n".join(lines) + "\n").encode()


def comma_separated(rows: Sequence[dict[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def everything(days: Collection[date]) -> Collection[date]:
    return days


def converted(
    segments: Iterable[bytes],
    scratch: Path,
    table: CuratedTable = ENGAGEMENT,
    app_id: int = APP,
    of: Vintage | None = None,
    select: Callable[[Collection[date]], Collection[date]] = everything,
) -> Conversion:
    scratch.mkdir(exist_ok=True)
    streams = [io.BytesIO(gzip.compress(segment)) for segment in segments]
    return convert(streams, table, app_id, of or vintage(21), TODAY, select, scratch)


def independent_sums(rows: Iterable[dict[str, str]], table: CuratedTable) -> dict[str, dict[str, Decimal]]:
    """Per Date the sum of each additive measure that has any value."""
    date_header = next(each.header for each in table.report.columns if each.name == table.report.date_column)
    sums: dict[str, dict[str, Decimal]] = defaultdict(dict)
    for each in rows:
        of_day = sums[each[date_header]]
        for measure in table.report.additive_measures:
            if each[measure.header]:
                of_day[measure.name] = of_day.get(measure.name, Decimal(0)) + Decimal(each[measure.header])
    return dict(sums)
