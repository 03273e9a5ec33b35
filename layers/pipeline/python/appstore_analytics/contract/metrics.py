"""Names of the CloudWatch metrics: what a run emits and what alarms and dashboards read."""

from enum import StrEnum

NAMESPACE = "AppStoreAnalytics"


class Metric(StrEnum):
    """One number per run; no dimension per app, which would cost more than everything else."""

    APPS_VERIFIED = "AppsVerified"
    APPS_NOT_READY = "AppsNotReady"
    APPS_FAILED = "AppsFailed"
    INSTANCES_QUARANTINED = "InstancesQuarantined"
    TABLES_MISMATCHED = "TablesMismatched"
    ROWS_PUBLISHED = "RowsPublished"
    DATES_PUBLISHED = "DatesPublished"
    APPLE_CALLS = "AppleCalls"
    TABLES_LATE = "TablesLate"
