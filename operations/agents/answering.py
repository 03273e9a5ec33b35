"""The installation that tools ask, and an answer with the limits of its numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from appstore_analytics.answers.facts import Facts, to_json
from appstore_analytics.answers.gaps import Gaps
from appstore_analytics.answers.installation import Installation
from appstore_analytics.model.clock import Clock
from operations import questions

NO_ROW_IS_NOT_ZERO = (
    "If there is no row or no value, the number is unknown, not zero: it can be missing, not due or withheld by Apple."
)

_LOOKS_AGAIN_AFTER = timedelta(minutes=10)


class Here:
    """The installation for a few minutes: apps, names and completeness are read once."""

    def __init__(self, installation: Installation, now: datetime) -> None:
        self.installation = installation
        self.opened_at = now
        self.today = now.date()

    @cached_property
    def complete_until(self) -> Mapping[str, date | None]:
        """For each table, the newest Date up to which every Date is complete for every app."""
        return by_table(questions.gaps(self.installation, None, self.today, None))


class Session:
    """Opens the installation when a tool first needs it, and again when the last reading has expired."""

    def __init__(self, open_installation: Callable[[], Installation], clock: Clock) -> None:
        self._open = open_installation
        self._clock = clock
        self._here: Here | None = None

    def here(self) -> Here:
        """The installation now; raises what opening raises."""
        now = self._clock()
        if self._here is None or now - self._here.opened_at > _LOOKS_AGAIN_AFTER or now.date() != self._here.today:
            self._here = Here(self._open(), now)
        return self._here


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, and what has to accompany its numbers.

    `complete_until` is by table, or by KPI for a question about KPIs: later Dates are preliminary, or lack some apps.
    `bounds` says, for KPIs whose values are not exact, on which side of the true value they are.
    """

    facts: Facts
    complete_until: Mapping[str, date | None]
    bounds: Mapping[str, str] = field(default_factory=dict)
    traps: tuple[str, ...] = ()

    def to_json(self, command: str) -> dict[str, Any]:
        """The answer as `--json` prints it, together with these fields; `command` prints the same."""
        return {
            "answer": to_json(self.facts),
            "complete_until": {name: day and day.isoformat() for name, day in self.complete_until.items()},
            "bounds": dict(self.bounds),
            "traps": [*self.traps, NO_ROW_IS_NOT_ZERO],
            "command": command,
        }


ENVELOPE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "answer": {"type": "object", "description": "What the command prints with --json."},
        "complete_until": {
            "type": "object",
            "description": "By table or KPI: up to here every due Date is complete. null: none is.",
            "additionalProperties": {"type": ["string", "null"]},
        },
        "bounds": {
            "type": "object",
            "description": "By KPI: at most, at least or estimate. Say it with the number.",
            "additionalProperties": {"type": "string"},
        },
        "traps": {
            "type": "array",
            "description": "Sentences to keep beside the numbers.",
            "items": {"type": "string"},
        },
        "command": {"type": "string", "description": "The command line that prints the same answer."},
    },
    "required": ["answer", "complete_until", "bounds", "traps", "command"],
}
"""The JSON schema of every answer."""


def by_table(found: Gaps) -> dict[str, date | None]:
    """The newest complete Date of each table that Apple has sent."""
    return {table.table_name: table.complete_until for table in found.tables}
