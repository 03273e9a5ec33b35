"""One call of a step, in this process: `python -m benchmarks.scale.job STEP APPS REPORTS`; prints its cost as JSON.

A step is imported when it is called, because the memory of its imports is part of what is measured.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from appstore_analytics.contract.maps import FROM_THE_BEGINNING, MapName
from appstore_analytics.registry import Registry
from benchmarks.scale.aws import NOON, RUN_ID, Athena, Day, Lake, Table

_TOLERANCE = timedelta(hours=26)


def _nothing(day: Day) -> None:
    """The memory of every function before its work begins."""


def _plan_land(day: Day) -> list[int]:
    """Every pass of Land, with its number of items."""
    from appstore_analytics.steps.plan_items import plan_items  # noqa: PLC0415

    table, lake, sizes, after = _any(Table(day)), _any(Lake(day)), [], FROM_THE_BEGINNING
    while True:
        answer = plan_items(RUN_ID, MapName.LAND, Registry(table, _noon), lake, NOON, after=after)
        sizes.append(int(answer["items"]))
        after = str(answer["after"])
        if after == FROM_THE_BEGINNING:
            return sizes


def _summarize(day: Day) -> dict[str, Any]:
    from appstore_analytics.steps.summarize_run import summarize_run  # noqa: PLC0415

    lake = Lake(day)
    answer = summarize_run(RUN_ID, "", Registry(_any(Table(day)), _noon), _any(lake), lambda *_: None, NOON)
    return {**answer, "bytes_written": lake.bytes_written}


def _check(day: Day) -> dict[str, Any]:
    from appstore_analytics.steps.check_freshness import check_freshness  # noqa: PLC0415

    lake, athena = Lake(day), Athena(day)
    verdicts = check_freshness(NOON, _TOLERANCE, _any(lake), _any(athena), lambda *_: None)
    return {**verdicts, "bytes_written": lake.bytes_written}


def _noon() -> datetime:
    return NOON


def _any(value: Any) -> Any:
    """Answers of AWS that are no boto3 client."""
    return value


WORK: Mapping[str, Callable[[Day], Any]] = {
    "nothing": _nothing,
    "plan_items": _plan_land,
    "summarize_run": _summarize,
    "check_freshness": _check,
}


def main(step: str, apps: str, reports: str) -> None:
    """Do the work of one step."""
    day = Day(int(apps), int(reports), is_open=step == "plan_items")
    began = time.process_time()
    answer = WORK[step](day)
    cpu_seconds = round(time.process_time() - began, 2)
    sys.stdout.write(f"{json.dumps({'answer': answer, 'cpu_seconds': cpu_seconds})}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
