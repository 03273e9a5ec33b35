"""One call budget per API key, shared by all Lambdas and kept below Apple's rolling hour.

    item   used = 640, m29388241 = 100, m29388242 = 540, closed_until, refusals
    reserve n    one conditional update: ADD used n, m<this minute> n  IF used <= most - n AND NOT closed
    an old minute is given back by whoever meets it: SET used = used - m<minute> REMOVE m<minute>  IF it still exists

So the normal case is one write, no writer overwrites another, and a crash costs at most its reservation for an hour.
"""

import math
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn, Protocol, Self

from botocore.exceptions import ClientError

from appstore_analytics.contract.errors import CallsUnavailable
from appstore_analytics.contract.messages import Operation
from appstore_analytics.registry.conditions import is_condition_failure
from appstore_analytics.rules.call_budget import available_at, ceiling, closure_seconds, is_given_back, minute_of

_SPREAD_SECONDS = 5
_MINUTE_SECONDS = 60


class Limit(Protocol):
    """What an answer of Apple says about the quota."""

    @property
    def hour_remaining(self) -> int | None:
        """Calls left in the rolling hour."""

    @property
    def minute_remaining(self) -> int | None:
        """Calls left in the minute."""

    @property
    def retry_after_seconds(self) -> int | None:
        """How long Apple asks to wait."""


@dataclass(frozen=True, slots=True)
class Balance:
    """The budget at one moment: calls booked, by minute; the rest after a 429; refusals in a row."""

    used: int
    calls_by_minute: Mapping[int, int]
    closed_until: datetime | None
    refusals: int


class CallBudget:
    """The calls of one API key over the last hour."""

    def __init__(self, table: Any, key_name: str) -> None:
        self._table = table
        self._key_name = key_name
        self._key = {"pk": f"BUDGET#{key_name}", "sk": "CALLS"}

    def balance(self) -> Balance:
        """How many calls count at this moment, as far as somebody has given old minutes back."""
        return _balance(self._table.get_item(Key=self._key, ConsistentRead=True).get("Item", {}))

    def reserve(self, calls: int, most: int, now: datetime) -> Balance:
        """Book calls on this minute while at most `most` of the hour are used; the balance after that.

        CallsUnavailable says when to come back: when the rest after a 429 ends, or enough of the hour has passed.
        """
        booked = self._book(calls, most, now)
        if booked is None:
            self._give_back_old_minutes(now)
            booked = self._book(calls, most, now)
        if booked is None:
            balance = self.balance()
            if balance.closed_until is not None and balance.closed_until > now:
                raise self._unavailable(balance.closed_until)
            raise self._unavailable(available_at(balance.calls_by_minute, calls, most, now))
        return _balance(booked)

    def available_at(self, calls: int, most: int, now: datetime) -> datetime:
        """When so many calls could be booked at once, if nobody else calls meanwhile; `now` when they can already."""
        balance = self.balance()
        if balance.closed_until is not None and balance.closed_until > now:
            return balance.closed_until
        counting = {
            minute: booked for minute, booked in balance.calls_by_minute.items() if not is_given_back(minute, now)
        }
        return now if sum(counting.values()) + calls <= most else available_at(counting, calls, most, now)

    def give_back(self, calls: int, minute: int) -> None:
        """Return what a reservation did not use."""
        self._update_if(
            f"attribute_exists(m{minute})",
            UpdateExpression=f"ADD used :minus, m{minute} :minus",
            ExpressionAttributeValues={":minus": -calls},
        )

    def move(self, calls: int, minute: int, to: int) -> bool:
        """Book calls on another minute than they were; False when theirs has been given back meanwhile."""
        moved = self._update_if(
            f"attribute_exists(m{minute})",
            UpdateExpression=f"ADD m{minute} :minus, m{to} :calls",
            ExpressionAttributeValues={":minus": -calls, ":calls": calls},
        )
        return moved is not None

    def raise_used(self, used: int, now: datetime) -> None:
        """Count at least `used` calls, because Apple does: somebody else uses the key as well.

        Conditional on the balance just read; whoever loses that race learns from the next answer.
        """
        seen = self.balance().used
        if used > seen:
            self._update_if(
                "used = :seen",
                UpdateExpression=f"ADD m{minute_of(now)} :more, used :more",
                ExpressionAttributeValues={":more": used - seen, ":seen": seen},
            )

    def close(self, seconds: int | None, now: datetime) -> CallsUnavailable:
        """Rest the key for everybody, because Apple answered 429; a longer rest that stands is kept.

        `seconds` is what Apple asks for, an hour at most, because its quota is an hour's; without it the rest doubles
        with every refusal in a row. Calls that were on their way when the first was refused are refused as well:
        together they are one refusal, so the first closes the key in the same write that counts it.
        """
        counted = self._update_if(
            "attribute_not_exists(closed_until) OR closed_until <= :now",
            UpdateExpression="ADD refusals :one SET closed_until = :until",
            ExpressionAttributeValues={
                ":one": 1,
                ":now": int(now.timestamp()),
                ":until": math.ceil(now.timestamp()) + 1,
            },
        )
        if counted is None and seconds is None:
            return self.rest(1, now)
        return self.rest(closure_seconds(_balance(counted or {}).refusals, seconds), now)

    def rest(self, seconds: int, now: datetime) -> CallsUnavailable:
        """Rest the key for everybody without a refusal; what stands there if that is longer.

        Until a whole second, and never a moment short of it: a call that comes too early would be refused again.
        """
        until = datetime.fromtimestamp(math.ceil(now.timestamp()) + seconds, UTC)
        is_longest = self._update_if(
            "attribute_not_exists(closed_until) OR closed_until < :until",
            UpdateExpression="SET closed_until = :until",
            ExpressionAttributeValues={":until": int(until.timestamp())},
        )
        return self._unavailable(until if is_longest else self.balance().closed_until or until)

    def forget_refusals(self) -> None:
        """Apple answers again: the next rest starts small."""
        self._update_if("attribute_exists(refusals)", UpdateExpression="REMOVE refusals")

    def _book(self, calls: int, most: int, now: datetime) -> dict[str, Any] | None:
        return self._update_if(
            "(attribute_not_exists(used) OR used <= :room)"
            " AND (attribute_not_exists(closed_until) OR closed_until <= :now)",
            UpdateExpression=f"ADD used :calls, m{minute_of(now)} :calls",
            ExpressionAttributeValues={":calls": calls, ":room": most - calls, ":now": int(now.timestamp())},
        )

    def _give_back_old_minutes(self, now: datetime) -> None:
        for minute in self.balance().calls_by_minute:
            if is_given_back(minute, now):
                self._update_if(
                    f"attribute_exists(m{minute})", UpdateExpression=f"SET used = used - m{minute} REMOVE m{minute}"
                )

    def _update_if(self, condition: str, **update: Any) -> dict[str, Any] | None:
        """The item after an update, or None when its condition did not hold."""
        try:
            answer = self._table.update_item(
                Key=self._key, ConditionExpression=condition, ReturnValues="ALL_NEW", **update
            )
        except ClientError as error:
            if is_condition_failure(error):
                return None
            raise
        attributes: dict[str, Any] = answer["Attributes"]
        return attributes

    def _unavailable(self, instant: datetime) -> CallsUnavailable:
        # waiting children come back spread over a few seconds, not all in one
        instant += timedelta(seconds=random.uniform(0, _SPREAD_SECONDS))  # noqa: S311 (not a secret)
        return CallsUnavailable(f"The API key '{self._key_name}' has no calls left.", instant)


class Reservation:
    """The calls of one step: reserved in one go, topped up when they do not suffice, returned when left over.

    Counts what was really called (`made`) and answered with 429 (`refusals`), and remembers whether the hour was used
    up when it asked for calls (`is_exhausted`). A context manager, so that a step that fails returns its rest as well.
    """

    def __init__(
        self,
        budget: CallBudget,
        calls_per_hour: int,
        operation: Operation,
        expected_calls: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._budget = budget
        self._calls_per_hour = calls_per_hour
        self._most = ceiling(calls_per_hour, operation)
        self._chunk = max(expected_calls, 1)
        self._clock = clock
        self._left = 0
        self._minute = 0
        self._balance: Balance | None = None
        self._lowest_remaining: int | None = None
        self._is_answered = False
        self._rest: CallsUnavailable | None = None
        self.made = 0
        self.refusals = 0
        self.is_exhausted = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._left:
            self._budget.give_back(self._left, self._minute)
        if self._is_answered and self._balance is not None:
            self._learn(self._balance)

    def take(self) -> None:
        """Spend one call, or raise CallsUnavailable before it is made."""
        if self._rest is not None:
            raise self._rest
        now = self._clock()
        if self._left and minute_of(now) != self._minute:
            self._carry_over(minute_of(now))
        if not self._left:
            self._balance = self._reserve(now)
            self._minute = minute_of(now)
            self._left = self._chunk
        self._left -= 1
        self.made += 1

    def _reserve(self, now: datetime) -> Balance:
        try:
            return self._budget.reserve(self._chunk, self._most, now)
        except CallsUnavailable:
            closed_until = self._budget.balance().closed_until
            self.is_exhausted = closed_until is None or closed_until <= now
            raise

    def _carry_over(self, minute: int) -> None:
        """Apple counts a call when it is made: what is left belongs to the minute of now, not to the booking's."""
        if not self._budget.move(self._left, self._minute, minute):
            self._left = 0  # after an hour
        self._minute = minute

    def answered(self, limit: Limit) -> None:
        """Learn from an answer's headers: they may only lower what is left.

        An answer that is the minute's last one stands; the next call has to wait.
        """
        self._is_answered = True
        if limit.hour_remaining is not None:
            known = self._lowest_remaining
            self._lowest_remaining = limit.hour_remaining if known is None else min(known, limit.hour_remaining)
        if limit.minute_remaining == 0:
            self._rest = self._budget.rest(_MINUTE_SECONDS, self._clock())

    def refused(self, limit: Limit) -> NoReturn:
        """A 429 closes the key for everybody and says nothing about what was asked for."""
        self._is_answered = False
        self.refusals += 1
        raise self._budget.close(limit.retry_after_seconds, self._clock())

    def _learn(self, balance: Balance) -> None:
        if balance.refusals:
            self._budget.forget_refusals()
        if self._lowest_remaining is not None and balance.used < self._calls_per_hour - self._lowest_remaining:
            self._budget.raise_used(self._calls_per_hour - self._lowest_remaining, self._clock())


def _balance(item: Mapping[str, Any]) -> Balance:
    return Balance(
        used=int(item.get("used", 0)),
        calls_by_minute={int(name[1:]): int(item[name]) for name in item if re.fullmatch(r"m\d+", name)},
        closed_until=datetime.fromtimestamp(int(item["closed_until"]), UTC) if "closed_until" in item else None,
        refusals=int(item.get("refusals", 0)),
    )
