"""The pipeline in the test's process with the state machine's Retry, Wait and recorded errors."""

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from appstore_analytics.contract.configuration import Configuration
from appstore_analytics.contract.errors import TRANSIENT_RETRIES, PipelineError, TransientError, leaves
from appstore_analytics.contract.maps import MapName, Outcome
from tests.integration.pipeline_in_process import ACCOUNT, Account, Pipeline

_MOST_WAITS = 20


@dataclass(frozen=True)
class Run:
    """One execution: its end, its run report, and the reason of every app."""

    status: str
    cause: str
    report: dict[str, Any]
    reasons: dict[str, str]

    @property
    def verdicts(self) -> dict[str, str]:
        return {app_id: verdict for verdict, apps in self.report["apps_by_verdict"].items() for app_id in apps}


@dataclass
class StateMachine(Pipeline):
    """`app_ids` are the configured apps. `errors` are what each app's (or table's) steps ended with, in order.

    A Retry or a Wait takes no time; a Wait moves the clock.
    """

    app_ids: tuple[str, ...] = ()
    errors: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def configuration(self) -> Configuration:
        return replace(super().configuration, accounts=(Account(ACCOUNT, self.app_ids),))

    def day(self) -> Run:
        """A daily run, and its result."""
        self.errors.clear()
        plan = self.plan()
        self.run(plan)
        answer = self.summarize(plan)
        (key,) = [each.key for each in self.lake.list("appstore/apps/") if plan.run_id in each.key]
        apps = [json.loads(line) for line in (self.lake.read(key) or b"").splitlines()]
        report = json.loads(self.lake.read(max(each.key for each in self.lake.list("reports/"))) or b"")
        return Run(answer["status"], answer["cause"], report, {str(app["app_id"]): app["reason"] for app in apps})

    def steps(self, map_name: MapName, event: dict[str, str]) -> list[Callable[[], dict[str, str]]]:
        whose = self.errors[event.get("app_id") or event["table"]]
        return [partial(self._task, step, whose) for step in super().steps(map_name, event)]

    def _task(self, step: Callable[[], dict[str, str]], errors: list[str]) -> dict[str, str]:
        """One Task state: the step, repeated after a transient error and after its Wait."""
        retries = waits = 0
        while True:
            try:
                answer = step()
            except PipelineError as error:
                errors.append(type(error).__name__)
                if errors[-1] not in leaves(TransientError) or retries == TRANSIENT_RETRIES:
                    raise
                retries += 1
                continue
            if answer["outcome"] != Outcome.WAIT:
                return answer
            retries, waits = 0, waits + 1
            assert waits < _MOST_WAITS
            errors.append(Outcome.WAIT)
            self.clock.now = max(self.clock.now, datetime.fromisoformat(answer["available_at"]))
