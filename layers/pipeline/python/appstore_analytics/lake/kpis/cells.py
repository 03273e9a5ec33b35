"""The amounts that a row counts for, as one number."""

from collections.abc import Sequence
from functools import reduce
from itertools import product

import pyarrow as pa
import pyarrow.compute as pc

from appstore_analytics.contract.kpis.definition import Amount
from appstore_analytics.lake.kpis.packing import packed

_OTHER = ""
"""Stands for a value that no condition names: it meets only the conditions that ask for any value."""


class Cells:
    """The cells of a table: two rows are in the same cell if they count for the same amounts.

    `amounts` has those of each cell. One cell may have none, and an amount can be in several cells.
    """

    def __init__(self, amounts: Sequence[Amount]) -> None:
        # A row has a bit for each condition that it meets.
        conditions = dict.fromkeys(condition for amount in amounts for condition in amount.where)
        self._bits = {condition: 1 << number for number, condition in enumerate(conditions)}
        self._columns = tuple(dict.fromkeys(condition.column for condition in conditions))
        asked = {amount: sum(self._bits[condition] for condition in amount.where) for amount in amounts}
        possible = map(sum, product(*(self._possible_bits(name) for name in self._columns)))
        amounts_of_bits = {
            met: tuple(amount for amount, bits in asked.items() if met & bits == bits) for met in possible
        }
        self.amounts = tuple(dict.fromkeys(amounts_of_bits.values()))
        numbers = {cell: number for number, cell in enumerate(self.amounts)}
        every = range(1 << len(self._bits))
        self._cell_of_bits = pa.array([numbers.get(amounts_of_bits.get(bits, ())) for bits in every], pa.int32())

    def by_app(self, apps: pa.Array, rows: pa.RecordBatch) -> pa.Array:
        """The app of each row, given as a number, and its cell, an index of `amounts`, packed into one number."""
        if not self._columns:
            return apps
        bits = reduce(pc.add, (self._bits_of_column(rows.column(name), name) for name in self._columns))
        return packed(apps, pc.take(self._cell_of_bits, bits, boundscheck=False), len(self.amounts))

    def _bits_of_column(self, column: pa.Array, name: str) -> pa.Array:
        """The bits of the conditions that each row meets; for strings computed once per entry of the dictionary."""
        if not pa.types.is_dictionary(column.type):
            bits = pa.scalar(self._bits_of(name, _OTHER), pa.int32())
            return pc.multiply(column.is_valid().cast(pa.int32()), bits)
        words = [self._bits_of(name, word.lower()) for word in column.dictionary.to_pylist()]
        bits = pc.take(pa.array(words, pa.int32()), column.indices, boundscheck=False)
        return pc.fill_null(bits, 0) if column.null_count else bits

    def _possible_bits(self, name: str) -> set[int]:
        """The bits that some value of a column has."""
        words = (word for condition in self._bits if condition.column == name for word in condition.words)
        return {0, *(self._bits_of(name, word) for word in (*words, _OTHER))}

    def _bits_of(self, name: str, word: str) -> int:
        """The bits of the conditions on one column that a value in it meets; a null meets none."""
        mine = ((condition, bit) for condition, bit in self._bits.items() if condition.column == name)
        return sum(bit for condition, bit in mine if not condition.words or word in condition.words)
