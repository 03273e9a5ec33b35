"""The operations of an execution: one row per operation in `OPERATIONS`, read by the template and every step."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.verdicts import Verdict

STARTED_BY = "started_by"
"""The field of an execution's input that says who started it; every operation has it."""
SCHEDULE = "schedule"
"""The daily schedule's `started_by`."""
UNKNOWN_STARTER = "unknown"
"""The `started_by` of a run whose input does not say."""


class Operation(StrEnum):
    """The `operation` of an execution's input."""

    DAILY = "daily"
    BACKFILL = "backfill"
    REPROCESS = "reprocess"
    REFETCH = "refetch"
    ROLLBACK = "rollback"

    @property
    def traits(self) -> "Traits":
        """Its row of `OPERATIONS`."""
        return OPERATIONS[self]


@dataclass(frozen=True, slots=True)
class Traits:
    """The properties of one operation.

    `first_map`: the first Map of its run; the Maps after it follow, except RESTORE. `required` and `optional`: the
    fields of its execution input (rules/execution_input.py reads them). `access_type`: the kind of report request that
    it uses. `calls_apple`: whether it calls Apple; the other operations use landed files. `downloads_again`: whether it
    downloads instances that have landed before. `waits_for_snapshot`: whether it asks for Dates of a snapshot and comes
    back until Apple has built it. `verdict_without_items`: the verdict of an app for which the run had nothing to do.
    `covers_every_app`: whether it is about every app and table, so that an app or a table without data is reported.
    `share_of_hour`: the share of a key's hourly calls up to which it continues.
    """

    first_map: MapName
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    access_type: AccessType = AccessType.ONGOING
    calls_apple: bool = False
    downloads_again: bool = False
    waits_for_snapshot: bool = False
    covers_every_app: bool = False
    verdict_without_items: Verdict = Verdict.UNCHANGED
    share_of_hour: float = 1.0

    @property
    def takes_back(self) -> bool:
        """Whether it undoes what another run wrote."""
        return self.first_map is MapName.RESTORE

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field that its execution input can have, except `operation`."""
        return (*self.required, *self.optional, STARTED_BY)


OPERATIONS: Mapping[Operation, Traits] = {
    Operation.DAILY: Traits(
        MapName.REGISTER,
        optional=("as_of",),
        calls_apple=True,
        covers_every_app=True,
        verdict_without_items=Verdict.NOT_READY,
    ),
    Operation.BACKFILL: Traits(
        MapName.REGISTER,
        required=("start_date", "end_date", "app_ids"),
        optional=("reports", "as_of"),
        access_type=AccessType.ONE_TIME_SNAPSHOT,
        calls_apple=True,
        waits_for_snapshot=True,
        verdict_without_items=Verdict.NOT_READY,
        share_of_hour=0.5,  # the rest is left to the daily run
    ),
    Operation.REPROCESS: Traits(
        MapName.LAND,
        optional=("run_id", "app_ids", "reports", "start_processing_date", "end_processing_date"),
    ),
    Operation.REFETCH: Traits(
        MapName.LAND,
        required=("start_processing_date", "end_processing_date", "app_ids"),
        optional=("reports",),
        calls_apple=True,
        downloads_again=True,
        share_of_hour=0.5,
    ),
    Operation.ROLLBACK: Traits(MapName.RESTORE, required=("run_id",)),
}
