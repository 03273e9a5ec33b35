"""The KPI object of a Date next to its rows' object: it has the digest of these rows and is swapped before them.

If both have the same digest, they come from the same rows. A crash between the two swaps leaves the KPI object ahead:
its digest is not that of the rows, which are published again, as the Date is still dirty.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pyarrow.parquet as pq

from appstore_analytics.contract.kpis.stored import amounts_of, definitions
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.kpis.rollup import Rollup
from appstore_analytics.lake.kpis.schema import DEFINITIONS, footer
from appstore_analytics.lake.objects import Bucket, StoredObject
from appstore_analytics.lake.published import DIGEST
from appstore_analytics.lake.record_batches import in_one_batch
from appstore_analytics.lake.schema import string_columns


@dataclass(frozen=True, slots=True)
class KpiObject:
    """The KPI object of a Date at the last look, None if there was none.

    A table without KPIs has no object, and counts as always current.
    """

    bucket: Bucket
    table: CuratedTable
    table_date: TableDate
    standing: StoredObject | None

    @classmethod
    def look(cls, bucket: Bucket, table: CuratedTable, table_date: TableDate) -> Self:
        """Read the current object."""
        return cls(bucket, table, table_date, bucket.head(table_date.kpis_key) if amounts_of(table) else None)

    def is_current(self, digest: str) -> bool:
        """Whether it was made from the rows with this digest, by the current definitions."""
        if not amounts_of(self.table):
            return True
        found = {} if self.standing is None else self.standing.metadata
        return found.get(DIGEST) == digest and found.get(DEFINITIONS) == definitions(self.table)

    def swap(self, path: Path, digest: str) -> bool:
        """Replace the object with the file that a `Rollup` wrote; False if another writer was first."""
        if not amounts_of(self.table):
            return True
        expected = None if self.standing is None else self.standing.etag
        with path.open("rb") as body:
            metadata = footer(self.table, digest)
            return self.bucket.swap(self.table_date.kpis_key, body, expected=expected, metadata=metadata)

    def rebuild(self, rows: StoredObject, digest: str, scratch: Path) -> bool:
        """Build the object from the current rows' object, which does not change; False as for `swap`.

        Raises ObjectReplacedError if the rows have been replaced by now. A second run writes the same bytes.
        """
        copy, path = scratch / "rows.parquet", scratch / "kpis.parquet"
        with copy.open("wb") as target:
            self.bucket.fetch(rows.key, target, if_match=rows.etag)
        file = pq.ParquetFile(copy, read_dictionary=string_columns(pq.read_schema(copy)))
        with Rollup(self.table, self.table_date.day, path) as rollup:
            for number in range(file.num_row_groups):
                rollup.add(in_one_batch(file.read_row_group(number, use_threads=False)))
            rollup.finish(footer(self.table, digest))
        return self.swap(path, digest)

    def remove(self) -> bool:
        """Delete the object if there is one; False if another writer was first."""
        if self.standing is None:
            return True
        return self.bucket.remove(self.table_date.kpis_key, expected=self.standing.etag)
