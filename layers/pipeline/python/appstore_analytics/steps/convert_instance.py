"""convert_instance: one instance's rows, typed and split by Date, into the app's parts."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from appstore_analytics.contract.errors import InstanceQuarantined
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.messages import AccessType, LandItem, Outcome, Verdict, step_result
from appstore_analytics.contract.tables import CuratedTable, tables_by_name
from appstore_analytics.lake.conversion import Conversion, convert
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.parts import PartFile, PartOutcome, write_part
from appstore_analytics.registry import Registry
from appstore_analytics.registry.instances import InstanceStatus, LedgerInstance
from appstore_analytics.registry.report_requests import Asked, KnownRequest
from appstore_analytics.rules.vintage import complete_dates


def convert_instance(item: LandItem, registry: Registry, raw: Bucket, lake: Bucket) -> dict[str, str]:
    """Convert a landed instance and let its vintage replace whole Dates of its app.

    Parts first, then the Dates' dirty marks, then the ledger: a crash in between leaves the instance due, and a second
    run finds its own parts and marks the Dates again. InstanceQuarantined: the file breaks its report's contract; the
    ledger keeps the reason and the Dates in the lake stay as they are.
    """
    instance = registry.instances.get(item.app_id, item.instance)
    if instance is None or instance.status not in (InstanceStatus.LANDED, InstanceStatus.CONVERTED):
        return step_result(Outcome.DONE)
    table = tables_by_name()[instance.table]
    known = registry.report_requests.get(item.app_id, instance.vintage.access_type)
    wanted = frozenset(asked.dates for asked in _asked(table, known))
    with TemporaryDirectory() as scratch:
        try:
            conversion = _convert(instance, table, known, raw, Path(scratch))
        except InstanceQuarantined as error:
            registry.instances.mark_quarantined(instance, str(error))
            raise
        outcomes = Counter(_replace(part, instance, table, registry, lake) for part in conversion.parts)
    registry.instances.mark_converted(instance, wanted)
    registry.runs.finish(item, Verdict.CONVERTED, **_facts(conversion, outcomes))
    return step_result(Outcome.DONE)


def _convert(
    instance: LedgerInstance, table: CuratedTable, known: KnownRequest, raw: Bucket, scratch: Path
) -> Conversion:
    return convert(
        _segments(instance, raw),
        table,
        int(instance.app_id),
        instance.vintage,
        datetime.now(UTC).date(),
        _selection(instance, table, known),
        scratch,
    )


def _segments(instance: LedgerInstance, raw: Bucket) -> Iterator[BinaryIO]:
    for segment in instance.segments:
        with raw.open(segment.key) as stream:
            yield stream


def _selection(
    instance: LedgerInstance, table: CuratedTable, known: KnownRequest
) -> Callable[[Collection[date]], Collection[date]]:
    """Which Dates to keep: all of a daily instance; of a snapshot those asked for that it knows completely."""
    if instance.vintage.access_type is AccessType.ONGOING:
        return lambda days: days
    asked = _asked(table, known)

    def asked_and_complete(days: Collection[date]) -> Collection[date]:
        complete = complete_dates(days, table, known.requested_on)
        return {day for day in complete if any(wish.covers(day) for wish in asked)}

    return asked_and_complete


def _asked(table: CuratedTable, known: KnownRequest) -> tuple[Asked, ...]:
    return tuple(asked for asked in known.asked if asked.report == table.report.name)


def _replace(
    part: PartFile, instance: LedgerInstance, table: CuratedTable, registry: Registry, lake: Bucket
) -> PartOutcome:
    write = write_part(lake, table, int(instance.app_id), instance.vintage, part)
    if write.outcome is not PartOutcome.REFUSED:  # also when it stood already: the mark may be what a crash lost
        registry.dirty_dates.mark(TableDate(table.name, part.day))
    return write.outcome


def _facts(conversion: Conversion, outcomes: Counter[PartOutcome]) -> dict[str, Any]:
    return {
        "rows_raw": conversion.rows_raw,
        "rows_curated": sum(part.rows for part in conversion.parts),
        "rows_dropped": conversion.rows_dropped,
        "digits_rounded": conversion.digits_rounded,
        "unknown_columns": list(conversion.unknown_columns),
        "missing_columns": list(conversion.missing_columns),
        "parts_written": outcomes[PartOutcome.WRITTEN],
        "parts_replaced": outcomes[PartOutcome.REPLACED],
        "parts_unchanged": outcomes[PartOutcome.UNCHANGED],
        "parts_refused": outcomes[PartOutcome.REFUSED],
    }
