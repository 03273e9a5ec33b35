"""The web console's bill, apart from the pipeline's, for a month in which a few people use it.

`python -m benchmarks.api` has measured the time and the reads of an answer. How often people use the console is
assumed. The cache of a warm function is not subtracted: each page costs as much as the first one.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import mean
from typing import Any

from appstore_analytics.contract import prices
from appstore_analytics.contract.prices import DAYS_OF_A_MONTH, Price
from appstore_analytics.lake.kpis.reader import READS_AT_ONCE
from benchmarks.results import RESULTS
from benchmarks.usage.bill import LOG_BYTES_OF_A_CALL, SECONDS, VCPU_GB, Line

ALARMS = 2
MEMORY_GB = VCPU_GB
"""Almost all calls are to console_read, which has one vCPU."""

PING_EVERY_SECONDS = 45
"""What console/state/live.js does; a test compares."""

_BYTES_OF_THE_ACCESS_LOG = 400
_MESSAGES_OF_A_PING = 2  # API Gateway itself answers it, without a function
_UNITS_OF_A_TRANSACTION = 1.0
_GIGABYTE = 1e9


@dataclass(frozen=True, slots=True)
class Use:
    """How people use the console; all of it is assumed."""

    people: int = 5
    pages_a_day: int = 200
    requests_of_a_page: int = 6
    hours_open_a_day: float = 4
    nudges_a_day: int = 200
    actions_a_day: int = 10
    starts_a_day: int = 40


USE = Use()


def stated() -> Iterator[tuple[str, str]]:
    """`USE` in words."""
    yield "people, each with the console open", f"{USE.people}, {USE.hours_open_a_day:g} hours a day"
    yield "pages a day, all people together", f"{USE.pages_a_day}, {USE.requests_of_a_page} requests each"
    yield "nudges, actions, cold starts a day", f"{USE.nudges_a_day}, {USE.actions_a_day}, {USE.starts_a_day}"


def month(apps: int) -> list[Line]:
    """The console's bill for a month; `apps` is a size that the benchmark of the API has measured."""
    return [Line(price, count) for price, count in _counts(measured(apps))]


def idle() -> list[Line]:
    """The bill without any use."""
    return [Line(prices.ALARMS, ALARMS)]


@dataclass(frozen=True, slots=True)
class Answer:
    """The average answer to the questions of the pages."""

    cpu_seconds: float
    reads: float
    listings: float
    start_cpu_seconds: float

    @property
    def seconds(self) -> float:
        """CPU time and waits for S3."""
        waits = (self.reads / READS_AT_ONCE) * SECONDS["a read of S3"]
        return self.cpu_seconds + waits + self.listings * SECONDS["a write or listing of S3"]


def measured(apps: int) -> Answer:
    """The average over the stored result of the benchmark."""
    figures: Mapping[str, Any] = json.loads((RESULTS / "api.json").read_text(encoding="utf-8"))["apps"][str(apps)]
    questions = figures["questions"].values()
    return Answer(
        mean(each["cold_cpu_seconds"] for each in questions),
        mean(each["s3_reads"] for each in questions),
        mean(each["s3_listings"] for each in questions),
        figures["cold_start"]["imports_cpu_seconds"],
    )


def _counts(answer: Answer) -> Iterator[tuple[Price, float]]:
    requests = USE.pages_a_day * USE.requests_of_a_page * DAYS_OF_A_MONTH
    minutes = USE.people * USE.hours_open_a_day * 60 * DAYS_OF_A_MONTH
    nudges = USE.nudges_a_day * DAYS_OF_A_MONTH
    messages = minutes * 60 / PING_EVERY_SECONDS * _MESSAGES_OF_A_PING + nudges * USE.people
    starts = USE.starts_a_day * DAYS_OF_A_MONTH
    tickets = USE.pages_a_day * DAYS_OF_A_MONTH
    yield prices.ALARMS, ALARMS
    yield prices.HTTP_API_REQUESTS, requests
    yield prices.LAMBDA_CALLS, requests + tickets * 2 + nudges
    yield prices.LAMBDA_GB_SECONDS, (requests * answer.seconds + starts * answer.start_cpu_seconds) * MEMORY_GB
    yield prices.S3_READS, requests * answer.reads
    yield prices.S3_WRITES, requests * answer.listings
    yield prices.WEBSOCKET_MESSAGES, messages
    yield prices.WEBSOCKET_MINUTES, minutes
    yield prices.PEOPLE_A_MONTH, USE.people
    yield prices.DYNAMODB_WRITES, tickets * 4
    yield prices.DSQL_UNITS, (tickets + USE.actions_a_day * 2 * DAYS_OF_A_MONTH) * _UNITS_OF_A_TRANSACTION
    yield prices.DSQL_GB_MONTHS, 0.01
    yield prices.LOG_GB, requests * (_BYTES_OF_THE_ACCESS_LOG + LOG_BYTES_OF_A_CALL) / _GIGABYTE
    yield prices.TRACES, requests  # the first of each second is sampled, and there are hardly more
