"""The clock and reservations of the call budget's tests."""

from datetime import UTC, datetime, timedelta

from appstore_analytics.contract.operations import Operation
from appstore_analytics.registry.call_budget import CallBudget
from appstore_analytics.registry.reservation import Reservation
from tests.clock import Clock

NOW = datetime(2025, 6, 2, 10, 0, 30, tzinfo=UTC)


MINUTE = timedelta(minutes=1)


def reservation(budget: CallBudget, clock: Clock, expected: int = 1, calls_per_hour: int = 100) -> Reservation:
    return Reservation(budget, calls_per_hour, Operation.DAILY, expected, clock)
