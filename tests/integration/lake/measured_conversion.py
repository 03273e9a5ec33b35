"""A conversion in a separate process that imports only what the converter imports."""

import re
from datetime import date
from pathlib import Path

from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.lake.conversion import convert
from appstore_analytics.model.vintage import Vintage

TABLE = tables_by_name()["engagement"]
APP_ID = 1_000_000_001
_TODAY = date(2025, 6, 3)


def converted(segment: Path, scratch: Path) -> tuple[int, int]:
    """The number of rows of `segment`, and the peak memory of this process in bytes."""
    vintage = Vintage(_TODAY, AccessType.ONGOING, "instance")
    with segment.open("rb") as stream:
        conversion = convert([stream], TABLE, APP_ID, vintage, _TODAY, lambda days: days, scratch)
    # Not getrusage, which includes the memory of the parent process.
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return sum(part.rows for part in conversion.parts), int(peak) * 1024
