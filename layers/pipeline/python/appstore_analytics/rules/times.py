"""Days as ISO 8601 dates, and instants for names that can have only letters and digits."""

import hashlib
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


_LONGEST_NAME, _DIGEST = 40, 10


def compact_time(instant: datetime) -> str:
    """UTC to the millisecond, as in run ids, keys and file names: `20261123T060000123Z`."""
    return f"{instant:%Y%m%dT%H%M%S}{instant.microsecond // 1000:03d}Z"


def instant_of_run(run_id: str) -> datetime:
    """The start of a run, from its id, which begins with `compact_time`."""
    return datetime.strptime(f"{run_id[:18]}000+0000", "%Y%m%dT%H%M%S%f%z")


def run_id(started_at: datetime, execution_name: str) -> str:
    """The run id of an execution, so that its plan and report can be found.

    No two executions share one: execution names are unique, and a name that is shortened or loses characters here gets
    a digest of the whole.
    """
    name = re.sub(r"[^A-Za-z0-9-]", "-", execution_name)[:_LONGEST_NAME]
    if name != execution_name:
        digest = hashlib.sha256(execution_name.encode()).hexdigest()[:_DIGEST]
        name = f"{name[: _LONGEST_NAME - _DIGEST - 1]}-{digest}"
    return f"{compact_time(started_at)}-{name}"
