"""Names of the CloudWatch metrics, which the functions emit and the alarms and the dashboard read.

Their namespace is the installation's (contract/names.py).
"""

from enum import StrEnum

from appstore_analytics.contract.names import SERVICE

DIMENSION = ("service", SERVICE)
"""The only dimension, the same for all: one per app would cost more than everything else."""


class Metric(StrEnum):
    """A metric is billed per hour in which it is sent: the hourly check has few, and those of a run cost a cent."""

    # once per run, by summarize_run
    APPS_VERIFIED = "AppsVerified"
    APPS_NOT_READY = "AppsNotReady"
    APPS_FAILED = "AppsFailed"
    INSTANCES_QUARANTINED = "InstancesQuarantined"
    TABLES_MISMATCHED = "TablesMismatched"
    ROWS_PUBLISHED = "RowsPublished"
    DATES_REPEATED = "DatesRepeated"
    APPLE_CALLS = "AppleCalls"
    # every hour, by check_freshness; a feed is one table of one app
    FEEDS_FRESH = "FeedsFresh"
    FEEDS_STALE = "FeedsStale"
    # per query, by verify_table; the hourly check's queries stay below Athena's minimum charge
    ATHENA_BYTES_SCANNED = "AthenaBytesScanned"
    # when it happens, by functions that call Apple
    APPLE_REFUSALS = "AppleRefusals"
    BUDGET_EXHAUSTED = "BudgetExhausted"
