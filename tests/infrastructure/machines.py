"""Parts of a state machine's definition."""

from typing import Any

from appstore_analytics.contract.maps import MapName
from infra.state_machine import EXPRESS_FIRST

MAPS = tuple(name.capitalize() for name in MapName)


QUICK = tuple(name for name in MAPS if name.upper() in EXPRESS_FIRST)


PATIENT = tuple(f"{name}Patiently" if name in QUICK else name for name in MAPS)
"""The Maps whose children wait and retry, in the order of MAPS."""


Machine = dict[str, Any]


def item_processor(machine: Machine, name: str) -> Machine:
    """The processing of an item by a Map: in its child, or in the inline Map of an Express child."""
    processor: Machine = machine["States"][name]["ItemProcessor"]
    return processor["States"][f"{name}Items"]["ItemProcessor"] if name in QUICK else processor


def followers(state: dict[str, Any]) -> set[str]:
    branches = [state, *state.get("Choices", []), *state.get("Catch", [])]
    return {branch[key] for branch in branches for key in ("Next", "Default") if key in branch}
