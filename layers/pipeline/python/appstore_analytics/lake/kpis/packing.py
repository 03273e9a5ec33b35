"""Two numbers packed into one: Arrow groups by one column much faster than by several."""

import pyarrow as pa
import pyarrow.compute as pc


def packed(high: pa.Array, low: pa.Array, size: int) -> pa.Array:
    """One number for both; `low` is below `size`."""
    return pc.add(pc.multiply(high, pa.scalar(size, high.type)), low)


def split(numbers: pa.ChunkedArray, size: int) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """The two numbers that were packed."""
    high = pc.divide(numbers, pa.scalar(size, numbers.type))
    return high, pc.subtract(numbers, pc.multiply(high, pa.scalar(size, numbers.type)))
