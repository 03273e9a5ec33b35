"""What the doctor answers: one line per check, and what to do where it is not well."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from botocore.exceptions import BotoCoreError, ClientError

from appstore_analytics.answers.facts import counted
from operations import aws_errors


class Result(StrEnum):
    """How a check ended. Only `FIX` makes the doctor end with exit status 1."""

    OK = "ok"
    WARNING = "warning"  # it works, but look at it
    FIX = "fix"
    SKIPPED = "skipped"  # it could not be looked at, or does not apply here


@dataclass(frozen=True, slots=True)
class Check:
    """One line. `finding` says what was seen and, unless all is well, what to do."""

    subject: str
    result: Result
    finding: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Every check, in the order in which they matter: what is wrong above may be the cause of what is wrong below."""

    checks: tuple[Check, ...]

    @property
    def is_good(self) -> bool:
        """Whether nothing has to be fixed."""
        return not self._to_fix

    @property
    def sentence(self) -> str:
        """How many checks passed, and which need a person."""
        if self._to_fix:
            return f"{counted(len(self._to_fix), 'check')} failed: {', '.join(self._to_fix)}."
        warnings = [check.subject for check in self.checks if check.result is Result.WARNING]
        return f"Nothing to fix. Look at: {', '.join(warnings)}." if warnings else "Nothing to fix."

    @property
    def _to_fix(self) -> list[str]:
        return [check.subject for check in self.checks if check.result is Result.FIX]


def looked_at(subject: str, look: Callable[[], Iterable[Check]]) -> Iterator[Check]:
    """The checks that a look yields; where AWS refuses to be asked, one that says so and lets the others go on."""
    try:
        yield from look()
    except (BotoCoreError, ClientError) as error:
        yield Check(subject, Result.SKIPPED, f"It could not be looked at. {aws_errors.sentence(error)}")
