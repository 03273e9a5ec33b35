import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.contract.configuration import Account, Configuration
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.maps import MAPS, MOST_ITEMS_OF_A_PASS, MapName, Outcome, step_result
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.model.items import Item, LandItem, PublishItem, RegisterItem, RestoreItem, VerifyItem
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.registry.keys import item_key
from local.aws.histories import LARGEST_DATA_BYTES

TEXTS = st.text(max_size=8)
NAMES = st.lists(TEXTS, max_size=3).map(tuple)
INSTANTS = st.datetimes(timezones=st.just(UTC))
ACCOUNTS = st.lists(st.builds(Account, TEXTS, NAMES), max_size=3).map(tuple)
GRANULARITIES = st.lists(st.sampled_from(Granularity), max_size=3).map(tuple)
CONFIGURATIONS = st.builds(Configuration, ACCOUNTS, NAMES, GRANULARITIES, st.integers(), st.integers())
PLANS = st.builds(
    RunPlan,
    run_id=TEXTS,
    operation=st.sampled_from(Operation),
    as_of=st.dates(),
    started_at=INSTANTS,
    accounts=ACCOUNTS,
    reports=NAMES,
    granularities=GRANULARITIES,
    calls_per_hour=st.integers(),
    start_date=st.none() | st.dates(),
    end_date=st.none() | st.dates(),
    give_up_at=st.none() | INSTANTS,
    of_run=st.none() | TEXTS,
    start_processing_date=st.none() | st.dates(),
    end_processing_date=st.none() | st.dates(),
)
VINTAGE = Vintage(date(2025, 6, 2), AccessType.ONGOING, "i-1")
ITEMS = {
    RegisterItem("r-1", "main", "1000000001"): "REGISTER#1000000001",
    RestoreItem("r-1", "main", "1000000001", VINTAGE, "r-0"): "RESTORE#1000000001#INSTANCE#ONGOING#2025-06-02#i-1",
    LandItem("r-1", "main", "1000000001", VINTAGE): "LAND#1000000001#INSTANCE#ONGOING#2025-06-02#i-1",
    PublishItem("r-1", "downloads", "2025-06-02"): "PUBLISH#downloads#2025-06-02",
    VerifyItem("r-1", "downloads"): "VERIFY#downloads",
}


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


@given(PLANS)
def test_a_plan_is_read_as_it_was_written(plan: RunPlan) -> None:
    read = RunPlan.from_json(through_json(plan.to_json()))
    assert read == plan
    assert isinstance(read.operation, Operation)
    assert all(isinstance(each, Granularity) for each in read.granularities)


@given(CONFIGURATIONS)
def test_a_configuration_is_read_as_it_was_deployed(configuration: Configuration) -> None:
    read = Configuration.from_payload(through_json(configuration.to_payload()))
    assert read == configuration
    assert hash(read) == hash(configuration)  # tuples all the way down


def test_a_backfill_stands_on_a_snapshot_and_a_daily_run_on_the_ongoing_request() -> None:
    started = datetime(2025, 6, 2, 10, tzinfo=UTC)
    plan = RunPlan("r-1", Operation.DAILY, started.date(), started, (), (), (), 3500)
    assert plan.access_type is AccessType.ONGOING
    assert replace(plan, operation=Operation.BACKFILL).access_type is AccessType.ONE_TIME_SNAPSHOT


def test_every_map_has_its_row_and_its_item() -> None:
    assert [item.map_name for item in ITEMS] == list(MAPS) == list(MapName)


@pytest.mark.parametrize(("item", "record"), ITEMS.items(), ids=[item.map_name for item in ITEMS])
def test_an_item_is_read_from_its_event_whatever_else_the_state_carries(item: Item, record: str) -> None:
    event = through_json(item.to_event())
    read = type(item).from_event({**event, "record": "forged", "outcome": "next"})
    assert read == item
    assert item_key(read) == {"pk": "RUN#r-1", "sk": record}
    assert all(isinstance(value, str) for value in event.values())


def test_the_date_to_publish_is_that_of_the_item() -> None:
    assert PublishItem("r-1", "downloads", "2025-06-02").table_date == TableDate("downloads", date(2025, 6, 2))


def test_a_step_without_a_wait_returns_its_outcome_only() -> None:
    assert through_json(step_result(Outcome.NEXT)) == {"outcome": "next"}
    assert through_json(step_result(Outcome.DONE)) == {"outcome": "done"}


@pytest.mark.parametrize(("microsecond", "second"), [(0, 7), (1, 8), (999_999, 8)])
def test_a_wait_state_reads_utc_in_whole_seconds_that_are_never_too_early(microsecond: int, second: int) -> None:
    available_at = datetime(2025, 6, 2, 10, 5, 7, microsecond, tzinfo=UTC)
    assert through_json(step_result(Outcome.WAIT, available_at)) == {
        "outcome": "wait",
        "available_at": f"2025-06-02T10:05:0{second}Z",
    }


def test_what_went_wrong_is_a_failure_and_what_is_only_early_or_old_is_none() -> None:
    assert {verdict.value for verdict in Verdict if not verdict.is_failure} == {
        "ready",
        "converted",
        "published",
        "verified",
        "unchanged",
        "rolled back",
        "superseded",
        "not ready",
        "expired",
    }


def test_the_results_of_the_largest_map_are_less_than_a_state_may_carry() -> None:
    assert len(json.dumps([{}] * MOST_ITEMS_OF_A_PASS)) < LARGEST_DATA_BYTES
