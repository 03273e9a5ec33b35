"""How days and instants are written: days as ISO 8601 dates, instants where a name may hold only letters and digits."""

import re
from datetime import date, datetime

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def iso_date(text: str) -> date:
    """The day that `2026-11-20` names; ValueError for any other spelling of it, and for a day that does not exist.

    Python's own reader also takes `20261120` and `2026-W47-5`.
    """
    if not _ISO_DATE.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def compact_time(instant: datetime) -> str:
    """UTC to the millisecond, as it stands in run ids, keys and file names: `20261123T060000123Z`."""
    return f"{instant:%Y%m%dT%H%M%S}{instant.microsecond // 1000:03d}Z"


def instant_of_run(run_id: str) -> datetime:
    """When a run started: its id begins with `compact_time`."""
    return datetime.strptime(f"{run_id[:18]}000+0000", "%Y%m%dT%H%M%S%f%z")


def run_id(started_at: datetime, execution_name: str) -> str:
    """The id of the run that an execution makes; whoever knows the execution finds its run's plan and report."""
    return f"{compact_time(started_at)}-{re.sub(r'[^A-Za-z0-9-]', '-', execution_name)[:40]}"
