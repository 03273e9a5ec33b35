"""The columns of Apple's newest files, read from the beginnings of the files in the ledger."""

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
_PIECE_BYTES = 64  # the bytes that a broken gzip can cost; unpacked at most 64 KB
_BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Sample:
    """The beginning of one of Apple's files: its headers, and the cells of the first rows."""

    key: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def values(self, header: str) -> list[str]:
        """The non-empty cells below a header."""
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
    """The beginnings of the newest files, up to the limit; files that have expired or have no header are skipped."""
    keys = (segment.key for instance in instances for segment in instance.segments[:1])
    found = (_sample(raw, key) for key in keys if raw.head(key))
    return islice((sample for sample in found if any(sample.headers)), files)


def _sample(raw: Bucket, key: str) -> Sample:
    with raw.open(key) as stream:
        text = _beginning(stream).decode("utf-8", errors="replace")
    header, *lines = text.removeprefix(_BYTE_ORDER_MARK).split("\n")
    delimiter = "\t" if "\t" in header else ","
    rows = (_cells(line, delimiter) for line in lines[:-1])  # the last line can be cut off
    return Sample(key, _cells(header, delimiter), tuple(rows))


def _beginning(stream: BinaryIO) -> bytes:
    """The first rows; if the gzip is broken, as in a quarantined file, those before the break."""
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
    """The cells of a line; none if it cannot be split, for which the converter quarantines the file."""
    line = line.removesuffix("\r")
    try:
        cells = next(csv.reader([line])) if delimiter == "," and line else line.split(delimiter)
    except csv.Error:
        return ()
    if "\r" in line:
        return ()
    return tuple(unicodedata.normalize("NFC", cell.strip()) for cell in cells)


def guessed_type(values: Sequence[str]) -> ColumnType:
    """The narrowest type that fits a file's first cells, as a proposal."""
    if values and all(re.fullmatch(r"[+-]?\d{1,18}", value, re.ASCII) for value in values):
        return ColumnType.INT64
    if values and all(re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII) for value in values):
        return ColumnType.DATE
    return ColumnType.STRING
