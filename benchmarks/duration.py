"""The duration of a daily run on AWS, from the real definition in virtual time: `python -m benchmarks.duration`.

The states, Maps, Retries and Waits are those of the template that cdk.json produces. The durations of functions are
those of the bill (`benchmarks/usage/bill.py`); Apple's quota is the rolling hour of `rules/call_budget.py`. Nothing
here has run on AWS.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from appstore_analytics.contract.catalogue import CORE_REPORT_NAMES
from benchmarks.measuring.machine import versions
from benchmarks.measuring.progress import say
from benchmarks.results import Table, arguments, report
from benchmarks.usage.bill import SECONDS, Model
from benchmarks.usage.counting import count_day
from benchmarks.usage.deployment import synthesize
from benchmarks.usage.simulated_day import SimulatedDay
from benchmarks.usage.virtual_run import VirtualRun, in_virtual_time, now

_REPORTS = 6
_USUAL_ACCOUNT, _NEW_ACCOUNT = 1_000, 10
"""Concurrent Lambdas: an account's default quota, and the quota that a new account may have."""

_FULL = ((70, _USUAL_ACCOUNT), (70, _NEW_ACCOUNT), (1_000, _USUAL_ACCOUNT), (10_000, _USUAL_ACCOUNT))
_QUICK = ((7, _USUAL_ACCOUNT), (7, _NEW_ACCOUNT))


@dataclass(frozen=True, slots=True)
class Duration:
    """One run: when each Map was first planned and when it ended, in seconds since the start."""

    apps: int
    api_keys: int
    lambdas_at_once: int
    items: int
    apple_calls: int
    waited_seconds: float
    throttled_calls: int
    seconds: float
    planned: Mapping[str, float]

    def share(self, map_name: str, following: str) -> float:
        """From the planning of one Map to that of the next."""
        return self.planned.get(following, self.seconds) - self.planned[map_name]


def main(words: Sequence[str] | None = None) -> None:
    """Simulate, print, store."""
    asked = arguments("duration", __doc__.split("\n", maxsplit=1)[0]).parse_args(words)
    reports = CORE_REPORT_NAMES[:_REPORTS]
    few, many = (count_day(apps, reports) for apps in ((1, 2) if asked.quick else (2, 6)))
    model = Model.of(synthesize({"reports": list(reports)}), reports, few, many)
    durations = [_simulate(model, *size) for size in (_QUICK if asked.quick else _FULL)]
    figures = {"runs": [_figures(one) for one in durations]}
    report("duration", figures, [_table(durations), _stated()], versions(["aws-cdk-lib"]), asked)


def _simulate(model: Model, apps: int, lambdas_at_once: int) -> Duration:
    say(f"{apps:,} apps, {lambdas_at_once:,} Lambdas at once")
    day = SimulatedDay(model, apps)
    run = VirtualRun(model.deployed.definition, day, lambdas_at_once)

    async def execution() -> Duration:
        began = now()
        await run.execute({})
        planned = {name: (instant - began).total_seconds() for name, instant in day.planned_at.items()}
        return Duration(
            apps,
            model.keys(apps),
            lambdas_at_once,
            day.items,
            day.apple_calls,
            day.waited.total_seconds(),
            run.account.throttled,
            (now() - began).total_seconds(),
            planned,
        )

    return in_virtual_time(execution)


_MAPS = (("REGISTER", "LAND"), ("LAND", "PUBLISH"), ("PUBLISH", "VERIFY"), ("VERIFY", ""))


def _figures(one: Duration) -> dict[str, Any]:
    return {
        "apps": one.apps,
        "api_keys": one.api_keys,
        "lambdas_at_once": one.lambdas_at_once,
        "items": one.items,
        "apple_calls": one.apple_calls,
        "throttled_calls": one.throttled_calls,
        "seconds": round(one.seconds),
        "waited_seconds": round(one.waited_seconds),
        **{name.lower(): round(one.share(name, following)) for name, following in _MAPS},
    }


def _table(durations: Sequence[Duration]) -> Table:
    rows = [
        (
            f"{one.apps:,}",
            str(one.api_keys),
            f"{one.lambdas_at_once:,}",
            f"{one.items:,}",
            f"{one.apple_calls:,}",
            f"{one.throttled_calls:,}",
            *(_text(one.share(name, following)) for name, following in _MAPS),
            _text(one.waited_seconds),
            _text(one.seconds),
        )
        for one in durations
    ]
    counts = ("apps", "API keys", "Lambdas", "items", "calls of Apple", "throttled")
    columns = (*counts, "Register", "Land", "Publish", "Verify", "waits", "run")
    note = "Hours:minutes:seconds. All runs succeed. waits: for Apple's rolling hour, within Register and Land."
    return Table(f"How long a run takes, {_REPORTS} reports", columns, rows, note)


def _text(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


def _stated() -> Table:
    rows = [(what, f"{seconds * 1000:,.0f} ms") for what, seconds in SECONDS.items()]
    return Table("Stated, not measured", ("what", "how long"), rows)


if __name__ == "__main__":
    main()
