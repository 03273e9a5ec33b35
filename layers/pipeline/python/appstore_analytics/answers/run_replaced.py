"""Data that Apple replaced in a run: Dates that a newer file contains again, from the rows of `appstore.batches`."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from appstore_analytics.answers.run_stages import ReplacedDate
from appstore_analytics.contract.layout import appstore_key, run_key
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.run_notes import read_rows
from appstore_analytics.model.plan import RunPlan

_MOST = 200


def replaced_dates(
    lake: Bucket, plan: RunPlan, app_ids: frozenset[str] | None, *, has_ended: bool
) -> Iterator[ReplacedDate]:
    """At most 200 Dates of these apps (or all): corrections of final Dates first, then the most changed rows."""
    key = (
        appstore_key("batches", plan.started_at.date(), plan.run_id) if has_ended else run_key(plan.run_id, "batches/")
    )
    by_date: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in read_rows(lake, key):
        if row["replaced_rows"] is not None and (app_ids is None or str(row["app_id"]) in app_ids):
            by_date[row["table_name"], row["date"]].append(row)
    found = [_replaced(table, day, rows) for (table, day), rows in by_date.items()]
    found.sort(key=lambda one: (not one.was_final, -abs(one.rows_now - one.rows_before), one.table_name, one.day))
    yield from found[:_MOST]


def _replaced(table: str, day: str, rows: Sequence[Mapping[str, Any]]) -> ReplacedDate:
    return ReplacedDate(
        table_name=table,
        day=date.fromisoformat(day),
        apps=len({row["app_id"] for row in rows}),
        rows_before=sum(row["replaced_rows"] or 0 for row in rows),
        rows_now=sum(row["rows"] or 0 for row in rows),
        sums_before=_sums(row["replaced_sums"] for row in rows),
        sums_now=_sums(row["sums"] for row in rows),
        was_final=any(row.get("replaced_is_final") for row in rows),  # rows written by earlier versions do not have it
    )


def _sums(every: Iterable[Mapping[str, str | None] | None]) -> dict[str, str]:
    """The sums of several apps, exact; a measure without any value is left out."""
    total: dict[str, Decimal] = {}
    for sums in every:
        for name, text in (sums or {}).items():
            if text is not None:
                total[name] = total.get(name, Decimal()) + Decimal(text)
    return {name: str(value) for name, value in sorted(total.items())}
