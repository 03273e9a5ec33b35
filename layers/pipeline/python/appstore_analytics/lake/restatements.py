"""The rows of `appstore.restatements`, which the runs wrote: there are few, because final numbers seldom change."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import Any

from appstore_analytics.contract.layout import appstore_day, appstore_location
from appstore_analytics.contract.tables import RESTATEMENTS, tables_by_name
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.model.restatements import ChangeCause, Restatement
from appstore_analytics.rules.times import instant_of_run
from appstore_analytics.rules.vintage import is_final

_AT_ONCE = 16


def read_restatements(bucket: Bucket, since: date) -> Iterator[Restatement]:
    """The changes of runs on this day and later, in their order: this includes every change of Dates from this day
    on."""
    location = appstore_location(RESTATEMENTS)
    keys = [stored.key for stored in bucket.list(location, after=appstore_day(RESTATEMENTS, since))]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for body in pool.map(bucket.read, keys):
            yield from (_restatement(json.loads(line)) for line in (body or b"").splitlines())


def _restatement(row: dict[str, Any]) -> Restatement:
    return Restatement(
        app_id=str(row["app_id"]),
        table_name=row["table_name"],
        day=date.fromisoformat(row["date"]),
        measure=row["measure"],
        before=_number(row["replaced_value"]),
        now=_number(row["value"]),
        cause=ChangeCause(row["cause"]),
        changed_on=instant_of_run(row["run_id"]).date(),
        run_id=row["run_id"],
        is_final=_is_final(row),
    )


def _is_final(row: dict[str, Any]) -> bool:
    """False also for a table that the catalogue no longer has."""
    table = tables_by_name().get(row["table_name"])
    if table is None or row["processing_date"] is None:
        return False
    return is_final(date.fromisoformat(row["date"]), table, date.fromisoformat(row["processing_date"])) is True


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
