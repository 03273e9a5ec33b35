"""The amounts that a row counts for, as one number."""

from collections.abc import Sequence
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from appstore_analytics.contract.kpis.definition import Amount, Condition


class Classes:
    """Classes of rows by the conditions of amounts on the same columns: each row is in one class or none.

    `amounts` has, for each class, the amounts that its rows count for, of different measures.
    """

    def __init__(self, amounts: Sequence[Amount]) -> None:
        wheres = list(dict.fromkeys(amount.where for amount in amounts))
        self.amounts = tuple(tuple(amount for amount in amounts if amount.where == where) for where in wheres)
        self._conditions = tuple(dict.fromkeys(condition for where in wheres for condition in where))
        self._columns = tuple(dict.fromkeys(condition.column for condition in self._conditions))
        # A row has a bit for each condition that it meets.
        met = [self._met(bits) for bits in range(1 << len(self._conditions))]
        classes = [
            next((number for number, where in enumerate(wheres) if each.issuperset(where)), None) for each in met
        ]
        self._class_of_bits = pa.array(classes, pa.int32())

    def of_rows(self, rows: pa.RecordBatch) -> pa.Array:
        """The class of each row, an index of `amounts`; null if it counts for none."""
        if not self._columns:
            return pa.repeat(pa.scalar(0, pa.int32()), rows.num_rows)
        bits = reduce(pc.add, (self._bits(rows.column(name), name) for name in self._columns))
        return pc.take(self._class_of_bits, bits, boundscheck=False)

    def _met(self, bits: int) -> set[Condition]:
        return {condition for number, condition in enumerate(self._conditions) if bits >> number & 1}

    def _bits(self, column: pa.Array, name: str) -> pa.Array:
        """The bits of the conditions on one column; for strings computed once per entry of the dictionary."""
        mine = [(1 << number, each) for number, each in enumerate(self._conditions) if each.column == name]
        if not pa.types.is_dictionary(column.type):
            return pc.multiply(column.is_valid().cast(pa.int32()), pa.scalar(sum(bit for bit, _ in mine), pa.int32()))
        words = [word.lower() for word in column.dictionary.to_pylist()]
        bits = [sum(bit for bit, each in mine if not each.words or word in each.words) for word in words]
        found = pc.take(pa.array(bits, pa.int32()), column.indices, boundscheck=False)
        return pc.fill_null(found, 0) if column.null_count else found


def classes_of(amounts: Sequence[Amount]) -> list[Classes]:
    """The amounts by the columns of their conditions; several groups if one amount's rows are a subset of another's."""
    columns = {amount: tuple(condition.column for condition in amount.where) for amount in amounts}
    return [Classes([each for each in amounts if columns[each] == one]) for one in dict.fromkeys(columns.values())]
