"""Accounts with a concurrency of ten functions, or one: the real definition in virtual time, and its result."""

import random
from typing import Any

import pytest
from synthesis import Synthesis

from benchmarks.usage.virtual_run import StateFailedError, VirtualRun, in_virtual_time, now
from infra.retries import THROTTLED, THROTTLES_FORGIVEN

REPORTS, DATES = 6, 24
TWO_HOURS = 2 * 3600


class Throttled:
    """A daily run whose functions take 0.5 to 1.25 s; conversions can take longer.

    `verdicts` holds the record of every item, None while it is open.
    """

    def __init__(self, land_items: int, due: frozenset[str] | None = None, conversion_seconds: float = 0.0) -> None:
        self._random = random.Random(land_items)  # noqa: S311 (how long a function takes)
        self._conversion_seconds = conversion_seconds
        apps = land_items // REPORTS
        self.items = {
            "REGISTER": [f"REGISTER#{number}" for number in range(apps)],
            "LAND": [f"LAND#{number}" for number in range(land_items)],
            "PUBLISH": [f"PUBLISH#{number}" for number in range(DATES)],
            "VERIFY": [f"VERIFY#{number}" for number in range(REPORTS)],
        }
        self.verdicts: dict[str, str | None] = {}
        self._due = due
        self._manifests: dict[str, list[dict[str, Any]]] = {}

    def seconds(self, function: str) -> float:
        longer = self._conversion_seconds if function == "ConvertInstance" else 0.0
        return longer + self._random.uniform(0.5, 1.25)

    def call(self, function: str, payload: Any) -> Any:
        if function == "PlanRun":
            return {"run_id": "r1", "operation": "daily", "plan": {"after": ""}}
        if function == "PlanItems":
            return self._plan(payload["map"], left=payload.get("left", False))
        if function == "SummarizeRun":
            return {"status": "FAILED" if self.left else "SUCCEEDED", "cause": f"{len(self.left)} items"}
        if function in ("RegisterRequest", "DownloadSegments"):
            return {"outcome": "next"}
        if function in ("CompactMonths", "ListReleases"):
            return {}
        self.verdicts[payload["record"]] = "done"
        return {"outcome": "done"}

    def record_failure(self, data: dict[str, Any]) -> None:
        self.verdicts[data["record"]] = data["error"]["Error"]

    def manifest(self, key: str) -> list[dict[str, Any]]:
        return self._manifests[key]

    @property
    def left(self) -> frozenset[str]:
        """The remaining work for the next run."""
        return frozenset(record for record, verdict in self.verdicts.items() if verdict != "done")

    def _plan(self, map_name: str, *, left: bool) -> dict[str, Any]:
        records = [record for record in self.items[map_name] if self._due is None or record in self._due]
        if not left:
            self.verdicts |= dict.fromkeys(records)
        key = f"{map_name}-{len(self._manifests)}"
        open_items = [record for record in records if self.verdicts[record] is None]
        self._manifests[key] = [{"record": record, "run_id": "r1"} for record in open_items]
        return {"manifest_key": key, "items": len(open_items), "after": "", "waiting": False}


def execute(machine: dict[str, Any], world: Throttled, concurrency: int) -> tuple[VirtualRun, float, bool]:
    """The run, its duration in seconds, and whether it succeeded."""
    run = VirtualRun(machine, world, concurrency)

    async def execution() -> tuple[float, bool]:
        began = now()
        try:
            await run.execute({})
        except StateFailedError:
            return (now() - began).total_seconds(), False
        return (now() - began).total_seconds(), True

    seconds, succeeded = in_virtual_time(execution)
    return run, seconds, succeeded


@pytest.fixture(scope="module")
def machine(synthesis: Synthesis) -> dict[str, Any]:
    return synthesis.definition()


@pytest.mark.parametrize(("items", "concurrency"), [(420, 10), (420, 1), (6_000, 10), (6_000, 1)])
def test_a_run_that_is_throttled_succeeds(machine: dict[str, Any], items: int, concurrency: int) -> None:
    world = Throttled(items)
    run, _, succeeded = execute(machine, world, concurrency)
    assert run.account.throttled > items / 10
    assert (succeeded, world.left) == (True, frozenset())
    assert set(world.verdicts) == {record for records in world.items.values() for record in records}


def test_what_finds_no_room_for_two_hours_fails_by_name_and_the_next_runs_take_it(machine: dict[str, Any]) -> None:
    """Thirty conversions of ten minutes each, one at a time."""
    world = Throttled(30, conversion_seconds=600)
    _, seconds, succeeded = execute(machine, world, concurrency=1)
    failed = world.left
    assert seconds > TWO_HOURS
    assert (succeeded, 0 < len(failed) < 30) == (False, True)
    assert {world.verdicts[record] for record in failed} == {THROTTLED}
    following = Throttled(30, due=failed, conversion_seconds=600)
    execute(machine, following, concurrency=1)
    assert following.left < failed


def test_a_patient_child_asks_for_room_for_more_than_two_hours(machine: dict[str, Any]) -> None:
    """An attempt waits half of its longest delay on average, and the sum of many delays hardly differs from that."""
    patient = machine["States"]["LandPatiently"]["ItemProcessor"]["States"]["ConvertInstancePatiently"]
    retry = next(retry for retry in patient["Retry"] if retry["ErrorEquals"] == [THROTTLED])
    assert retry["MaxAttempts"] == THROTTLES_FORGIVEN
    draws = random.Random(7)  # noqa: S311 (jitter)
    for _ in range(200):
        longest = (min(60, 2 * 2**attempt) for attempt in range(retry["MaxAttempts"]))
        assert sum(draws.uniform(0, delay) for delay in longest) > TWO_HOURS


def test_a_fresh_account_of_ten_functions_takes_a_run_that_plain_retries_would_lose(machine: dict[str, Any]) -> None:
    """Without its own Retry, five attempts within two minutes leave items unfinished."""

    def without(state: Any) -> Any:
        if isinstance(state, list):
            return [
                without(one) for one in state if not (isinstance(one, dict) and one.get("ErrorEquals") == [THROTTLED])
            ]
        return {name: without(value) for name, value in state.items()} if isinstance(state, dict) else state

    world = Throttled(420)
    _, _, succeeded = execute(without(machine), world, concurrency=1)
    assert (succeeded, bool(world.left)) == (False, True)
