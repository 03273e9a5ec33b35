"""Segments that a run has downloaded again: the ledger switches to them, and a rollback switches back.

    CONVERTED, QUARANTINED, ROLLED_BACK, … ──► switch ──► LANDED ──► CONVERTED
         ▲                                                   │           │
         └──────────────── take_back ◄── they break their ───┘           │
         └──────────────── take_back ◄── contract            a rollback ─┘

The complete segment list of each refetch is on separate pages, so the item grows by a few hundred bytes each time.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr
from botocore.exceptions import ClientError

from appstore_analytics.contract.errors import ObjectContended
from appstore_analytics.model.clock import Clock
from appstore_analytics.model.instances import InstanceStatus, LedgerInstance, Refetch, SegmentRecord
from appstore_analytics.registry.conditions import is_condition_failure
from appstore_analytics.registry.instances import has_segments_of, segment_entries
from appstore_analytics.registry.keys import instance_key
from appstore_analytics.registry.pages import list_name, write_pages
from appstore_analytics.rules.refetches import counting, state_without

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_REMEMBERED = timedelta(days=400)


class Refetches:
    """The refetches of every instance."""

    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def switch(self, instance: LedgerInstance, segments: Sequence[SegmentRecord], run_id: str) -> None:
        """Replace the instance's segments by these, which have all landed. The instance becomes due, and belongs to the
        run.

        A converted instance remains the responsibility of the run that converted it, as in a reprocess.
        ObjectContended: another execution has changed the instance since it was read.
        """
        entries = segment_entries(segments)
        name, expires_at = list_name(entries), int((self._clock() + _REMEMBERED).timestamp())
        key = instance_key(instance.app_id, instance.vintage)
        pages = write_pages(self._table, key, name, entries, expires_at)
        stands = instance.status is InstanceStatus.CONVERTED
        refetch = {**_before(instance, run_id), "segment_list": name, "segment_pages": pages}
        values = {
            **_state(InstanceStatus.LANDED, converted_by=instance.converted_by if stands else ""),
            "landed_again_by": run_id,
            "refetched_by": run_id,
            "quarantined_dates": [],
        }
        appended = "refetches = list_append(if_not_exists(refetches, :none), :refetch)"
        self._move(instance, appended, values, {":none": [], ":refetch": [refetch]})

    def take_back(self, instance: LedgerInstance, run_id: str, by: str) -> None:
        """Discard the segments that this run has downloaded again, on behalf of the run `by`.

        The ledger has the instance as before, unless a newer refetch counts. ObjectContended: another execution has
        changed the instance since it was read. A second run changes nothing.
        """
        for place, refetch in reversed([*enumerate(instance.refetches)]):
            if refetch.run_id == run_id and not refetch.taken_back_by:
                instance = self._take_back(instance, place, by)

    def take_over(self, instance: LedgerInstance, of_run: str, by: str) -> None:
        """Make the newest refetch responsible for the instance instead of `of_run`, which the run `by` rolls back.

        When that refetch is rolled back as well, the instance is rolled back. ObjectContended: see `switch`.
        """
        counts = counting(instance.refetches)
        if counts is None or instance.converted_by != of_run:
            return
        before = {"status": InstanceStatus.ROLLED_BACK, "converted_by": "", "reason": f"rolled back by the run {by}"}
        changes = [
            f"refetches[{place}].#{name} = :before_{name}"
            for place, each in enumerate(instance.refetches)
            if each.converted_by == of_run
            for name in before
        ]
        kept = {name: getattr(instance, name) for name in _KEPT} | {"converted_by": counts.run_id}
        values = {f":before_{name}": value for name, value in before.items()}
        self._move(instance, ", ".join(changes), _state(instance.status, **kept), values)

    def _take_back(self, instance: LedgerInstance, place: int, by: str) -> LedgerInstance:
        after = _without(instance, place, by)
        values = {
            **_state(after.status, **{name: getattr(after, name) for name in _KEPT}),
            "refetched_by": _run_of(counting(after.refetches)),
        }
        self._move(instance, f"refetches[{place}].taken_back_by = :by", values, {":by": by})
        return after

    def _move(self, instance: LedgerInstance, change: str, values: dict[str, Any], more: dict[str, Any]) -> None:
        condition = Attr("status").eq(instance.status) & has_segments_of(instance)
        try:
            self._table.update_item(
                Key=instance_key(instance.app_id, instance.vintage),
                UpdateExpression=f"SET {change}, "
                + ", ".join(f"#{name} = :{name}" for name in values)
                + " REMOVE attempts",
                ConditionExpression=condition,
                ExpressionAttributeNames={f"#{name}": name for name in values},
                ExpressionAttributeValues={**{f":{name}": value for name, value in values.items()}, **more},
            )
        except ClientError as error:
            if is_condition_failure(error):
                sentence = f"Another execution moved the instance {instance.vintage} of {instance.table} meanwhile."
                raise ObjectContended(sentence) from None
            raise


_KEPT = ("converted_by", "landed_again_by", "raw_has_expired", "reason", "bytes_are_broken")
"""The attributes that an instance gets back in addition to its status."""


def _before(instance: LedgerInstance, run_id: str) -> dict[str, Any]:
    kept = {name: getattr(instance, name) for name in _KEPT}
    return asdict(Refetch(run_id, instance.status, **kept))


def _state(status: InstanceStatus, **kept: str | bool) -> dict[str, Any]:
    nothing = {"converted_by": "", "landed_again_by": "", "raw_has_expired": False}
    return {**nothing, "reason": "", "bytes_are_broken": False, **kept, "status": status}


def _without(instance: LedgerInstance, place: int, by: str) -> LedgerInstance:
    """The instance after one of its refetches was taken back, except for its segments."""
    taken_back = replace(instance.refetches[place], taken_back_by=by)
    refetches = (*instance.refetches[:place], taken_back, *instance.refetches[place + 1 :])
    before = state_without(refetches, place)
    if before is None:
        return replace(instance, refetches=refetches)
    kept = {name: getattr(before, name) for name in _KEPT}
    return replace(instance, status=before.status, refetches=refetches, **kept)


def _run_of(refetch: Refetch | None) -> str:
    return "" if refetch is None else refetch.run_id
