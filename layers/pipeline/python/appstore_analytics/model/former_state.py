"""State written by version 0.1.0 in a form that has changed since, translated when it is read.

Remove it one release later, when the records of 0.1.0's runs have expired (registry/runs.py:REMEMBERED, 90 days).
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.layout import report_key
from appstore_analytics.model.requests import Asked
from appstore_analytics.model.vintage import Vintage

_COMPACT_TIME_CHARACTERS = len("20261123T060000123Z")


def event_with_vintage(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event of an item. Those of 0.1.0 name an instance by its sort key in the ledger (`instance`)."""
    if "instance" not in event or "vintage" in event:
        return dict(event)
    _, access_type, processing_date, instance_id = event["instance"].split("#", 3)
    vintage = Vintage(date.fromisoformat(processing_date), AccessType(access_type), instance_id)
    return {**event, "vintage": str(vintage)}


def former_report_key(operation: str, run_id: str) -> str:
    """The report of a run of 0.1.0, which was named by the run's start alone."""
    return report_key(operation, run_id[:_COMPACT_TIME_CHARACTERS])


def former_wish(text: str) -> Asked:
    """A backfill's request as stored by 0.1.0, one text for each report: `App
    Crashes|2025-05-01|2025-05-31|2025-06-02`."""
    report, *days = text.rsplit("|", 3)
    return Asked(report, *(date.fromisoformat(day) for day in days))
