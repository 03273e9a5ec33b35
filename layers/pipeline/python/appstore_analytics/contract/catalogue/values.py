"""The values that a dimension is known to have, with the source of each list. No list is promised to be complete.

A value that is not listed is data like any other: nothing is refused and nothing is mapped because of these lists. The
case of a value differs between files (`First-time download`, `First-time Download`), so compare `lower(…)`.
"""

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """The source of a list."""

    DOCUMENTED = "Apple's documentation of the report"
    HELP = "App Store Connect Help, *View acquisition sources*"
    SEEN = "seen in files"


@dataclass(frozen=True, slots=True)
class KnownValues:
    """The known values of the column `column`; if `reports` names stems of tables, only in the tables of these
    reports."""

    column: str
    values: tuple[str, ...]
    source: Source
    reports: tuple[str, ...] = ()


KNOWN_VALUES: tuple[KnownValues, ...] = (
    KnownValues("device", ("iPhone", "iPad", "Apple TV", "Apple Vision", "Desktop"), Source.SEEN),
    KnownValues(
        "download_type",
        ("First-time download", "Redownload", "Manual update", "Auto-update", "Restore"),
        Source.DOCUMENTED,
    ),
    KnownValues(
        "source_type",
        ("App Store search", "App Store browse", "App referrer", "Web referrer"),
        Source.HELP,
    ),
    KnownValues("install_status", ("Success", "Failure"), Source.SEEN, ("performance",)),
    KnownValues(
        "install_package_type",
        ("Full install", "Full package update", "Diff package update"),
        Source.SEEN,
        ("performance",),
    ),
    KnownValues("plan_change_type", ("Upgrade", "Crossgrade", "Downgrade"), Source.DOCUMENTED),
    KnownValues("event", ("Impression", "Page view", "Tap"), Source.DOCUMENTED, ("engagement", "engagement_detailed")),
    KnownValues("event", ("Install", "Delete"), Source.DOCUMENTED, ("installs", "installs_detailed")),
    KnownValues("page_type", ("Product page",), Source.DOCUMENTED),
    KnownValues(
        "state_metric",
        (
            "Free trials",
            "Paid offers",
            "Full price",
            "Preserved price",
            "Contingent price",
            "Grace period",
            "Billing retry",
        ),
        Source.DOCUMENTED,
    ),
    KnownValues(
        "event_group",
        ("Paid subscription starts", "Renewals", "Voluntary churn", "Involuntary churn"),
        Source.DOCUMENTED,
    ),
    KnownValues("billing_period", tuple(str(instalment) for instalment in range(1, 13)), Source.DOCUMENTED),
)
