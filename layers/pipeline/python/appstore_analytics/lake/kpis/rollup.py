"""The KPI object of one Date and source table, made from the row groups of the rows' object as they are written.

    rows of the apps, in their order ─► sums ─► details of apps that are complete ─► row groups of 20,000
                                          └► totals and the portfolio, held ───────► the last row group, by the footer

One read of the object's end then has the totals of all apps, and the portfolio with all dimensions.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from appstore_analytics.contract.kpis.definition import dimensions_of
from appstore_analytics.contract.kpis.stored import PORTFOLIO, TOTAL, amounts_of
from appstore_analytics.contract.tables import APP_ID, IS_NEWEST_VINTAGE, PROCESSING_DATE, CuratedTable
from appstore_analytics.lake.kpis.classes import Classes
from appstore_analytics.lake.kpis.rows import (
    added,
    fitted,
    in_order,
    in_order_of_apps,
    rows_of_sums,
    zeros,
)
from appstore_analytics.lake.kpis.schema import KEYS, SCHEMA, STRINGS
from appstore_analytics.lake.kpis.sums import Sums, keys_of, measures_of, over_apps, sums_by_dimension
from appstore_analytics.lake.record_batches import in_one_batch, with_own_dictionaries
from appstore_analytics.rules import vintage

ROW_GROUP_ROWS = 20_000
"""The minimum number of rows that a query of one app reads; fewer would make the object a quarter larger."""


class Rollup:
    """Takes the rows of one Date, sorted by their apps, and writes their KPI amounts to `path`.

    The same rows in the same pieces give the same bytes. For a table without KPIs it writes no rows.
    """

    def __init__(self, table: CuratedTable, day: date, path: Path) -> None:
        self._table, self._day = table, day
        self._amounts = amounts_of(table)
        self._classes = Classes(self._amounts)
        self._writer = pq.ParquetWriter(
            path,
            SCHEMA,
            compression="zstd",
            compression_level=1,
            store_schema=False,
            use_dictionary=list(KEYS),
            write_statistics=["app_id", "dimension"],
        )
        self._rows = 0
        self._held: pa.Table | None = None
        self._is_final: dict[int, bool | None] = {}
        self._totals: list[pa.Table] = []
        self._portfolio: list[pa.Table] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def add(self, rows: pa.RecordBatch) -> None:
        """Add rows, in the order of their apps, with one dictionary per column of strings."""
        if self._amounts and self._table.keeps_vintages:
            rows = rows.filter(rows.column(IS_NEWEST_VINTAGE.name))
        if rows.num_rows == 0 or not self._amounts:
            return
        apps = pc.run_end_encode(rows.column(APP_ID.name))
        self._take_apps(apps, rows.column(PROCESSING_DATE.name))
        # The sums of the rows are freed before their details are written.
        self._take_details(self._summed_up(rows, apps))

    def finish(self, footer: Mapping[str, str]) -> int:
        """Write the remaining rows, the totals, the portfolio and the metadata `footer`. Returns the number of rows."""
        if self._is_final:
            if self._held is not None:
                self._write(fitted(self._held), ROW_GROUP_ROWS)
            self._is_final[PORTFOLIO] = _all(self._is_final.values())
            apps = pa.array(list(self._is_final), pa.int64())
            # An app that has rows, none of which counts, has a zero instead of an unknown value.
            none = [zeros(apps, amount, TOTAL) for amount in self._amounts]
            last = added([*self._portfolio, *self._totals, *none])
            self._write(in_order(fitted(last)), last.num_rows)
        self._writer.add_key_value_metadata(dict(footer))
        return self._rows

    def _summed_up(self, rows: pa.RecordBatch, apps: pa.RunEndEncodedArray) -> pa.Table:
        """Keep the apps' totals and their share of the portfolio; returns their details, in the order of the apps."""
        sums = self._sums(rows, apps)
        self._portfolio.append(self._rows_by_app(over_apps(sums), pa.array([PORTFOLIO], pa.int64())))
        self._totals.append(self._rows_by_app(sums.totals, apps.values))
        return self._rows_by_app(sums.details, apps.values)

    def _sums(self, rows: pa.RecordBatch, apps: pa.RunEndEncodedArray) -> Sums:
        numbers = pa.RunEndEncodedArray.from_arrays(apps.run_ends, pa.array(range(len(apps.values)), pa.int32()))
        cells = self._classes.cells_by_app(pc.run_end_decode(numbers), rows)
        keys = keys_of(rows, dimensions_of(self._table), self._day)
        return sums_by_dimension(cells, measures_of(rows, self._amounts), keys, self._classes)

    def _rows_by_app(self, sums: Sums, apps: pa.Array) -> pa.Table:
        return in_order_of_apps(rows_of_sums(sums, self._classes), apps)

    def _take_apps(self, apps: pa.RunEndEncodedArray, processing_dates: pa.Array) -> None:
        """An app's rows are contiguous and from one instance, so its first row has their processing date."""
        starts = [0, *apps.run_ends.to_pylist()[:-1]]
        days = pc.take(processing_dates, pa.array(starts)).to_pylist()
        is_final = (vintage.is_final(self._day, self._table, day) for day in days)
        self._is_final.update(zip(apps.values.to_pylist(), is_final, strict=True))

    def _take_details(self, details: pa.Table) -> None:
        """Write the details of complete apps: the last app can continue in the next row group."""
        if self._held is not None:
            goes_on = _rows_of(details, self._held["app_id"][0])
            self._held = added([self._held, details.slice(0, goes_on)])
            details = details.slice(goes_on)
        if details.num_rows == 0:
            return
        complete = [] if self._held is None else [fitted(self._held)]
        of_last = pc.equal(details["app_id"], details["app_id"][-1])
        self._held = details.filter(of_last)  # a copy: a slice would keep all details in memory
        complete.append(fitted(details.slice(0, details.num_rows - self._held.num_rows)))
        self._write(pa.concat_tables(complete), ROW_GROUP_ROWS)

    def _write(self, rows: pa.Table, row_group_rows: int) -> None:
        known = pa.array(list(self._is_final), pa.int64())
        is_final = pa.array(list(self._is_final.values()), pa.bool_())
        rows = rows.append_column("is_final", pc.take(is_final, pc.index_in(rows["app_id"], known)))
        batch = in_one_batch(rows)
        for start in range(0, batch.num_rows, row_group_rows):
            self._writer.write_batch(with_own_dictionaries(batch.slice(start, row_group_rows), STRINGS))
        self._rows += batch.num_rows


def _all(are_final: Iterable[bool | None]) -> bool | None:
    """Apple states a completeness for all apps or for none."""
    known = [each for each in are_final if each is not None]
    return all(known) if known else None


def _rows_of(details: pa.Table, app_id: pa.Scalar) -> int:
    return int(pc.sum(pc.equal(details["app_id"], app_id), min_count=0).as_py())
