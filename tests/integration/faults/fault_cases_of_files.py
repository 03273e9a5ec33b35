"""Faults of the files that Apple serves."""

from appstore_analytics.contract.errors import (
    InstanceQuarantined,
)
from appstore_analytics.contract.schema_modes import SchemaMode
from appstore_analytics.contract.verdicts import Verdict
from local.apple.faults import FaultKind
from local.apple.files import NEW_HEADER
from tests.integration.faults.fault_case import BEGINNING_OF_THE_MONTH, QUARANTINED, SEGMENTS, FaultCase, Healing, order

FILES_INSIDE = (
    FaultCase(
        "a corrupt gzip",
        order(FaultKind.CORRUPT_GZIP, SEGMENTS),
        QUARANTINED,
        InstanceQuarantined,
        Verdict.QUARANTINED,
        "gzip is broken",
        Healing.REFETCH,
    ),
    FaultCase(
        "a gzip bomb",
        order(FaultKind.GZIP_BOMB, SEGMENTS),
        f"Unpacking stops at the first row that is longer than any report's. {QUARANTINED}",
        InstanceQuarantined,
        Verdict.QUARANTINED,
        "a row is longer than",
        Healing.QUARANTINE,
    ),
    FaultCase(
        "a required header renamed",
        order(FaultKind.HEADER_RENAMED, SEGMENTS),
        QUARANTINED,
        InstanceQuarantined,
        Verdict.QUARANTINED,
        "has no column 'Counts'",
        Healing.QUARANTINE,
    ),
    FaultCase(
        "a required header removed",
        order(FaultKind.HEADER_REMOVED, SEGMENTS),
        QUARANTINED,
        InstanceQuarantined,
        Verdict.QUARANTINED,
        "has no column 'Counts'",
        Healing.QUARANTINE,
    ),
    FaultCase(
        "another header renamed",
        order(FaultKind.HEADER_RENAMED, SEGMENTS, column="Device"),
        "The rows count; the column is null, its cells are in `extra` by the new header. The run report names both.",
        unknown_column="Device Total",
        missing_column="Device",
    ),
    FaultCase(
        "a header added",
        order(FaultKind.HEADER_ADDED, SEGMENTS, column=NEW_HEADER),
        "The rows count, the column is kept in `extra` and named in the run report.",
        unknown_column=NEW_HEADER,
    ),
    FaultCase(
        "a header added, schema mode `strict`",
        order(FaultKind.HEADER_ADDED, SEGMENTS, column=NEW_HEADER),
        f"The reason names the column. {QUARANTINED} Once the catalogue knows the column, or the mode is `evolve`, a "
        "reprocess brings it in.",
        InstanceQuarantined,
        Verdict.QUARANTINED,
        f"does not know the column '{NEW_HEADER}'",
        Healing.QUARANTINE,
        schema_mode=SchemaMode.STRICT,
    ),
    FaultCase(
        "headers reordered",
        order(FaultKind.HEADER_REORDERED, SEGMENTS),
        "Columns are found by name.",
    ),
    FaultCase(
        "a row with too few fields",
        order(FaultKind.SHORT_ROW, SEGMENTS),
        f"The reason names the row. {QUARANTINED}",
        InstanceQuarantined,
        Verdict.QUARANTINED,
        "columns, got",
        Healing.QUARANTINE,
    ),
    FaultCase(
        "MM/DD/YYYY dates",
        order(FaultKind.US_DATES, SEGMENTS),
        "They are read, because a day after the 12th shows which number is the month.",
    ),
    FaultCase(
        "MM/DD/YYYY dates that could also be DD/MM/YYYY",
        order(FaultKind.US_DATES, SEGMENTS),
        QUARANTINED,
        InstanceQuarantined,
        Verdict.QUARANTINED,
        "month/day or day/month",
        Healing.QUARANTINE,
        today=BEGINNING_OF_THE_MONTH,
    ),
    FaultCase(
        "another app's id in the file",
        order(FaultKind.OTHER_APP, SEGMENTS),
        QUARANTINED,
        InstanceQuarantined,
        Verdict.QUARANTINED,
        "rows of another app, 1005000001",
        Healing.QUARANTINE,
    ),
    FaultCase(
        "a Date skipped",
        order(FaultKind.DATE_SKIPPED, SEGMENTS),
        "The run report and its page name app, table and Date. Rows of an older instance stay, "
        "because the newer one says nothing about the Date; nothing fails, because a small app has days without a row.",
        healing=Healing.NEXT_INSTANCE,
        skips_a_date=True,
    ),
)
