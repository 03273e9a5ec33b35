"""The KPI object of one Date and source table, made from the row groups of the rows' object as they are written.

    rows of the apps, in their order ─► sums ─► details of apps that are complete ─► row groups of 20,000
                                          └► totals and the portfolio, kept ───────► the last row group, by the footer

One read of the object's end then has the totals of all apps, and the portfolio with all dimensions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from appstore_analytics.contract.kpis.definition import dimensions_of
from appstore_analytics.contract.kpis.stored import PORTFOLIO, TOTAL, amounts_of
from appstore_analytics.contract.tables import APP_ID, IS_NEWEST_VINTAGE, PROCESSING_DATE, CuratedTable
from appstore_analytics.lake.kpis.cells import Cells
from appstore_analytics.lake.kpis.rows import added, fitted, in_order, joined, rows_of_sums, zeros
from appstore_analytics.lake.kpis.schema import SCHEMA, STRINGS
from appstore_analytics.lake.kpis.sums import Sums, keys_of, measures_of, over_apps, sums_by_dimension
from appstore_analytics.lake.record_batches import in_one_batch, with_own_dictionaries
from appstore_analytics.rules import vintage

ROW_GROUP_ROWS = 20_000
"""A query of one app's details reads one row group or two; smaller ones would make the object larger."""


class Rollup:
    """Takes the rows of one Date, sorted by their apps, and writes their KPI amounts to `path`.

    The same rows in the same pieces give the same bytes. For a table without KPIs it writes no rows.
    """

    def __init__(self, table: CuratedTable, day: date, path: Path) -> None:
        self._table, self._day = table, day
        self._amounts = amounts_of(table)
        self._cells = Cells(self._amounts)
        self._writer = pq.ParquetWriter(
            path,
            SCHEMA,
            compression="zstd",
            compression_level=1,
            store_schema=False,
            use_dictionary=list(STRINGS),  # plain app ids take less space and time: rows are in their order
            write_statistics=["app_id", "dimension"],
            write_batch_size=ROW_GROUP_ROWS,  # Arrow's 1,024 rows at a time take longer for the same bytes
        )
        self._rows = 0
        self._held: pa.Table | None = None
        self._is_final: dict[int, bool | None] = {}
        self._last: list[pa.Table] = []

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
            last = added([*self._last, zeros(apps, self._amounts, TOTAL)])
            self._write(in_order(fitted(last)), last.num_rows)
        self._writer.add_key_value_metadata(dict(footer))
        return self._rows

    def _summed_up(self, rows: pa.RecordBatch, apps: pa.RunEndEncodedArray) -> pa.Table:
        """Keep the apps' totals and their share of the portfolio; returns their details, in the order of the apps."""
        sums = self._sums(rows, apps)
        portfolio = len(apps.values)
        last = replace(sums, rows=pa.concat_batches([sums.totals.rows, over_apps(sums, portfolio).rows]))
        ids = pa.concat_arrays([apps.values, pa.array([PORTFOLIO], pa.int64())])
        self._last.append(rows_of_sums(last, self._amounts, ids))
        return rows_of_sums(sums.details, self._amounts, apps.values)

    def _sums(self, rows: pa.RecordBatch, apps: pa.RunEndEncodedArray) -> Sums:
        numbers = pa.RunEndEncodedArray.from_arrays(apps.run_ends, pa.array(range(len(apps.values)), pa.int32()))
        cells = self._cells.by_app(pc.run_end_decode(numbers), rows)
        keys = keys_of(rows, dimensions_of(self._table), self._day)
        return sums_by_dimension(cells, measures_of(rows, self._amounts), keys, self._cells)

    def _take_apps(self, apps: pa.RunEndEncodedArray, processing_dates: pa.Array) -> None:
        """An app's rows are contiguous and from one instance, so its first row has their processing date."""
        starts = [0, *apps.run_ends.to_pylist()[:-1]]
        days = pc.take(processing_dates, pa.array(starts)).to_pylist()
        is_final = (vintage.is_final(self._day, self._table, day) for day in days)
        self._is_final.update(zip(apps.values.to_pylist(), is_final, strict=True))

    def _take_details(self, details: pa.Table) -> None:
        """Write full row groups of complete apps: the last app can continue in the next rows."""
        rows = details if self._held is None else _continued(self._held, details)
        if rows.num_rows == 0:
            return
        complete = rows.num_rows - _rows_of(rows, rows["app_id"][-1])
        written = complete - complete % ROW_GROUP_ROWS
        if written:
            self._write(fitted(rows.slice(0, written)), ROW_GROUP_ROWS)
        rest = pa.repeat(True, rows.num_rows - written)
        self._held = rows.slice(written).filter(rest)  # a copy: a slice would keep all details in memory

    def _write(self, rows: pa.Table, row_group_rows: int) -> None:
        batch = in_one_batch(rows)
        batch = batch.append_column("is_final", self._are_final(batch.column("app_id")))
        for start in range(0, batch.num_rows, row_group_rows):
            rows_of_group = with_own_dictionaries(batch.slice(start, row_group_rows), STRINGS)
            self._writer.write_batch(rows_of_group, row_group_rows)
        self._rows += batch.num_rows

    def _are_final(self, app_ids: pa.Array) -> pa.Array:
        apps = pc.run_end_encode(app_ids)
        is_final = pa.array([self._is_final[app] for app in apps.values.to_pylist()], pa.bool_())
        return pc.run_end_decode(pa.RunEndEncodedArray.from_arrays(apps.run_ends, is_final))


def _all(are_final: Iterable[bool | None]) -> bool | None:
    """Apple states a completeness for all apps or for none."""
    known = [each for each in are_final if each is not None]
    return all(known) if known else None


def _continued(held: pa.Table, details: pa.Table) -> pa.Table:
    """Both in one table; the rows of the app with which the first ends are added up."""
    app_id = held["app_id"][-1]
    before, after = held.num_rows - _rows_of(held, app_id), _rows_of(details, app_id)
    of_app = added([held.slice(before), details.slice(0, after)]) if after else held.slice(before)
    return joined([held.slice(0, before), of_app, details.slice(after)])


def _rows_of(details: pa.Table, app_id: pa.Scalar) -> int:
    return int(pc.sum(pc.equal(details["app_id"], app_id), min_count=0).as_py())
