from datetime import UTC, date, datetime, timedelta

import pytest

from appstore_analytics.contract.catalogue import REPORTS
from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.errors import ClaimHeld
from appstore_analytics.model.requests import Asked, Claim
from appstore_analytics.registry import Registry
from appstore_analytics.registry.keys import request_key
from appstore_analytics.registry.report_requests import LEASE_SECONDS
from appstore_analytics.registry.wishes import outlived
from tests.aws_in_process import in_threads

APP = "1000000001"
NOW = datetime(2025, 6, 2, 10, 0, tzinfo=UTC)
TODAY = date(2025, 6, 2)
AFTER_THE_LEASE = NOW + timedelta(seconds=LEASE_SECONDS + 1)
ONGOING = AccessType.ONGOING


def write_back(registry: Registry, claim: Claim, request_id: str, day: date = TODAY) -> None:
    registry.report_requests.write_back(claim, request_id, requested_on=day, run_id="run-1", looked_on=day)


def test_an_unknown_app_has_an_empty_request(registry: Registry) -> None:
    known = registry.report_requests.get(APP, ONGOING)
    assert known.request_id is None
    assert known.asked == ()


def test_of_fifty_threads_one_gets_the_claim(registry: Registry) -> None:
    results = in_threads(lambda _: registry.report_requests.claim(APP, ONGOING, NOW), 50)
    assert sum(isinstance(result, Claim) for result in results) == 1
    assert sum(isinstance(result, ClaimHeld) for result in results) == 49


def test_whoever_meets_a_claim_comes_back_soon_and_at_the_latest_after_the_lease(registry: Registry) -> None:
    registry.report_requests.claim(APP, ONGOING, NOW)
    with pytest.raises(ClaimHeld) as soon:
        registry.report_requests.claim(APP, ONGOING, NOW)
    assert NOW < soon.value.available_at <= NOW + timedelta(seconds=10)
    shortly_before = NOW + timedelta(seconds=LEASE_SECONDS - 1)
    with pytest.raises(ClaimHeld) as late:
        registry.report_requests.claim(APP, ONGOING, shortly_before)
    assert late.value.available_at == AFTER_THE_LEASE


def test_apps_and_access_types_are_claimed_apart(registry: Registry) -> None:
    registry.report_requests.claim(APP, ONGOING, NOW)
    registry.report_requests.claim(APP, AccessType.ONE_TIME_SNAPSHOT, NOW)
    registry.report_requests.claim("1000000002", ONGOING, NOW)


def test_write_back_remembers_the_request_and_gives_the_claim_back(registry: Registry) -> None:
    write_back(registry, registry.report_requests.claim(APP, ONGOING, NOW), "request-1")
    known = registry.report_requests.claim(APP, ONGOING, NOW).known
    assert (known.request_id, known.requested_on, known.looked_on) == ("request-1", TODAY, TODAY)
    assert known.created_in_run == "run-1"


def test_a_released_claim_is_free_and_changes_nothing(registry: Registry) -> None:
    write_back(registry, registry.report_requests.claim(APP, ONGOING, NOW), "request-1")
    before = registry.report_requests.get(APP, ONGOING)
    registry.report_requests.release(registry.report_requests.claim(APP, ONGOING, NOW))
    assert registry.report_requests.claim(APP, ONGOING, NOW).known == before


def test_a_dead_owners_claim_is_free_after_its_lease(registry: Registry) -> None:
    registry.report_requests.claim(APP, ONGOING, NOW)
    write_back(registry, registry.report_requests.claim(APP, ONGOING, AFTER_THE_LEASE), "request-2")
    assert registry.report_requests.get(APP, ONGOING).request_id == "request-2"


def test_an_owner_that_lost_its_lease_can_neither_write_nor_release(registry: Registry) -> None:
    lost = registry.report_requests.claim(APP, ONGOING, NOW)
    claim = registry.report_requests.claim(APP, ONGOING, AFTER_THE_LEASE)
    with pytest.raises(ClaimHeld, match=APP):
        write_back(registry, lost, "request-1")
    with pytest.raises(ClaimHeld):
        registry.report_requests.release(lost)
    write_back(registry, claim, "request-2")
    assert registry.report_requests.get(APP, ONGOING).request_id == "request-2"


def test_seeing_the_same_request_again_keeps_when_it_was_requested(registry: Registry) -> None:
    write_back(registry, registry.report_requests.claim(APP, ONGOING, NOW), "request-1")
    registry.report_requests.remember_offer(
        registry.report_requests.get(APP, ONGOING), {"App Crashes": "r1"}, (), TODAY
    )
    claim = registry.report_requests.claim(APP, ONGOING, NOW)
    later = TODAY + timedelta(days=7)
    registry.report_requests.write_back(claim, "request-1", requested_on=None, run_id=None, looked_on=later)
    known = registry.report_requests.get(APP, ONGOING)
    assert (known.requested_on, known.looked_on, known.created_in_run) == (TODAY, later, "run-1")
    assert known.report_ids == {"App Crashes": "r1"}


def test_another_request_forgets_the_report_ids_of_the_one_before(registry: Registry) -> None:
    write_back(registry, registry.report_requests.claim(APP, ONGOING, NOW), "request-1")
    stale = registry.report_requests.get(APP, ONGOING)
    registry.report_requests.remember_offer(stale, {"App Crashes": "r1"}, (), TODAY)
    write_back(registry, registry.report_requests.claim(APP, ONGOING, NOW), "request-2")
    assert registry.report_requests.get(APP, ONGOING).report_ids == {}
    registry.report_requests.remember_offer(stale, {"App Crashes": "r1"}, (), TODAY)
    registry.report_requests.remember_newest_instance(stale, TODAY)
    registry.report_requests.forget(stale)
    known = registry.report_requests.get(APP, ONGOING)
    assert (known.report_ids, known.newest_instance, known.looked_on) == ({}, None, TODAY)


def test_a_request_that_apple_no_longer_knows_is_looked_at_again(registry: Registry) -> None:
    write_back(registry, registry.report_requests.claim(APP, ONGOING, NOW), "request-1")
    known = registry.report_requests.get(APP, ONGOING)
    registry.report_requests.remember_newest_instance(known, TODAY)
    registry.report_requests.forget(known)
    known = registry.report_requests.get(APP, ONGOING)
    assert (known.request_id, known.looked_on, known.newest_instance) == ("request-1", None, TODAY)


def test_asking_twice_is_asking_once(registry: Registry) -> None:
    wish = Asked("App Crashes", date(2025, 1, 1), date(2025, 1, 31), TODAY)
    other = Asked("App Crashes", date(2025, 2, 1), date(2025, 2, 28), TODAY)
    registry.report_requests.ask(APP, (wish,))
    registry.report_requests.ask(APP, (other, wish))
    assert registry.report_requests.get(APP, AccessType.ONE_TIME_SNAPSHOT).asked == (wish, other)
    assert registry.report_requests.get(APP, ONGOING).asked == ()


def asked_of(registry: Registry) -> tuple[Asked, ...]:
    return registry.report_requests.get(APP, AccessType.ONE_TIME_SNAPSHOT).asked


def test_five_hundred_backfills_of_all_reports_are_few_bytes_and_every_wish_is_read_again(registry: Registry) -> None:
    starts = [date(2024, 1, 1) + timedelta(days=number) for number in range(500)]
    wishes = [Asked(each.name, start, start + timedelta(days=9), TODAY) for start in starts for each in REPORTS]
    for first in range(0, len(wishes), 100 * len(REPORTS)):  # at once, because the test's DynamoDB is slow
        registry.report_requests.ask(APP, tuple(wishes[first : first + 100 * len(REPORTS)]))
    assert asked_of(registry) == tuple(sorted(wishes))
    (item,) = registry.table.scan()["Items"]
    assert sum(map(len, (*item["wishes"], *item["asked_reports"]))) < 60_000  # of 400 KB


def test_backfills_that_ask_at_once_lose_no_wish(registry: Registry) -> None:
    def ask(number: int) -> None:
        wish = Asked(REPORTS[number].name, date(2025, 1, 1), date(2025, 1, 1 + number), TODAY)
        registry.report_requests.ask(APP, (wish,))

    in_threads(ask, 12)
    found = {(wish.report, wish.end_date.day) for wish in asked_of(registry)}
    assert found == {(REPORTS[number].name, 1 + number) for number in range(12)}


def test_a_wish_that_no_instance_can_fulfil_any_more_is_dropped_by_the_next_one(registry: Registry) -> None:
    old = Asked("App Crashes", date(2023, 1, 1), date(2023, 1, 31), TODAY - timedelta(days=401))
    kept = Asked("App Crashes", date(2024, 1, 1), date(2024, 1, 31), TODAY - timedelta(days=400))
    new = Asked("App Opt In", date(2025, 1, 1), date(2025, 1, 31), TODAY)
    for wish in (old, kept, new):
        registry.report_requests.ask(APP, (wish,))
    assert asked_of(registry) == (kept, new)


def test_of_far_too_many_wishes_the_newest_are_kept() -> None:
    wishes = {f"2025-01-01|2025-01-31|{date(2024, 12, 1) + timedelta(days=n // 20)}|{n:x}" for n in range(1, 4001)}
    dropped = outlived(wishes, date(2025, 6, 19))
    assert len(wishes - dropped) == 3000
    assert max(wish.split("|")[2] for wish in dropped) <= min(wish.split("|")[2] for wish in wishes - dropped)


def test_wishes_of_version_0_1_0_are_read_and_written_anew_by_the_next_backfill(registry: Registry) -> None:
    former = Asked("App Crashes", date(2025, 1, 1), date(2025, 1, 31), date(2025, 5, 31))
    key = request_key(APP, AccessType.ONE_TIME_SNAPSHOT)
    registry.table.put_item(Item={**key, "asked": {"App Crashes|2025-01-01|2025-01-31|2025-05-31"}})
    assert asked_of(registry) == (former,)
    new = Asked("App Opt In", date(2025, 1, 1), date(2025, 1, 31), TODAY)
    registry.report_requests.ask(APP, (new,))
    assert asked_of(registry) == (former, new)
    (item,) = registry.table.scan()["Items"]
    assert "asked" not in item


def test_a_wish_covers_both_ends() -> None:
    wish = Asked("App Crashes", date(2025, 1, 1), date(2025, 1, 31), TODAY)
    assert wish.dates == "2025-01-01/2025-01-31"
    covered = [wish.covers(wish.start_date), wish.covers(wish.end_date), wish.covers(date(2025, 2, 1))]
    assert covered == [True, True, False]
