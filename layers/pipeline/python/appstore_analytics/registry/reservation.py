"""The calls of one step, from the budget that all steps share."""

from datetime import datetime
from typing import NoReturn, Protocol, Self

from appstore_analytics.contract.errors import CallsUnavailable, KeyDoubted, KeyRejected
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.waits import WaitFor
from appstore_analytics.model.clock import Clock
from appstore_analytics.registry.call_budget import Balance, CallBudget
from appstore_analytics.rules.call_budget import ceiling, hour_of, is_rejected, minute_of

_MINUTE_SECONDS = 60
_WORTH_A_START = 10
"""The share of the hour with which a step begins if a tiny limit does not allow all the calls that it expects."""


class Limit(Protocol):
    """The quota in an answer from Apple."""

    @property
    def hour_remaining(self) -> int | None:
        """Calls left in the rolling hour."""

    @property
    def hour_limit(self) -> int | None:
        """Calls per rolling hour."""

    @property
    def minute_remaining(self) -> int | None:
        """Calls left in the minute."""

    @property
    def retry_after_seconds(self) -> int | None:
        """The wait that Apple asks for."""


class Reservation:
    """The calls of one step: reserved at once, topped up if they do not suffice, returned if left over.

    Counts the calls really made (`made`) and those answered with 429 (`refusals`), and records whether the hour was
    used up when it asked for calls (`is_exhausted`). It is a context manager, so that a step that fails also returns
    its unused calls. A step that needs more calls than a whole hour has gets those that are left, and continues with
    the next hour's.
    """

    def __init__(
        self,
        budget: CallBudget,
        calls_per_hour: int,
        operation: Operation,
        expected_calls: int,
        clock: Clock,
    ) -> None:
        self._budget = budget
        self._calls_per_hour = self._hour = calls_per_hour
        self._operation = operation
        self._expected = max(expected_calls, 1)
        self._clock = clock
        self._left = 0
        self._minute = 0
        self._balance: Balance | None = None
        self._counted_by_apple = 0
        self._is_answered = False
        self._rest: CallsUnavailable | None = None
        self.made = 0
        self.refusals = 0
        self.is_exhausted = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._return_what_is_left()
        if self._is_answered and self._balance is not None:
            self._learn(self._balance)

    def take(self) -> None:
        """Use one call, or raise CallsUnavailable before it is made."""
        if self._rest is not None:
            raise self._rest
        now = self._clock()
        if self._left and minute_of(now) != self._minute:
            self._carry_over(minute_of(now))
        if not self._left:
            self._balance = self._reserve(now)
            self._minute = minute_of(now)
        self._left -= 1
        self.made += 1

    def _reserve(self, now: datetime) -> Balance:
        most = ceiling(self._hour, self._operation)
        wanted = max(min(self._expected, most), 1)
        try:
            return self._book(wanted, most, now)
        except CallsUnavailable as unavailable:
            balance = self._budget.balance()
            if self._adapt_to(balance.hour_limit):
                return self._reserve(now)
            self.is_exhausted = unavailable.waits_for is WaitFor.APPLES_HOUR
            if self.is_exhausted and wanted > (room := most - balance.used) >= max(most // _WORTH_A_START, 1):
                return self._book(room, most, now)
            raise

    def _book(self, calls: int, most: int, now: datetime) -> Balance:
        balance = self._budget.reserve(calls, most, now, self._hour)
        self._left, self.is_exhausted = calls, False
        return balance

    def _adapt_to(self, hour_limit: int | None) -> bool:
        """Switch to Apple's limit of the key; False if that changes nothing."""
        hour = hour_of(self._calls_per_hour, hour_limit)
        has_changed = hour != self._hour
        self._hour = hour
        return has_changed

    def _return_what_is_left(self) -> None:
        if self._left:
            self._budget.give_back(self._left, self._minute)
            self._left = 0

    def _carry_over(self, minute: int) -> None:
        """Apple counts a call when it is made: unused calls belong to this minute, not to the reservation's."""
        if not self._budget.move(self._left, self._minute, minute):
            self._left = 0  # after an hour
        self._minute = minute

    def answered(self, limit: Limit) -> None:
        """Learn from an answer's headers: the calls left can only decrease, and the limit is what Apple says.

        The answer to the last call of a minute is valid; the next call has to wait.
        """
        self._is_answered = True
        self._learn_limit(limit)
        if limit.hour_remaining is not None:
            counted = (limit.hour_limit or self._hour) - limit.hour_remaining
            self._counted_by_apple = max(self._counted_by_apple, counted)
        if limit.minute_remaining == 0:
            self._rest = self._budget.rest(_MINUTE_SECONDS, self._clock())

    def refused(self, limit: Limit) -> NoReturn:
        """A 429 closes the key for all functions and says nothing about the requested resource."""
        self._is_answered = False
        self._learn_limit(limit)
        self.refusals += 1
        raise self._budget.close(limit.retry_after_seconds, self._clock())

    def rejected(self, code: str) -> NoReturn:
        """Handles a 401 to a fresh token: raises KeyDoubted, or KeyRejected after a minute with nothing but 401."""
        self._is_answered = False
        now = self._clock()
        since = self._budget.doubt(now)
        sentence = f"App Store Connect does not accept the API key '{self._budget.key_name}' ({code})"
        if is_rejected(since, now):
            raise KeyRejected(f"{sentence}, since {since:%H:%M} UTC: put a valid key into its secret.")
        raise KeyDoubted(f"{sentence}. If this persists, put a valid key into its secret.")

    def _learn_limit(self, limit: Limit) -> None:
        """Calls reserved with a higher limit are returned: the next call is reserved with the lower one."""
        known = None if self._balance is None else self._balance.hour_limit
        if limit.hour_limit is None or hour_of(self._calls_per_hour, limit.hour_limit) == self._hour:
            return
        if limit.hour_limit != known:
            self._budget.learn_limit(limit.hour_limit)
        self._adapt_to(limit.hour_limit)
        self._return_what_is_left()

    def _learn(self, balance: Balance) -> None:
        if balance.refusals or balance.doubted_since is not None:
            self._budget.forget_refusals()
        if balance.used < self._counted_by_apple:
            self._budget.raise_used(self._counted_by_apple, self._clock())
