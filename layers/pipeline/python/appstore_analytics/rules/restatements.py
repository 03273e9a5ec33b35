"""The changes to a Date after Apple had completed it, from a row of the restatement ledger `appstore.batches`."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from appstore_analytics.model.restatements import ROWS, ChangeCause


def restatements_in(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of `appstore.restatements` that follow from it: one for each measure whose total has changed.

    None if the replaced numbers were not final: a Date grows until it is complete. A vintages table replaces nothing.
    """
    if not row.get("replaced_is_final"):  # rows written by earlier versions do not have it
        return
    before, now = _totals(row, "replaced_"), _totals(row, "")
    for measure in dict.fromkeys((*before, *now)):
        if _number(before.get(measure)) != _number(now.get(measure)):
            yield {
                **{name: row[name] for name in ("run_id", "table_name", "date", "app_id")},
                "measure": measure,
                "replaced_value": before.get(measure),
                "value": now.get(measure),
                "cause": _cause(row),
                **{name: row[name] for name in ("replaced_processing_date", "processing_date")},
            }


def _totals(row: Mapping[str, Any], prefix: str) -> dict[str, str]:
    """The totals of a batch by measure, as text that keeps them exact; empty if the Date was removed."""
    if row[f"{prefix}instance_id"] is None:
        return {}
    sums = row[f"{prefix}sums"] or {}
    return {ROWS: str(row[f"{prefix}rows"]), **{name: text for name, text in sums.items() if text is not None}}


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _cause(row: Mapping[str, Any]) -> ChangeCause:
    """Files follow each other by their processing dates, which sort as text."""
    if row["instance_id"] == row["replaced_instance_id"]:
        return ChangeCause.REPROCESSED
    if row["instance_id"] is None or row["processing_date"] < row["replaced_processing_date"]:
        return ChangeCause.TAKEN_BACK
    return ChangeCause.RESTATED
