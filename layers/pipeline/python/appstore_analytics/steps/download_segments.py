"""download_segments: stores Apple's bytes of one instance in the raw bucket."""

from collections.abc import Iterable, Sequence
from functools import partial
from time import monotonic
from typing import Any

from appstore_analytics.apple.client import AppStoreConnect
from appstore_analytics.apple.entries import Segment
from appstore_analytics.apple.segments import SegmentStore
from appstore_analytics.contract.capacities import LARGEST_INSTANCE_BYTES, TOO_LARGE
from appstore_analytics.contract.errors import InstanceTooLarge, NotFound, SegmentUrlExpired
from appstore_analytics.contract.facts import DownloadFacts
from appstore_analytics.contract.layout import raw_key, raw_prefix
from appstore_analytics.contract.maps import Outcome, step_result
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.raw import is_landed, land_segment
from appstore_analytics.model.instances import InstanceStatus, LedgerInstance, SegmentRecord
from appstore_analytics.model.items import LandItem
from appstore_analytics.registry import Registry
from appstore_analytics.registry.reservation import Reservation
from appstore_analytics.steps.waiting import waits_when_not_ready

DOWNLOADS_BEGIN_FOR_SECONDS = 240
"""Seconds after the listing; a signed URL lives 300. A download that starts at this moment still ends within the
function's time."""


_GONE = (
    "Apple no longer has this instance. Its Dates come with the next instance, or run ./manage.py backfill for them."
)
_GONE_AGAIN = "Apple no longer has this instance, so nothing was changed: only a backfill brings its Dates again."
_NO_SEGMENTS = "Apple lists the instance, but no segments yet. Every run checks again."
_NO_SEGMENTS_AGAIN = "Apple lists the instance without segments, so nothing was changed: try again later."


@waits_when_not_ready
def download_segments(
    item: LandItem,
    registry: Registry,
    apple: AppStoreConnect,
    store: SegmentStore,
    raw: Bucket,
    calls: Reservation,
    *,
    again: bool = False,
) -> dict[str, str]:
    """Land all segments of an instance; until the last one has landed, none counts.

    Listing and downloading happen in one function, because a signed URL expires after five minutes. An instance that
    has landed costs no call. Segments that are already in the bucket are not downloaded again, so a retry continues
    where the last attempt stopped; if segments arrive so slowly that the other URLs would expire, it stops in time.
    Without segments the instance is *not ready* and stays due; after a 404 it is *expired*. InstanceTooLarge: it could
    not be converted.

    With `again`, in a refetch, a landed instance is listed again. If Apple now announces other bytes, the new segments
    are downloaded beside the old ones, and the ledger switches to the new list once all have landed. If the bytes are
    the same, only a quarantined or rolled back instance becomes due. If anything fails, nothing changes.
    """
    instance = registry.instances.get(item.app_id, item.vintage)
    if instance is None or not (again or instance.status is InstanceStatus.LISTED):
        return step_result(Outcome.NEXT)
    is_first = instance.status is InstanceStatus.LISTED
    with registry.runs.calls_of_a_failure(item, calls):
        segments = _segments(instance, apple)
        landed = _land_all(instance, segments or (), store, raw)
        if landed:
            _note(instance, landed, item, registry)
    if segments is None:
        if is_first:
            registry.instances.mark_expired(instance)
        registry.runs.finish(item, Verdict.EXPIRED, _GONE if is_first else _GONE_AGAIN, calls.made)
        return step_result(Outcome.DONE)
    if not segments:
        registry.runs.finish(item, Verdict.NOT_READY, _NO_SEGMENTS if is_first else _NO_SEGMENTS_AGAIN, calls.made)
        return step_result(Outcome.DONE)
    facts = DownloadFacts(segments=len(landed), bytes=sum(segment.size_bytes for segment in landed))
    registry.runs.note_landed(item, _rows(landed), calls.made, **facts.to_record())
    return step_result(Outcome.NEXT)


def _note(instance: LedgerInstance, landed: tuple[SegmentRecord, ...], item: LandItem, registry: Registry) -> None:
    """All segments have landed: the ledger has them, and the instance is due."""
    if instance.status is InstanceStatus.LISTED:
        registry.instances.mark_landed(instance.landed(landed))
    elif set(landed) != set(instance.segments):
        registry.refetches.switch(instance, landed, item.run_id)
    else:
        registry.instances.release(instance)


def _segments(instance: LedgerInstance, apple: AppStoreConnect) -> tuple[Segment, ...] | None:
    """The segments that Apple lists; None if it no longer has the instance."""
    try:
        return apple.segments(instance.vintage.instance_id)
    except NotFound:
        return None


def _land_all(
    instance: LedgerInstance, segments: Sequence[Segment], store: SegmentStore, raw: Bucket
) -> tuple[SegmentRecord, ...]:
    """If there are several, or some have landed before, their bytes can exist already."""
    _refuse_too_large(instance, segments)
    ends_at = monotonic() + DOWNLOADS_BEGIN_FOR_SECONDS
    known = {segment.segment_id: segment for segment in instance.segments}
    may_stand = len(segments) > 1 or instance.status is not InstanceStatus.LISTED
    return tuple(
        _land(instance, segment, known.get(segment.id), store, raw, ends_at, may_stand=may_stand)
        for segment in segments
    )


def _refuse_too_large(instance: LedgerInstance, segments: Iterable[Segment]) -> None:
    """Checks Apple's announced sizes before anything is downloaded."""
    size_bytes = sum(segment.size_bytes or 0 for segment in segments)
    if size_bytes > LARGEST_INSTANCE_BYTES:
        raise InstanceTooLarge(TOO_LARGE.format(instance.vintage, instance.table, size_bytes >> 20))


def _land(
    instance: LedgerInstance,
    segment: Segment,
    known: SegmentRecord | None,
    store: SegmentStore,
    raw: Bucket,
    ends_at: float,
    *,
    may_stand: bool,
) -> SegmentRecord:
    if known is not None and is_landed(raw, known.key, segment.checksum):
        return known
    if monotonic() > ends_at:
        raise SegmentUrlExpired("The signed URLs are about to expire: the remaining segments are listed again.")
    key_of = partial(_key, instance, segment.id)
    stands = is_landed(raw, key_of(segment.checksum or ""), segment.checksum) if may_stand else None
    landed = stands or land_segment(
        raw, key_of, store.chunks(segment), checksum=segment.checksum, size_bytes=segment.size_bytes
    )
    return SegmentRecord(segment.id, landed.key, landed.size_bytes, landed.checksum)


def _key(instance: LedgerInstance, segment_id: str, md5: str) -> str:
    """The object of a segment; a new download is stored beside the previous bytes."""
    vintage = instance.vintage
    folder = raw_prefix(
        instance.table, instance.app_id, vintage.access_type, vintage.processing_date, vintage.instance_id
    )
    return raw_key(folder, segment_id, "" if instance.status is InstanceStatus.LISTED else md5.lower())


def _rows(landed: Iterable[SegmentRecord]) -> list[dict[str, Any]]:
    return [
        {
            "segment_id": segment.segment_id,
            "bytes": segment.size_bytes,
            "checksum": segment.checksum,
            "key": segment.key,
        }
        for segment in landed
    ]
