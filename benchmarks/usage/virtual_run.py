"""A run of the real definition in virtual time: hours pass in seconds, and every Retry, Catch, Map and Wait is obeyed.

The caller provides the functions' answers and durations. An account's Lambda concurrency is a limit as on AWS: a
call beyond it is throttled at once, and never queued.
"""

import asyncio
import random
import re
import selectors
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

from benchmarks.usage.deployment import State, chosen

EXPRESS_SECONDS = 300
"""The maximum life of an Express execution (Step Functions quotas)."""

_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)

T = TypeVar("T")


class StateFailedError(Exception):
    """A state failed with an error name of the States Language; the message is its cause."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(cause)
        self.error = error


class World(Protocol):
    """The tasks of a definition, and the inputs of its Maps."""

    def seconds(self, function: str) -> float:
        """The duration of this call of a function."""

    def call(self, function: str, payload: Any) -> Any:
        """The answer of a function; StateFailedError if it fails."""

    def record_failure(self, data: State) -> None:
        """The DynamoDB task of a child whose step has failed."""

    def manifest(self, key: str) -> list[State]:
        """The items of a Map."""


def in_virtual_time(run: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """The result of a coroutine, on an event loop whose clock jumps to the next event."""
    with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
        return runner.run(run())


def now() -> datetime:
    """The virtual instant."""
    return _BEGINNING + timedelta(seconds=asyncio.get_running_loop().time())


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual_seconds = 0.0
        super().__init__(_JumpingSelector(self._advance))

    def time(self) -> float:
        return self._virtual_seconds

    def _advance(self, seconds: float) -> None:
        self._virtual_seconds += seconds


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self, advance: Callable[[float], None]) -> None:
        super().__init__()
        self._advance = advance

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise RuntimeError("Nothing is left to wait for: the run hangs.")
        self._advance(timeout)
        return super().select(0)


class LambdaAccount:
    """The functions of an account that runs at most `concurrency` of them at once."""

    def __init__(self, world: World, concurrency: int) -> None:
        self._world = world
        self._free = concurrency
        self.throttled = 0

    async def invoke(self, function: str, payload: Any) -> Any:
        """The answer; a function continues even if the execution that has called it ends."""
        if not self._free:
            self.throttled += 1
            raise StateFailedError("Lambda.TooManyRequestsException", "Rate Exceeded.")
        self._free -= 1
        return await asyncio.shield(asyncio.ensure_future(self._run(function, payload)))

    async def _run(self, function: str, payload: Any) -> Any:
        try:
            await asyncio.sleep(self._world.seconds(function))
            return self._world.call(function, payload)
        finally:
            self._free += 1


class VirtualRun:
    """An execution of a definition, as `Deployed.definition` holds it; `transitions` counts what AWS bills."""

    def __init__(self, definition: State, world: World, concurrency: int, seed: int = 0) -> None:
        self._definition = definition
        self._world = world
        self._random = random.Random(seed)  # noqa: S311 (spreads retries, guards nothing)
        self.account = LambdaAccount(world, concurrency)
        self.transitions = 0
        self.children_that_died = 0

    async def execute(self, data: Any) -> Any:
        """The output of the execution; StateFailedError when it ends FAILED."""
        return await self._machine(self._definition, data, billed=True)

    async def _machine(self, machine: State, data: Any, *, billed: bool) -> Any:
        name: str | None = machine["StartAt"]
        while name:
            state = machine["States"][name]
            self.transitions += billed
            data, name = await self._enter(state, data, billed=billed)
        return data

    async def _enter(self, state: State, data: Any, *, billed: bool) -> tuple[Any, str | None]:
        following = state.get("Next")
        match state["Type"]:
            case "Choice":
                return data, chosen(state, data)
            case "Pass":
                return state.get("Result", data), following
            case "Wait":
                await asyncio.sleep(_wait_seconds(state, data))
                return data, following
            case "Fail":
                raise StateFailedError(state.get("Error", "Failed"), str(data))
            case "Succeed":
                return data, None
        return await self._task_or_map(state, data, billed=billed)

    async def _task_or_map(self, state: State, data: Any, *, billed: bool) -> tuple[Any, str | None]:
        counts = [0] * len(state.get("Retry", ()))
        while True:
            try:
                result = await (self._map(state, data) if state["Type"] == "Map" else self._task(state, data))
                return _placed(state.get("ResultPath", "$"), data, result), state.get("Next")
            except StateFailedError as failure:
                delay = self._retry_seconds(state, failure.error, counts)
                if delay is None:
                    return _caught(state, data, failure)
                await asyncio.sleep(delay)
                self.transitions += billed

    def _retry_seconds(self, state: State, error: str, counts: list[int]) -> float | None:
        for index, retry in enumerate(state.get("Retry", ())):
            if not _matches(retry, error):
                continue
            if counts[index] >= retry["MaxAttempts"]:
                return None
            delay = min(
                retry["IntervalSeconds"] * retry["BackoffRate"] ** counts[index], retry.get("MaxDelaySeconds", 1e9)
            )
            counts[index] += 1
            return float(self._random.uniform(0, delay) if retry.get("JitterStrategy") == "FULL" else delay)
        return None

    async def _task(self, state: State, data: Any) -> Any:
        if state["Resource"].endswith("dynamodb:updateItem"):
            return self._world.record_failure(data)
        function = re.sub(r"<Functions(\w+?)[0-9A-F]{8}>", r"\1", state["Resource"].removesuffix(".Arn"))
        return await self.account.invoke(function, _parameters(state.get("Parameters"), data))

    async def _map(self, state: State, data: Any) -> list[Any]:
        child = state["ItemProcessor"]
        if child["ProcessorConfig"]["Mode"] == "INLINE":
            return await self._at_once(
                state["MaxConcurrency"], data["Items"], lambda item: self._machine(child, item, billed=False)
            )
        items: list[Any] = self._world.manifest(data["plan"]["manifest_key"])
        if "ItemBatcher" in state:
            size = state["ItemBatcher"]["MaxItemsPerBatch"]
            items = [{"Items": items[first : first + size]} for first in range(0, len(items), size)]
        return await self._at_once(state["MaxConcurrency"], items, lambda item: self._child(child, item))

    async def _child(self, child: State, item: Any) -> Any:
        self.transitions += 1
        if child["ProcessorConfig"]["ExecutionType"] == "STANDARD":
            return await self._machine(child, item, billed=True)
        try:
            async with asyncio.timeout(EXPRESS_SECONDS):
                return await self._machine(child, item, billed=False)
        except TimeoutError:
            self.children_that_died += 1
            return None

    async def _at_once(self, most: int, items: list[Any], run: Callable[[Any], Coroutine[Any, Any, Any]]) -> list[Any]:
        lanes = asyncio.Semaphore(most)

        async def one(item: Any) -> Any:
            async with lanes:
                return await run(item)

        return await asyncio.gather(*(one(item) for item in items))


def _wait_seconds(state: State, data: Any) -> float:
    if "Seconds" in state:
        return float(state["Seconds"])
    until = datetime.fromisoformat(_found(state["TimestampPath"], data))
    return max(0.0, (until - now()).total_seconds())


def _found(path: str, data: Any) -> Any:
    for name in path.removeprefix("$").split(".")[1:]:
        data = data[name]
    return data


def _parameters(parameters: Mapping[str, Any] | None, data: Any) -> Any:
    """The payload of a function; paths into the context are left as they are."""
    if parameters is None:
        return data
    return {
        name.removesuffix(".$"): _found(value, data) if name.endswith(".$") and not value.startswith("$$") else value
        for name, value in parameters.items()
    }


def _placed(path: str | None, data: Any, result: Any) -> Any:
    if path is None:
        return data
    return result if path == "$" else {**data, path.removeprefix("$."): result}


def _caught(state: State, data: Any, failure: StateFailedError) -> tuple[Any, str]:
    for catch in state.get("Catch", ()):
        if _matches(catch, failure.error):
            return _placed(catch.get("ResultPath", "$"), data, {"Error": failure.error, "Cause": str(failure)}), catch[
                "Next"
            ]
    raise failure


def _matches(rule: State, error: str) -> bool:
    return error in rule["ErrorEquals"] or "States.ALL" in rule["ErrorEquals"]
