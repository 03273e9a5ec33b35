"""What Apple's newest files say about a table's columns: the beginnings of the files that the ledger names."""

import csv
import io
import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import BinaryIO

from appstore_analytics.contract.catalogue.definition import AccessType, ColumnType
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.model.instances import LedgerInstance
from appstore_analytics.registry import Registry

_SAMPLE_BYTES = 64 << 10
_PIECE_BYTES = 64  # what a break takes with it; unpacked 64 KB at most
_BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Sample:
    """The beginning of one file of Apple: its headers, and the first rows' cells."""

    key: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def values(self, header: str) -> list[str]:
        """The cells below a header that are not empty."""
        place = self.headers.index(header)
        return [row[place] for row in self.rows if len(row) == len(self.headers) and row[place]]


def newest_instances(app_ids: Iterable[str], registry: Registry, since: date) -> dict[str, list[LedgerInstance]]:
    """The landed instances of all apps by table, newest first, from the ledger."""
    found: dict[str, list[LedgerInstance]] = {}
    for app_id in app_ids:
        for instance in registry.instances.since(app_id, AccessType.ONGOING, since):
            if instance.segments:
                found.setdefault(instance.table, []).append(instance)
    return {table: sorted(instances, key=lambda one: one.vintage, reverse=True) for table, instances in found.items()}


def samples(raw: Bucket, instances: Sequence[LedgerInstance], files: int) -> Iterator[Sample]:
    """The beginnings of the newest files, at most so many; what has expired or has no header is passed over."""
    keys = (segment.key for instance in instances for segment in instance.segments[:1])
    found = (_sample(raw, key) for key in keys if raw.head(key))
    return islice((sample for sample in found if any(sample.headers)), files)


def _sample(raw: Bucket, key: str) -> Sample:
    with raw.open(key) as stream:
        text = _beginning(stream).decode("utf-8", errors="replace")
    header, *lines = text.removeprefix(_BYTE_ORDER_MARK).split("\n")
    delimiter = "\t" if "\t" in header else ","
    rows = (_cells(line, delimiter) for line in lines[:-1])  # the last line may be cut
    return Sample(key, _cells(header, delimiter), tuple(rows))


def _beginning(stream: BinaryIO) -> bytes:
    """Some rows; of a file whose gzip is broken, as a quarantined one's may be, what stands before the break."""
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    compressed = io.BytesIO(stream.read(_SAMPLE_BYTES))
    text = b""
    while len(text) < _SAMPLE_BYTES and (piece := compressed.read(_PIECE_BYTES)):
        try:
            text += inflater.decompress(piece)
        except zlib.error:
            break
    return text


def _cells(line: str, delimiter: str) -> tuple[str, ...]:
    """The cells of a line; none of one that the converter would not split either, and quarantines its file for."""
    line = line.removesuffix("\r")
    try:
        cells = next(csv.reader([line])) if delimiter == "," and line else line.split(delimiter)
    except csv.Error:
        return ()
    if "\r" in line:
        return ()
    return tuple(unicodedata.normalize("NFC", cell.strip()) for cell in cells)


def guessed_type(values: Sequence[str]) -> ColumnType:
    """The narrowest type that a file's first cells have; a person decides."""
    if values and all(re.fullmatch(r"[+-]?\d{1,18}", value, re.ASCII) for value in values):
        return ColumnType.INT64
    if values and all(re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII) for value in values):
        return ColumnType.DATE
    return ColumnType.STRING
