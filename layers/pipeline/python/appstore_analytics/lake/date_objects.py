"""The commit of a publication: the two objects of a Date that readers see, its rows and its KPIs.

Both are replaced and deleted by compare-and-swap, the KPIs before the rows: either a Date's KPIs are as new as its
rows, or the Date stays dirty. Another table format would change this module and leave the build as it is.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.kpis.objects import KpiObject
from appstore_analytics.lake.objects import Bucket, StoredObject
from appstore_analytics.lake.published import DIGEST, note, read_note
from appstore_analytics.model.parts import Batch


@dataclass(frozen=True, slots=True)
class Built:
    """The files of a Date, ready to be committed, and their batches."""

    digest: str
    rows: Path
    kpis: Path
    batches: tuple[Batch, ...] = ()


@dataclass(frozen=True, slots=True)
class DateObjects:
    """Both objects at the last look, None if there was none, and the `batches` in the note on the rows' object.

    `batches` is None if there is no object, or if its note is lost.
    """

    bucket: Bucket
    table: CuratedTable
    table_date: TableDate
    rows: StoredObject | None
    kpis: KpiObject
    batches: tuple[Batch, ...] | None

    @classmethod
    def look(cls, bucket: Bucket, table: CuratedTable, table_date: TableDate) -> Self:
        """Read the current objects. List the parts afterwards: a write between the two then makes the commit fail."""
        rows = bucket.head(table_date.curated_key)
        kpis = KpiObject.look(bucket, table, table_date)
        return cls(bucket, table, table_date, rows, kpis, read_note(bucket, table_date, rows))

    def has_rows_of(self, digest: str) -> bool:
        """Whether the rows have this digest, and their note: the counts to compare with must not be missing."""
        return self.rows is not None and self.rows.metadata.get(DIGEST) == digest and self.batches is not None

    def complete(self, digest: str, scratch: Path) -> bool:
        """Build the KPIs of the current rows again unless they are current; False if another writer was first."""
        return self.rows is None or self.kpis.is_current(digest) or self.kpis.rebuild(self.rows, digest, scratch)

    def write_note(self, built: Built) -> None:
        """Write the note on the object to come."""
        key = self.table_date.publication_key(built.digest)
        self.bucket.write(key, note(built.batches), content_type="application/json")

    def replace(self, built: Built) -> bool:
        """Replace both objects by the built files; False if another writer was first."""
        if not self.kpis.swap(built.kpis, built.digest):
            return False
        expected = None if self.rows is None else self.rows.etag
        metadata = {DIGEST: built.digest, "rows": str(sum(batch.rows for batch in built.batches))}
        with built.rows.open("rb") as body:
            return self.bucket.swap(self.table_date.curated_key, body, expected=expected, metadata=metadata)

    def remove(self) -> bool:
        """Delete both objects; False if another writer was first."""
        if not self.kpis.remove():
            return False
        return self.rows is None or self.bucket.remove(self.table_date.curated_key, expected=self.rows.etag)
