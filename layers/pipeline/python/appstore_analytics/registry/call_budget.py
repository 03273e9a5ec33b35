"""One call budget per API key, shared by all Lambdas and kept below Apple's rolling hour.

    item   used = 640, m29388241 = 100, m29388242 = 540, closed_until, refusals, hour_limit, doubted_since, doubted_at
    reserve n    one conditional update: ADD used n, m<this minute> n  IF used <= most - n AND NOT closed
                                                                    AND NOT hour_limit < the hour that `most` is part of
    an old minute is given back on the next call: SET used = used - m<minute> REMOVE m<minute>  IF it still exists

So the common case is one write, no writer overwrites another, and a crash costs at most its reservation for an hour.
"""

import math
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from appstore_analytics.contract.errors import CallsUnavailable
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.waits import WaitFor
from appstore_analytics.registry.conditions import is_condition_failure
from appstore_analytics.registry.keys import budget_key
from appstore_analytics.rules.call_budget import (
    available_at,
    ceiling,
    closure_seconds,
    doubted_since,
    hour_of,
    is_given_back,
    minute_of,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_SPREAD_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Balance:
    """A snapshot of the budget: calls reserved per minute, the pause after a 429, refusals in a row.

    `hour_limit` is the key's limit in Apple's answers, None unless it is below the configured one. From `doubted_since`
    to `doubted_at` the key got nothing but 401.
    """

    used: int
    calls_by_minute: Mapping[int, int]
    closed_until: datetime | None
    refusals: int
    hour_limit: int | None
    doubted_since: datetime | None
    doubted_at: datetime | None


class CallBudget:
    """The calls of one API key over the last hour."""

    def __init__(self, table: "Table", key_name: str) -> None:
        self._table = table
        self.key_name = key_name
        self._key = budget_key(key_name)

    def balance(self) -> Balance:
        """The calls that count now; minutes that have not been given back yet still count."""
        return _balance(self._table.get_item(Key=self._key, ConsistentRead=True).get("Item", {}))

    def reserve(self, calls: int, most: int, now: datetime, hour: int = 0) -> Balance:
        """Reserve calls in this minute if at most `most` of the hour are used; returns the new balance.

        CallsUnavailable says when to come back: when the pause after a 429 ends, or when enough of the hour has passed.
        It is also raised while Apple's limit is below `hour`, from which `most` was computed, so that the caller
        computes again.
        """
        booked = self._book(calls, most, now, hour)
        if booked is None:
            self._give_back_old_minutes(now)
            booked = self._book(calls, most, now, hour)
        if booked is None:
            balance = self.balance()
            if balance.closed_until is not None and balance.closed_until > now:
                raise self._throttled(balance.closed_until)
            raise self._used_up(available_at(balance.calls_by_minute, calls, most, now))
        return _balance(booked)

    def most(self, calls_per_hour: int, operation: Operation) -> int:
        """This operation's share of a rolling hour's calls, by Apple's limit if it is known."""
        return ceiling(hour_of(calls_per_hour, self.balance().hour_limit), operation)

    def available_at(self, calls: int, most: int, now: datetime) -> datetime:
        """The time at which this number of calls can be reserved, if no one else calls until then; `now` if it can
        already."""
        balance = self.balance()
        if balance.closed_until is not None and balance.closed_until > now:
            return balance.closed_until
        counting = {
            minute: booked for minute, booked in balance.calls_by_minute.items() if not is_given_back(minute, now)
        }
        return now if sum(counting.values()) + calls <= most else available_at(counting, calls, most, now)

    def give_back(self, calls: int, minute: int) -> None:
        """Return the unused calls of a reservation."""
        self._update_if(
            f"attribute_exists(m{minute})",
            UpdateExpression=f"ADD used :minus, m{minute} :minus",
            ExpressionAttributeValues={":minus": -calls},
        )

    def move(self, calls: int, minute: int, to: int) -> bool:
        """Move reserved calls to another minute; False if their own minute has been given back in the meantime."""
        moved = self._update_if(
            f"attribute_exists(m{minute})",
            UpdateExpression=f"ADD m{minute} :minus, m{to} :calls",
            ExpressionAttributeValues={":minus": -calls, ":calls": calls},
        )
        return moved is not None

    def raise_used(self, used: int, now: datetime) -> None:
        """Count at least `used` calls, because Apple does: another program uses the key as well.

        Conditional on the balance just read; the loser of that race learns from the next answer.
        """
        seen = self.balance().used
        if used > seen:
            self._update_if(
                "used = :seen",
                UpdateExpression=f"ADD m{minute_of(now)} :more, used :more",
                ExpressionAttributeValues={":more": used - seen, ":seen": seen},
            )

    def close(self, seconds: int | None, now: datetime) -> CallsUnavailable:
        """Pause the key for all functions, because Apple answered 429; a longer current pause is kept.

        `seconds` is what Apple asks for, an hour at most, because its quota is hourly; without it the pause doubles
        with every refusal in a row. Calls that were in flight when the first was refused are refused as well; together
        they are one refusal, so the first closes the key in the same write that counts it.
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
        """Pause the key for all functions without a refusal, unless the current pause is longer. Returns the pause's
        end.

        It ends on a whole second, rounded up: a call that comes too early would be refused again.
        """
        until = datetime.fromtimestamp(math.ceil(now.timestamp()) + seconds, UTC)
        is_longest = self._update_if(
            "attribute_not_exists(closed_until) OR closed_until < :until",
            UpdateExpression="SET closed_until = :until",
            ExpressionAttributeValues={":until": int(until.timestamp())},
        )
        return self._throttled(until if is_longest else self.balance().closed_until or until)

    def learn_limit(self, hour_limit: int) -> None:
        """Record Apple's limit of the key; the newest answer wins."""
        self._table.update_item(
            Key=self._key,
            UpdateExpression="SET hour_limit = :limit",
            ExpressionAttributeValues={":limit": hour_limit},
        )

    def doubt(self, now: datetime) -> datetime:
        """Record a 401 for a fresh token. Returns since when the key has got nothing else."""
        balance = self.balance()
        since = doubted_since(balance.doubted_since, balance.doubted_at, now)
        self._table.update_item(
            Key=self._key,
            UpdateExpression="SET doubted_since = :since, doubted_at = :now",
            ExpressionAttributeValues={":since": int(since.timestamp()), ":now": int(now.timestamp())},
        )
        return since

    def forget_refusals(self) -> None:
        """Apple accepts calls again: the next pause starts small, and the key is no longer doubted."""
        self._update_if(
            "attribute_exists(refusals) OR attribute_exists(doubted_since)",
            UpdateExpression="REMOVE refusals, doubted_since, doubted_at",
        )

    def _book(self, calls: int, most: int, now: datetime, hour: int) -> dict[str, Any] | None:
        return self._update_if(
            "(attribute_not_exists(used) OR used <= :room)"
            " AND (attribute_not_exists(closed_until) OR closed_until <= :now)"
            " AND (attribute_not_exists(hour_limit) OR hour_limit >= :hour)",
            UpdateExpression=f"ADD used :calls, m{minute_of(now)} :calls",
            ExpressionAttributeValues={
                ":calls": calls,
                ":room": most - calls,
                ":now": int(now.timestamp()),
                ":hour": hour,
            },
        )

    def _give_back_old_minutes(self, now: datetime) -> None:
        for minute in self.balance().calls_by_minute:
            if is_given_back(minute, now):
                self._update_if(
                    f"attribute_exists(m{minute})", UpdateExpression=f"SET used = used - m{minute} REMOVE m{minute}"
                )

    def _update_if(self, condition: str, **update: Any) -> dict[str, Any] | None:
        """The item after an update, or None if its condition failed."""
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

    def _used_up(self, instant: datetime) -> CallsUnavailable:
        sentence = f"The API key '{self.key_name}' has no calls left in Apple's hour."
        return CallsUnavailable(sentence, _spread(instant), WaitFor.APPLES_HOUR)

    def _throttled(self, instant: datetime) -> CallsUnavailable:
        sentence = f"Apple throttles the API key '{self.key_name}'."
        return CallsUnavailable(sentence, _spread(instant), WaitFor.APPLES_THROTTLING)


def _spread(instant: datetime) -> datetime:
    """Spreads waiting children over a few seconds."""
    return instant + timedelta(seconds=random.uniform(0, _SPREAD_SECONDS))  # noqa: S311 (not a secret)


def _balance(item: Mapping[str, Any]) -> Balance:
    return Balance(
        used=int(item.get("used", 0)),
        calls_by_minute={int(name[1:]): int(item[name]) for name in item if re.fullmatch(r"m\d+", name)},
        closed_until=_instant(item, "closed_until"),
        refusals=int(item.get("refusals", 0)),
        hour_limit=int(item["hour_limit"]) if "hour_limit" in item else None,
        doubted_since=_instant(item, "doubted_since"),
        doubted_at=_instant(item, "doubted_at"),
    )


def _instant(item: Mapping[str, Any], name: str) -> datetime | None:
    return datetime.fromtimestamp(int(item[name]), UTC) if name in item else None
