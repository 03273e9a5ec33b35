"""How instants are written where a name may hold only letters and digits."""

import re
from datetime import datetime


def compact_time(instant: datetime) -> str:
    """UTC to the millisecond, as it stands in run ids, keys and file names: `20261123T060000123Z`."""
    return f"{instant:%Y%m%dT%H%M%S}{instant.microsecond // 1000:03d}Z"


def instant_of_run(run_id: str) -> datetime:
    """When a run started: its id begins with `compact_time`."""
    return datetime.strptime(f"{run_id[:18]}000+0000", "%Y%m%dT%H%M%S%f%z")


def run_id(started_at: datetime, execution_name: str) -> str:
    """The id of the run that an execution makes; whoever knows the execution finds its run's plan and report."""
    return f"{compact_time(started_at)}-{re.sub(r'[^A-Za-z0-9-]', '-', execution_name)[:40]}"
