"""restore_parts: rolls back the writes of one run for one instance, Date by Date."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from appstore_analytics.contract.errors import ObjectExpired
from appstore_analytics.contract.facts import PlannedFacts, RestoreFacts
from appstore_analytics.contract.maps import Outcome, step_result
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.parts import PutBack, part_key, put_parts_back
from appstore_analytics.model.instances import InstanceStatus, LedgerInstance, Refetch
from appstore_analytics.model.items import LandItem, RestoreItem
from appstore_analytics.model.parts import JournalLine, PartVersion
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.registry import Registry
from appstore_analytics.rules.part_history import to_put_back
from appstore_analytics.rules.refetches import counting


class _Restoration(StrEnum):
    """The outcome for one part."""

    RESTORED = PutBack.RESTORED
    DELETED = PutBack.DELETED
    SUPERSEDED = "superseded"
    UNCHANGED = PutBack.UNCHANGED
    EXPIRED = PutBack.EXPIRED


@dataclass(frozen=True, slots=True)
class _Restored:
    """One part after its rollback: `stands` is the write that is current now."""

    line: JournalLine
    restoration: _Restoration
    stands: PartVersion | None = None


def restore_parts(item: RestoreItem, registry: Registry, lake: Bucket) -> dict[str, str]:
    """Roll back every part that the run `of_run` wrote for one instance, and the instance with them.

    The ledger first, so that no other run converts the instance meanwhile; then for each Date the journal line, the
    part and the dirty mark. A part that the run replaced is restored, a part that it created is deleted; a part that a
    later run has written stays and is reported as superseded. Instances that were refused because of this one are due
    again. If the run had downloaded the instance again, its former segments count again, and it is converted from them.
    A second run finds nothing to do. ObjectExpired: S3 no longer keeps the previous version; all other Dates are
    restored nevertheless.
    """
    instance = registry.instances.get(item.app_id, item.vintage)
    lines = [] if instance is None else [*registry.journal.of_instance(item.of_run, item.app_id, instance.vintage)]
    if instance is None or not (lines or instance.converted_by == item.of_run or _refetch(instance, item)):
        registry.runs.finish(item, Verdict.UNCHANGED, "The run wrote no part of it: there is nothing to undo.")
        return step_result(Outcome.DONE)
    rollback = _Rollback(item, registry, lake)
    is_new = instance.status is not InstanceStatus.ROLLED_BACK and not rollback.was_done_before(instance, lines)
    facts = RestoreFacts(is_rolled_back=rollback.take_back(instance, lines))
    registry.runs.note(item, **facts.to_record())
    restored = [rollback.restore(line) for line in lines]
    rollback.reopen_refused(instance, restored)
    if instance.refetches and is_new and not facts.is_rolled_back:
        rollback.reopen(instance)  # from the current segments, which can have other Dates
    _finish(item, instance, restored, _facts(facts, restored), is_new, registry)
    return step_result(Outcome.DONE)


@dataclass(frozen=True, slots=True)
class _Rollback:
    """The rollback of one run, for one of its instances."""

    item: RestoreItem
    registry: Registry
    lake: Bucket

    def take_back(self, instance: LedgerInstance, lines: Sequence[JournalLine]) -> bool:
        """Roll the instance back in the ledger. Returns whether it is no longer in any table.

        An instance that the run had downloaded again gets its former segments and state back. If a later run has
        downloaded it again, it belongs to that run from now on.
        """
        counts = counting(instance.refetches)
        if _refetch(instance, self.item):
            self.registry.refetches.take_back(instance, self.item.of_run, self.item.run_id)
        elif counts is not None:
            self.registry.refetches.take_over(instance, self.item.of_run, self.item.run_id)
        elif not self.leaves_instance(instance, lines):
            self.registry.instances.mark_rolled_back(instance, self.item.run_id)
        now = self.registry.instances.get(instance.app_id, instance.vintage) or instance
        return now.status not in (InstanceStatus.CONVERTED, InstanceStatus.LANDED)

    def leaves_instance(self, instance: LedgerInstance, lines: Sequence[JournalLine]) -> bool:
        """Whether another run owns the instance now, or converted it earlier: then only its bytes are restored."""
        if self.was_done_before(instance, lines):
            return True
        before = [to_put_back(line, self._line_finder(line)) for line in lines]
        return bool(lines) and all(version and version.vintage == instance.vintage for version in before)

    def was_done_before(self, instance: LedgerInstance, lines: Sequence[JournalLine]) -> bool:
        """Whether an earlier rollback of the run has taken back its refetch, or every write of the instance."""
        if (refetch := _refetch(instance, self.item)) is not None:
            return refetch.taken_back_by not in ("", self.item.run_id)
        return bool(lines) and not any(map(self._is_mine_to_take, lines))

    def restore(self, line: JournalLine) -> _Restored:
        """Roll back one write, even while others write to its key, and mark its Date dirty."""
        self.registry.journal.take_back(line, self.item.run_id)
        restored = self._restore(line)
        if restored.restoration in (_Restoration.RESTORED, _Restoration.DELETED, _Restoration.UNCHANGED):
            self.registry.dirty_dates.mark(line.table_date)  # also if unchanged: a crash can have lost the mark
        return restored

    def _restore(self, line: JournalLine) -> _Restored:
        """The outcome if the current version is not taken back: superseded, unless it is the earlier version."""
        key = part_key(tables_by_name()[line.table_date.table], int(line.app_id), line.vintage, line.table_date.day)
        find = self._line_finder(line)
        put_back, stands = put_parts_back(self.lake, key, find)
        done, before = _Restoration(put_back), to_put_back(line, find)
        is_before = stands is not None and before is not None and stands.is_write_of(before.run_id, before.vintage)
        if done is _Restoration.UNCHANGED and stands and not is_before and self._is_mine_to_take(line):
            done = _Restoration.SUPERSEDED
        return _Restored(line, done, stands)

    def _is_mine_to_take(self, line: JournalLine) -> bool:
        """Whether no earlier rollback has taken this write back."""
        return line.taken_back_by in ("", self.item.run_id)

    def _line_finder(self, line: JournalLine) -> Callable[[PartVersion], JournalLine | None]:
        """Finds the line of another write of the part; every write of the run counts as taken back."""

        def find(version: PartVersion) -> JournalLine | None:
            found = self.registry.journal.of_version(line.table_date, line.app_id, version)
            if found is not None and found.run_id == self.item.of_run and not found.taken_back_by:
                return replace(found, taken_back_by=self.item.run_id)
            return found

        return find

    def reopen_refused(self, instance: LedgerInstance, restored: Iterable[_Restored]) -> None:
        """Plans the conversion of instances that were refused in favour of this one and would now be the newest."""
        stands = {
            each.line.table_date.day: None if each.stands is None else each.stands.vintage
            for each in restored
            if each.restoration is not _Restoration.SUPERSEDED
        }
        if not stands:
            return
        for other in self.registry.instances.of_app(instance.app_id, min(stands)):
            if other.table == instance.table and self._would_stand(other, stands):
                self.reopen(other)

    def reopen(self, instance: LedgerInstance) -> None:
        """Have this run convert an instance that is in the tables."""
        self.registry.instances.reopen(instance)
        land = LandItem(self.item.run_id, self.item.account, instance.app_id, instance.vintage)
        facts = PlannedFacts(instance.table, instance.vintage.processing_date.isoformat())
        self.registry.runs.plan(land, **facts.to_record())

    def _would_stand(self, other: LedgerInstance, stands: dict[date, Vintage | None]) -> bool:
        if other.status not in (InstanceStatus.CONVERTED, InstanceStatus.LANDED):
            return False
        if other.converted_by in ("", self.item.of_run):
            return False
        freed = other.refused_dates & stands.keys()
        return any((vintage := stands[day]) is None or vintage < other.vintage for day in freed)


def _refetch(instance: LedgerInstance, item: RestoreItem) -> Refetch | None:
    """The newest refetch of the run that is rolled back; None when it has not downloaded the instance again."""
    return next((each for each in reversed(instance.refetches) if each.run_id == item.of_run), None)


def _facts(noted: RestoreFacts, restored: Sequence[_Restored]) -> RestoreFacts:
    """The former state of the instance, and the outcome for its parts."""
    counts = Counter(each.restoration for each in restored)
    return replace(
        noted,
        parts_restored=counts[_Restoration.RESTORED],
        parts_deleted=counts[_Restoration.DELETED],
        parts_superseded=counts[_Restoration.SUPERSEDED],
        superseded=tuple(
            {
                "table": each.line.table_date.table,
                "date": each.line.table_date.day.isoformat(),
                "app_id": each.line.app_id,
                "by_run": each.stands.run_id if each.stands else "",
            }
            for each in restored
            if each.restoration is _Restoration.SUPERSEDED
        ),
    )


def _finish(
    item: RestoreItem,
    instance: LedgerInstance,
    restored: Sequence[_Restored],
    facts: RestoreFacts,
    is_new: bool,
    registry: Registry,
) -> None:
    registry.runs.note(item, **facts.to_record())
    if expired := sum(each.restoration is _Restoration.EXPIRED for each in restored):
        raise ObjectExpired(
            f"S3 no longer keeps the earlier versions of {expired} of {len(restored)} parts of the instance "
            f"{instance.vintage} of {instance.table}: reprocess the instances whose data you want there."
        )
    if facts.superseded:
        reason = (
            f"A later run has replaced {facts.parts_superseded} of its parts; these stay. Roll that run back as well "
            "if they are wrong too."
        )
        registry.runs.finish(item, Verdict.SUPERSEDED, reason)
    elif is_new or facts.parts_restored or facts.parts_deleted:
        again = "refetch" if _refetch(instance, item) else "reprocess"
        reason = f"The run {item.of_run} was rolled back: a {again} brings it back."
        registry.runs.finish(item, Verdict.ROLLED_BACK, reason)
    else:
        registry.runs.finish(item, Verdict.UNCHANGED, "It was rolled back before: there is nothing left to undo.")
