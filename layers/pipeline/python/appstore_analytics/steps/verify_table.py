"""verify_table: compares Athena's counts of a run's published rows with the converter's counts of the raw bytes."""

from collections.abc import Collection
from datetime import date
from functools import partial
from typing import Any

from appstore_analytics.athena.checks import compare_dates
from appstore_analytics.athena.query import Athena
from appstore_analytics.contract.facts import PublishFacts, VerifyFacts
from appstore_analytics.contract.layout import TableDate, run_key
from appstore_analytics.contract.maps import MapName, Outcome, step_result
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.published import published_counts
from appstore_analytics.lake.run_notes import write_rows
from appstore_analytics.model.items import VerifyItem
from appstore_analytics.registry import Registry
from appstore_analytics.rules.counts import Comparison


def verify_table(item: VerifyItem, registry: Registry, lake: Bucket, athena: Athena) -> dict[str, str]:
    """Compare rows and sums, per app and Date, of the Dates that this run published of one table.

    A difference is a mismatch that names the apps. The dirty mark of a Date whose numbers agree is cleared, unless a
    part was written since it was published; a Date that differs, or that a crash left unverified, is published and
    compared again by the next run. A second run compares again.
    """
    published = _published(item, registry)
    days = set(published)
    table = tables_by_name()[item.table]
    comparisons = compare_dates(table, days, partial(published_counts, lake, table), athena)
    write_rows(lake, run_key(item.run_id, f"verification/{item.table}.jsonl"), (_row(item, one) for one in comparisons))
    for day in days - {comparison.day for comparison in comparisons if not comparison.equal}:
        if token := published[day]:
            registry.dirty_dates.clear(TableDate(item.table, day), token)
    _finish(item, comparisons, registry)
    return step_result(Outcome.DONE)


def _published(item: VerifyItem, registry: Registry) -> dict[date, str | None]:
    """The Dates of this table that the run published, with the token of the mark that each had; None after a crash."""
    records = registry.runs.of_map(item.run_id, MapName.PUBLISH, item.table)
    return {date.fromisoformat(record.event["day"]): PublishFacts.of(record.facts).token for record in records}


def _row(item: VerifyItem, comparison: Comparison) -> dict[str, Any]:
    return {
        "run_id": item.run_id,
        "table_name": item.table,
        "date": comparison.day,
        "app_id": comparison.app_id,
        "rows_expected": comparison.rows_expected,
        "rows_athena": comparison.rows_athena,
        "equal": comparison.equal,
        "difference": comparison.difference,
    }


def _finish(item: VerifyItem, comparisons: Collection[Comparison], registry: Registry) -> None:
    different = [comparison for comparison in comparisons if not comparison.equal]
    apps = tuple(sorted({comparison.app_id for comparison in different}))
    facts = VerifyFacts(sum(comparison.rows_athena for comparison in comparisons), len(comparisons), apps)
    registry.runs.finish(
        item,
        Verdict.MISMATCH if different else Verdict.VERIFIED,
        f"{len(different)} of {len(comparisons)} batches differ: {different[0].difference}." if different else "",
        **facts.to_record(),
    )
