"""The console's bill: every line follows from how people use it and from what an answer takes."""

import json
from pathlib import Path
from typing import Any

import pytest

from appstore_analytics.contract.prices import PRICES, PRICES_OF_THE_CONSOLE, Page
from benchmarks.console_cost import SIZES
from benchmarks.results import CONSOLE_COST, RESULTS
from benchmarks.usage import console_bill
from benchmarks.usage.bill import SECONDS


def kept() -> Any:
    return json.loads(CONSOLE_COST.read_text(encoding="utf-8"))


def test_every_price_of_the_console_names_its_page() -> None:
    assert {type(price.page) for price in PRICES_OF_THE_CONSOLE} == {Page}
    assert not set(PRICES) & set(PRICES_OF_THE_CONSOLE)


def test_a_page_pings_as_often_as_the_bill_says() -> None:
    live = (Path(__file__).parents[3] / "console" / "state" / "live.js").read_text(encoding="utf-8")
    assert f"const PING_EVERY = {console_bill.PING_EVERY_SECONDS}_000;" in live


@pytest.mark.parametrize("apps", SIZES)
def test_the_kept_bill_is_that_of_the_kept_measurement(apps: int) -> None:
    lines = console_bill.month(apps)
    assert {line.price for line in lines} <= {*PRICES, *PRICES_OF_THE_CONSOLE}
    figures = kept()["sizes"][str(apps)]
    assert figures["month_usd"] == pytest.approx(sum(line.us_dollars for line in lines), abs=0.005)
    assert figures["month_with_free_tiers_usd"] < figures["month_usd"]


def test_nobody_who_looks_costs_the_alarms_alone() -> None:
    chapters = (Path(__file__).parents[3] / "docs" / "console.md").read_text().count("\n### appstore-analytics-Console")
    assert chapters == console_bill.ALARMS
    assert kept()["idle_usd"] == pytest.approx(0.10 * chapters)


def test_an_answer_waits_for_sixteen_reads_at_a_time() -> None:
    figures = json.loads((RESULTS / "api.json").read_text(encoding="utf-8"))["apps"]["70"]
    answer = console_bill.measured(70)
    assert answer.reads == pytest.approx(sum(each["s3_reads"] for each in figures["questions"].values()) / 8)
    waits = answer.reads / 16 * SECONDS["a read of S3"] + answer.listings * SECONDS["a write or listing of S3"]
    assert answer.seconds == pytest.approx(answer.cpu_seconds + waits)
