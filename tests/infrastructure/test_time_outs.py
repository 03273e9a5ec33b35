"""However slowly Apple answers, a step ends before its function times out: computed from the longest call."""

from appstore_analytics.apple.client import LONGEST_CALL_SECONDS
from appstore_analytics.apple.segments import LONGEST_SEGMENT_SECONDS
from appstore_analytics.registry.report_requests import LEASE_SECONDS
from appstore_analytics.rules.call_budget import CALLS_OF_A_REGISTRATION, CALLS_OF_A_TABLE
from appstore_analytics.steps import compact_months, download_segments, list_instances
from infra.functions import CAPACITIES

AWS_SECONDS = 60  # for the step's own AWS calls: items, a small object
SECONDS_OF_THE_LARGEST_MONTH = 120  # 25 million rows take 15 seconds of CPU (docs/benchmarks.md), and wait for S3
UPLOAD_SECONDS = 150  # of the largest segment, at 20 MB a second


def time_out_seconds(step: str) -> int:
    return CAPACITIES[step].minutes * 60


def test_a_registration_has_time_for_every_call_it_may_need_and_for_a_fresh_token() -> None:
    calls = CALLS_OF_A_REGISTRATION + 1
    assert calls * LONGEST_CALL_SECONDS + AWS_SECONDS // 2 <= time_out_seconds("register_request")


def test_a_claim_is_not_taken_from_a_function_that_may_still_write() -> None:
    assert time_out_seconds("register_request") < LEASE_SECONDS


def test_a_listing_has_time_for_the_table_it_begins_last() -> None:
    last_table = CALLS_OF_A_TABLE * LONGEST_CALL_SECONDS
    assert list_instances.LISTS_FOR_SECONDS + last_table + AWS_SECONDS <= time_out_seconds("list_instances")


def test_a_listing_reaches_its_first_table_in_every_attempt() -> None:
    """The worst case before the last attempt: the reports of both requests are listed."""
    assert 3 * LONGEST_CALL_SECONDS < list_instances.LISTS_FOR_SECONDS


def test_a_download_that_is_begun_last_ends_in_time_and_on_a_url_that_lives() -> None:
    begun_last = 2 * LONGEST_CALL_SECONDS + download_segments.DOWNLOADS_BEGIN_FOR_SECONDS
    assert begun_last + LONGEST_SEGMENT_SECONDS + UPLOAD_SECONDS <= time_out_seconds("download_segments")
    assert download_segments.DOWNLOADS_BEGIN_FOR_SECONDS + LONGEST_CALL_SECONDS // 2 < 300


def test_a_month_that_is_begun_last_is_whole_before_its_function_times_out() -> None:
    assert time_out_seconds("compact_months") >= compact_months.COMPACTS_FOR_SECONDS + SECONDS_OF_THE_LARGEST_MONTH
