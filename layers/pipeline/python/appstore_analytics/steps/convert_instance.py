"""convert_instance: one instance's rows, typed and split by Date, into the app's parts."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from appstore_analytics.contract.capacities import TOO_LARGE, is_full
from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.errors import InstanceQuarantined, InstanceTooLarge, ObjectContended, ObjectExpired
from appstore_analytics.contract.facts import ConvertFacts
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.maps import Outcome, step_result
from appstore_analytics.contract.schema_modes import SchemaMode, SchemaModes
from appstore_analytics.contract.tables import CuratedTable, tables_by_name
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.lake.conversion import Conversion, convert
from appstore_analytics.lake.objects import Bucket, ObjectAbsentError
from appstore_analytics.lake.parts import PutBack, part_key, part_version, put_parts_back, write_parts
from appstore_analytics.model.instances import LedgerInstance
from appstore_analytics.model.items import LandItem
from appstore_analytics.model.parts import JournalLine, PartOutcome, PartVersion
from appstore_analytics.model.requests import KnownRequest
from appstore_analytics.registry import Registry
from appstore_analytics.rules.deaths import died_too_often
from appstore_analytics.rules.due import is_convertible, run_that_answers_for, verdict_as_it_stands
from appstore_analytics.rules.part_history import writes_of
from appstore_analytics.rules.vintage import kept_dates, skipped_of

_DATES_NAMED = 31
"""Limit of skipped or repeated Dates named per instance, newest first: a snapshot can hold years of a small app."""

_RAW_EXPIRED = (
    "The raw bytes of the instance {} of {} have expired: reprocess only instances with newer processing dates "
    "(start_processing_date), or keep raw files longer (retention.raw in cdk.json)."
)

_DIED = (
    "The converter died twice on the instance {} of {}: out of memory, out of time, or killed by the content of the "
    "file. "
    "See the log of convert_instance; give it more memory or correct the converter, then reprocess."
)


_KEPT = (
    "The new segments do not have {}, and S3 no longer keeps the rows from before this instance "
    "(retention.noncurrent_lake in cdk.json): the rows of the former segments stay."
)


def convert_instance(
    item: LandItem, registry: Registry, raw: Bucket, lake: Bucket, schema_modes: SchemaModes
) -> dict[str, str]:
    """Convert a landed instance, whose vintage then replaces whole Dates of its app.

    It writes all journal lines, then the parts, then the Dates' dirty marks, then the ledger. A crash in between leaves
    the instance due, and a second run finds its own parts and marks the Dates again. An instance that was rolled back
    is left alone until a reprocess names it. InstanceQuarantined: the file breaks its report's contract, or the
    function died twice while reading it and would die again; the ledger keeps the reason, and the Dates in the lake
    stay as they are. ObjectExpired: its raw bytes are gone. InstanceTooLarge: the disk is full; it stays landed.

    If the instance was downloaded again, parts of Dates that its new segments do not contain are replaced by the
    previous ones, and any failure restores the former segments and state in the ledger. ObjectContended: it was
    downloaded again meanwhile, so the next attempt reads the new segments.
    """
    instance = registry.instances.get(item.app_id, item.vintage)
    if not is_convertible(instance):
        registry.runs.finish(item, *verdict_as_it_stands(instance))
        return step_result(Outcome.DONE)
    table = tables_by_name()[instance.table]
    known = _request(instance, registry)
    wanted = known.ranges_of(table.report.name)
    try:
        now = registry.clock()
        _refuse_after_deaths(instance, item, now)
        with TemporaryDirectory() as scratch:
            with registry.instances.attempt(instance, item.run_id):
                mode = schema_modes.of(table.report)
                conversion = _convert(instance, table, known, raw, mode, now.date(), Path(scratch))
            journal = _Journal(registry, run_that_answers_for(instance, item.run_id), instance, table)
            outcomes = write_parts(lake, table, int(instance.app_id), instance.vintage, conversion.parts, journal)
            given_up = _give_up(instance, outcomes, journal, lake)
            _mark(instance, table, wanted, journal, outcomes, given_up)
    except (InstanceQuarantined, ObjectExpired, InstanceTooLarge) as error:
        _note_failure(instance, wanted, error, registry)
        raise
    skipped = skipped_of(instance, table, known, conversion.skipped_dates)
    facts = _facts(conversion, instance, Counter(outcomes.values()), skipped)
    registry.runs.finish(item, Verdict.CONVERTED, _kept(given_up), **facts.to_record())
    return step_result(Outcome.DONE)


def _refuse_after_deaths(instance: LedgerInstance, item: LandItem, now: datetime) -> None:
    """InstanceQuarantined if the instance has killed its function, including by a time-out or lack of memory."""
    if died_too_often(instance.attempts, item.run_id, now):
        raise InstanceQuarantined(_DIED.format(instance.vintage, instance.table))


def _note_failure(
    instance: LedgerInstance,
    wanted: frozenset[str],
    error: InstanceQuarantined | ObjectExpired | InstanceTooLarge,
    registry: Registry,
) -> None:
    """A refetch that fails changes nothing. In all other cases the ledger records that only other bytes, or other code,
    can help."""
    if instance.landed_again_by:
        registry.refetches.take_back(instance, instance.landed_again_by, instance.landed_again_by)
    elif isinstance(error, InstanceQuarantined):
        registry.instances.mark_quarantined(instance, wanted, str(error), bytes_are_broken=error.bytes_are_broken)
    elif isinstance(error, ObjectExpired):
        registry.instances.mark_raw_expired(instance)


def _mark(
    instance: LedgerInstance,
    table: CuratedTable,
    wanted: frozenset[str],
    journal: "_Journal",
    outcomes: Mapping[date, PartOutcome],
    given_up: Collection[date],
) -> None:
    """Mark its Dates dirty, then mark the instance converted."""
    refused = [day for day, outcome in outcomes.items() if outcome is PartOutcome.REFUSED]
    # including unchanged ones, because a crash can have lost their marks
    dirty = (outcomes.keys() | set(given_up)) - set(refused)
    journal.registry.dirty_dates.mark_all(TableDate(table.name, day) for day in sorted(dirty))
    part_dates = set(outcomes) if instance.refetches else instance.part_dates | set(outcomes)
    instances = journal.registry.instances
    if not instances.mark_converted(instance, wanted, journal.run_id, part_dates, refused):
        now = instances.get(instance.app_id, instance.vintage)
        if now is not None and now.segments != instance.segments:
            raise ObjectContended(
                f"The instance {instance.vintage} of {instance.table} was downloaded again meanwhile."
            )


def _give_up(
    instance: LedgerInstance, outcomes: Mapping[date, PartOutcome], journal: "_Journal", lake: Bucket
) -> dict[date, PutBack]:
    """Roll back the parts of earlier segments at Dates that the new segments do not contain or could not write.

    The previous version takes the place of such a part; if S3 no longer keeps that version, the part stays. If a newer
    vintage has replaced the part, a rollback of that vintage does not bring it back.
    """
    if not instance.refetches:
        return {}
    written = {day for day, outcome in outcomes.items() if outcome is not PartOutcome.REFUSED}
    given_up = {day: journal.take_back(day, lake) for day in sorted(instance.part_dates - written)}
    _reopen_refused(instance, {day for day in given_up if day not in outcomes}, journal.registry)
    return given_up


def _reopen_refused(instance: LedgerInstance, freed: Collection[date], registry: Registry) -> None:
    """Make instances due again that were refused because of this one at a Date that it no longer contains."""
    if not freed:
        return
    for other in registry.instances.of_app(instance.app_id, min(freed)):
        if other.table == instance.table and other.vintage != instance.vintage and other.refused_dates & set(freed):
            registry.instances.reopen(other)


@dataclass(frozen=True)
class _Journal:
    """The journal of one instance's parts, on behalf of the run that is responsible for them."""

    registry: Registry
    run_id: str
    instance: LedgerInstance
    table: CuratedTable

    def note(self, befores: Mapping[date, PartVersion | None]) -> None:
        """See lake/parts.py:PartJournal."""
        app_id, vintage = self.instance.app_id, self.instance.vintage
        self.registry.journal.note(
            JournalLine(self.run_id, app_id, vintage, TableDate(self.table.name, day), before)
            for day, before in befores.items()
        )

    def is_taken_back(self, day: date, standing: PartVersion) -> bool:
        """See lake/parts.py:PartJournal."""
        line = self._line_of(day, standing)
        return line is not None and line.taken_back_by != ""

    def take_back(self, day: date, lake: Bucket) -> PutBack:
        """Roll back every write of the instance at one Date. Returns the outcome for the current part."""
        key = part_key(self.table, int(self.instance.app_id), self.instance.vintage, day)
        standing, line_of = lake.head(key), partial(self._line_of, day)
        version = None if standing is None else part_version(standing)
        for line in writes_of(self.instance.vintage, version, line_of):
            self.registry.journal.take_back(line, self.run_id)
        put_back, _ = put_parts_back(lake, key, line_of)
        return put_back

    def _line_of(self, day: date, version: PartVersion) -> JournalLine | None:
        table_date = TableDate(self.table.name, day)
        return self.registry.journal.of_version(table_date, self.instance.app_id, version)


def _kept(given_up: Mapping[date, PutBack]) -> str:
    """The Dates that keep rows although the new segments do not have them; empty if there are none."""
    kept = [day.isoformat() for day, put_back in given_up.items() if put_back is PutBack.EXPIRED]
    return _KEPT.format(", ".join(kept)) if kept else ""


def _request(instance: LedgerInstance, registry: Registry) -> KnownRequest:
    """The instance's request; not needed for a daily instance, which is converted whole."""
    app_id, access_type = instance.app_id, instance.vintage.access_type
    if access_type is AccessType.ONGOING:
        return KnownRequest(app_id, access_type)
    return registry.report_requests.get(app_id, access_type)


def _convert(
    instance: LedgerInstance,
    table: CuratedTable,
    known: KnownRequest,
    raw: Bucket,
    mode: SchemaMode,
    today: date,
    scratch: Path,
) -> Conversion:
    """ObjectExpired if its raw bytes are gone, InstanceTooLarge if the disk is full."""
    try:
        return convert(
            _segments(instance, raw),
            table,
            int(instance.app_id),
            instance.vintage,
            today,
            partial(kept_dates, instance, table, known),
            scratch,
            mode,
        )
    except ObjectAbsentError:
        raise ObjectExpired(_RAW_EXPIRED.format(instance.vintage, instance.table)) from None
    except OSError as error:
        if not is_full(error):
            raise
        size_bytes = sum(segment.size_bytes for segment in instance.segments)
        raise InstanceTooLarge(TOO_LARGE.format(instance.vintage, instance.table, size_bytes >> 20)) from None


def _segments(instance: LedgerInstance, raw: Bucket) -> Iterator[BinaryIO]:
    for segment in instance.segments:
        with raw.open(segment.key) as stream:
            yield stream


def _segments_repeated(conversion: Conversion, instance: LedgerInstance) -> int:
    """The number of segments with rows whose bytes, by MD5 and size, equal another segment of the instance."""
    with_rows = [
        (segment.checksum, segment.size_bytes)
        for segment, rows in zip(instance.segments, conversion.segment_rows, strict=True)
        if rows
    ]
    return len(with_rows) - len(set(with_rows))


def _facts(
    conversion: Conversion, instance: LedgerInstance, outcomes: Counter[PartOutcome], skipped: tuple[date, ...]
) -> ConvertFacts:
    repeated = sorted(conversion.repeated)
    return ConvertFacts(
        rows_raw=conversion.rows_raw,
        rows_curated=sum(part.rows for part in conversion.parts),
        rows_dropped=conversion.rows_dropped,
        parts_written=outcomes[PartOutcome.WRITTEN],
        parts_replaced=outcomes[PartOutcome.REPLACED],
        parts_unchanged=outcomes[PartOutcome.UNCHANGED],
        parts_refused=outcomes[PartOutcome.REFUSED],
        digits_rounded=conversion.digits_rounded,
        unknown_columns=tuple(conversion.unknown_columns),
        missing_columns=tuple(conversion.missing_columns),
        dates_skipped=len(skipped),
        skipped_dates=_newest(skipped),
        rows_repeated=conversion.rows_repeated,
        dates_repeated=len(repeated),
        repeated_dates=_newest(repeated),
        segments_repeated=_segments_repeated(conversion, instance),
    )


def _newest(days: Sequence[date]) -> tuple[str, ...]:
    return tuple(day.isoformat() for day in days[-_DATES_NAMED:])
