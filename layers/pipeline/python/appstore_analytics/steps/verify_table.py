"""verify_table: Athena counts what a run published; the converter counted it from the raw bytes; they must agree."""

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Any

from appstore_analytics.athena.checks import counted, counting_query
from appstore_analytics.athena.query import Athena
from appstore_analytics.contract.errors import QueryInterrupted
from appstore_analytics.contract.layout import TableDate, run_key
from appstore_analytics.contract.messages import MapName, Outcome, Verdict, VerifyItem, step_result
from appstore_analytics.contract.tables import CURATED_DATABASE, CuratedTable, tables_by_name
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.published import read_publication
from appstore_analytics.lake.run_notes import write_rows
from appstore_analytics.registry import Registry
from appstore_analytics.rules.counts import BatchKey, Comparison, Counts, compare


def verify_table(item: VerifyItem, registry: Registry, lake: Bucket, athena: Athena) -> dict[str, str]:
    """Compare rows and sums, per app and Date, of the Dates that this run published of one table.

    What differs is a mismatch, with the apps' names. A Date that is equal is dirty no longer, unless a part was
    written since it was published; what differs, or what a crash left unproved, the next run publishes and compares
    again. A second run compares again.
    """
    published = _published(item, registry)
    days = set(published)
    comparisons = compare_dates(tables_by_name()[item.table], days, lake, athena)
    write_rows(lake, run_key(item.run_id, f"verification/{item.table}.jsonl"), (_row(item, one) for one in comparisons))
    for day in days - {comparison.day for comparison in comparisons if not comparison.equal}:
        if token := published[day]:
            registry.dirty_dates.clear(TableDate(item.table, day), token)
    _finish(item, comparisons, registry)
    return step_result(Outcome.DONE)


def compare_dates(table: CuratedTable, days: Collection[date], lake: Bucket, athena: Athena) -> list[Comparison]:
    """What the notes beside the published objects say about these Dates, compared with what Athena counts.

    A Date may be replaced between the count and the comparison, and a query in flight over it may fail: both are asked
    once more.
    """
    try:
        comparisons = _compare(table, days, lake, athena)
    except QueryInterrupted:
        comparisons = _compare(table, days, lake, athena)
    if doubtful := {comparison.day for comparison in comparisons if not comparison.equal}:
        sure = [comparison for comparison in comparisons if comparison.day not in doubtful]
        comparisons = sorted([*sure, *_compare(table, doubtful, lake, athena)], key=lambda one: (one.app_id, one.day))
    return comparisons


def _published(item: VerifyItem, registry: Registry) -> dict[date, str | None]:
    """The Dates of this table that the run published, with the token of the mark that each had; None after a crash."""
    records = registry.runs.of_map(item.run_id, MapName.PUBLISH, below=f"{item.table}#")
    return {date.fromisoformat(record.event["day"]): record.facts.get("token") for record in records}


def _compare(table: CuratedTable, days: Collection[date], lake: Bucket, athena: Athena) -> list[Comparison]:
    answer = counted(table, athena.rows(counting_query(table, days), CURATED_DATABASE))
    return list(compare(_expected(table, days, lake), answer))


def _expected(table: CuratedTable, days: Collection[date], lake: Bucket) -> dict[BatchKey, Counts]:
    """What the converter counted, for the parts that now stand in the table; several vintages of an app add up."""
    expected: dict[BatchKey, Counts] = {}
    for day in days:
        for batch in read_publication(lake, table, day):
            sums = {name: None if text is None else Decimal(text) for name, text in batch.sums.items()}
            before = expected.get((batch.app_id, day))
            expected[batch.app_id, day] = (
                Counts(batch.rows, sums) if before is None else before + Counts(batch.rows, sums)
            )
    return expected


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
    apps = sorted({comparison.app_id for comparison in different})
    registry.runs.finish(
        item,
        Verdict.MISMATCH if different else Verdict.VERIFIED,
        f"{len(different)} of {len(comparisons)} batches differ: {different[0].difference}" if different else "",
        rows=sum(comparison.rows_athena for comparison in comparisons),
        batches=len(comparisons),
        apps_different=apps,
    )
