from datetime import date

import pytest

from appstore_analytics.contract.catalogue import REPORTS

DOWNLOADS = "App Downloads Detailed"
CRASHES = "App Crashes"


def test_one_request_yields_every_report_on_one_page_of_two_hundred(client):
    request_id = client.created()
    reports = client.data(f"/v1/analyticsReportRequests/{request_id}/reports", limit=200)
    assert {each["attributes"]["name"] for each in reports} == {report.name for report in REPORTS}
    assert all(each["id"].endswith(f"-{request_id}") and each["id"][0] == "r" for each in reports)


def test_reports_are_found_by_name_and_category(client):
    request_id = client.created()
    path = f"/v1/analyticsReportRequests/{request_id}/reports"
    (report,) = client.data(path, filter__name=CRASHES)
    assert report["attributes"] == {"name": CRASHES, "category": "APP_USAGE"}
    commerce = client.data(path, filter__category="COMMERCE", limit=200)
    assert {each["attributes"]["category"] for each in commerce} == {"COMMERCE"}
    assert client.get(path, filter__category="GAMES").status_code == 400


def test_the_first_instance_comes_when_the_request_is_ready(start):
    client = start(readiness_days=2)
    request_id = client.created()
    client.world.advance(1)
    assert client.instances(request_id, CRASHES) == {}
    client.world.advance(1)
    assert set(client.instances(request_id, CRASHES)) == {"2026-06-03"}


def test_there_is_a_daily_instance_for_each_day(client):
    request_id = client.created()
    client.world.advance(4)
    found = client.instances(request_id, CRASHES, filter__granularity="DAILY")
    assert set(found) == {"2026-06-02", "2026-06-03", "2026-06-04", "2026-06-05"}
    one = client.instances(request_id, CRASHES, filter__processingDate="2026-06-03", filter__granularity="DAILY")
    assert one == {"2026-06-03": found["2026-06-03"]}
    report = client.report_id(request_id, CRASHES)
    assert client.get(f"/v1/analyticsReports/{report}/instances", filter__processingDate="soon").status_code == 400


def test_weeks_come_on_friday_with_the_monday_as_date(client):
    request_id = client.created()
    client.world.advance(20)
    weekly = client.instances(request_id, CRASHES, filter__granularity="WEEKLY")
    assert set(weekly) == {"2026-06-05", "2026-06-12", "2026-06-19"}
    assert set(client.rows_by_date(weekly["2026-06-19"])) == {"2026-06-08"}


def test_months_come_on_the_fifth_with_the_first_as_date(client):
    request_id = client.created()
    client.world.advance(35)
    monthly = client.instances(request_id, CRASHES, filter__granularity="MONTHLY")
    assert set(monthly) == {"2026-06-05", "2026-07-05"}
    assert set(client.rows_by_date(monthly["2026-07-05"])) == {"2026-06-01"}


def test_a_daily_instance_holds_several_dates_and_the_newer_one_restates_the_older_dates(client):
    request_id = client.created()
    client.world.advance(2)
    found = client.instances(request_id, DOWNLOADS, filter__granularity="DAILY")
    older, newer = (client.rows_by_date(found[day]) for day in ("2026-06-02", "2026-06-03"))
    assert set(older) == {"2026-05-30", "2026-05-31", "2026-06-01"}
    assert set(newer) == {"2026-05-31", "2026-06-01", "2026-06-02"}
    assert len(newer["2026-06-01"]) > len(older["2026-06-01"])
    assert counts(newer["2026-06-01"]) > counts(older["2026-06-01"])


def counts(rows: list[list[str]]) -> int:
    return sum(int(row[-1]) for row in rows)


def test_dates_reach_back_to_the_completeness_window_when_no_number_is_set(start):
    client = start(dates_per_instance=None)
    request_id = client.created()
    client.world.advance(1)
    (downloads,) = client.instances(request_id, DOWNLOADS, filter__granularity="DAILY").values()
    (crashes,) = client.instances(request_id, CRASHES, filter__granularity="DAILY").values()
    assert len(client.rows_by_date(downloads)) == 2
    assert len(client.rows_by_date(crashes)) == 5


def test_an_instance_expires_after_35_days_while_it_is_still_listed(client):
    request_id = client.created()
    client.world.advance(1)
    (instance_id,) = client.instances(request_id, CRASHES).values()
    client.world.advance(35)
    assert client.get(f"/v1/analyticsReportInstances/{instance_id}/segments").status_code == 200
    client.world.advance(1)
    assert instance_id in client.instances(request_id, CRASHES, filter__granularity="DAILY").values()
    answer = client.get(f"/v1/analyticsReportInstances/{instance_id}/segments")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "NOT_FOUND")
    client.world.advance(5)
    assert instance_id not in client.instances(request_id, CRASHES, filter__granularity="DAILY").values()


def test_a_snapshot_holds_all_history_to_the_request_day_with_half_filled_last_days(start):
    client = start(history_start=date(2026, 5, 1))
    snapshot, ongoing = client.created("ONE_TIME_SNAPSHOT"), client.created()
    client.world.advance(5)
    (instance_id,) = client.instances(snapshot, DOWNLOADS, filter__granularity="DAILY").values()
    rows = client.rows_by_date(instance_id)
    assert (min(rows), max(rows), len(rows)) == ("2026-05-01", "2026-06-01", 32)
    final = client.rows_by_date(client.instances(ongoing, DOWNLOADS, filter__granularity="DAILY")["2026-06-04"])
    assert counts(rows["2026-06-01"]) < counts(final["2026-06-01"])


def test_a_complete_date_is_the_same_in_snapshot_and_daily_feed(client):
    snapshot, ongoing = client.created("ONE_TIME_SNAPSHOT"), client.created()
    client.world.advance(1)
    (history,) = client.instances(snapshot, DOWNLOADS, filter__granularity="DAILY").values()
    (daily,) = client.instances(ongoing, DOWNLOADS, filter__granularity="DAILY").values()
    assert client.rows_by_date(history)["2026-05-30"] == client.rows_by_date(daily)["2026-05-30"]


def test_no_list_promises_the_order_of_processing_dates(client):
    request_id = client.created()
    client.world.advance(20)
    report = client.report_id(request_id, CRASHES)
    listed = client.data(f"/v1/analyticsReports/{report}/instances", filter__granularity="DAILY")
    days = [each["attributes"]["processingDate"] for each in listed]
    assert days != sorted(days)
    assert days != sorted(days, reverse=True)


def test_some_instances_are_without_rows_without_file_or_missing_when_asked_for(start):
    empty = start(header_only_share=1.0)
    request_id = empty.created()
    empty.world.advance(1)
    assert len(empty.lines(empty.instances(request_id, CRASHES)["2026-06-02"])) == 1
    bare = start(no_segments_share=1.0)
    bare.created()
    bare.world.advance(1)
    assert bare.segments(bare.instances(request_id, CRASHES)["2026-06-02"]) == []
    missing = start(missing_share=1.0)
    missing.created()
    missing.world.advance(1)
    assert missing.instances(request_id, CRASHES) == {}


@pytest.mark.parametrize("path", ["analyticsReports/r999-x/instances", "analyticsReportInstances/x/segments", "games"])
def test_what_does_not_exist_is_not_found(client, path):
    answer = client.get(f"/v1/{path}")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "NOT_FOUND")
