"""The clock that is passed to everything that needs the time."""

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]
"""Answers the time, in UTC. `wiring/clock.py` has the real one; a test or a benchmark passes one that it can move."""
