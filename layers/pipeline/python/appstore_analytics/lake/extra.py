"""The column `extra`: the cells of unknown columns, by Apple's header."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc


def extra_column(cells_by_header: Mapping[str, pa.Array]) -> pa.MapArray:
    """A map per row, its keys in the order of the headers' text; an empty cell has no key, and a row of only these is
    null.

    `cells_by_header` holds at least one array of strings; all have a cell for each row.
    """
    headers = sorted(cells_by_header)
    cells = pa.concat_arrays([cells_by_header[header] for header in headers])
    rows = len(cells) // len(headers)
    places = pa.arange(0, len(cells))  # indices of the cells row by row; the cells come column by column
    row = pc.divide(places, len(headers))
    column = pc.subtract(places, pc.multiply(row, len(headers)))
    by_row = cells.take(pc.add(pc.multiply(column, rows), row))
    has_value = by_row.is_valid()
    ends = _every(pc.cumulative_sum(has_value.cast(pa.int32())), len(headers))
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    keys = pa.array(headers, pa.string()).take(column.filter(has_value))
    return pa.MapArray.from_arrays(offsets, keys, by_row.drop_null(), mask=pc.equal(offsets[1:], offsets[:-1]))


def _every(values: pa.Array, step: int) -> pa.Array:
    """Each `step`th of the values."""
    return values.take(pa.arange(step - 1, len(values), step))
