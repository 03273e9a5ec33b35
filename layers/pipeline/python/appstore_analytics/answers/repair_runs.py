"""A run that repairs something, in the form from which a plan is made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RepairRun:
    """The operation and its arguments."""

    operation: str
    arguments: Mapping[str, Any]
