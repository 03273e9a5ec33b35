"""The doctor's answer: one line per check, with the fix if one is needed."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from botocore.exceptions import BotoCoreError, ClientError

from appstore_analytics.answers.facts import counted
from operations import aws_errors


class Result(StrEnum):
    """The result of a check. Only `FIX` makes the doctor end with exit status 1."""

    OK = "ok"
    WARNING = "warning"  # it works, but look at it
    FIX = "fix"
    SKIPPED = "skipped"  # it could not be checked, or does not apply here


@dataclass(frozen=True, slots=True)
class Check:
    """One line. `finding` says what was found and, unless the check passed, what to do."""

    subject: str
    result: Result
    finding: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All checks in the order in which to fix them: an earlier failure can be the cause of a later one."""

    checks: tuple[Check, ...]

    @property
    def is_good(self) -> bool:
        """Whether nothing has to be fixed."""
        return not self._to_fix

    @property
    def sentence(self) -> str:
        """The number of checks that passed, and the names of those that need a person."""
        if self._to_fix:
            return f"{counted(len(self._to_fix), 'check')} failed: {', '.join(self._to_fix)}."
        warnings = [check.subject for check in self.checks if check.result is Result.WARNING]
        return f"Nothing to fix. Look at: {', '.join(warnings)}." if warnings else "Nothing to fix."

    @property
    def _to_fix(self) -> list[str]:
        return [check.subject for check in self.checks if check.result is Result.FIX]


def looked_at(subject: str, look: Callable[[], Iterable[Check]]) -> Iterator[Check]:
    """The results of one check; if AWS refuses the call, a line that says so, and the other checks continue."""
    try:
        yield from look()
    except (BotoCoreError, ClientError) as error:
        yield Check(subject, Result.SKIPPED, f"This could not be checked. {aws_errors.sentence(error)}")
