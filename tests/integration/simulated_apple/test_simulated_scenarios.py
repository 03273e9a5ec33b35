from datetime import date
from decimal import Decimal

import pytest

from appstore_analytics.contract.catalogue import REPORTS_BY_NAME
from appstore_analytics.contract.catalogue.definition import Granularity
from local.apple.model import Series
from local.apple.truth import every_vintage, newest_vintages

DOWNLOADS = "App Downloads Standard"
SERIES = Series("1000000001", DOWNLOADS, Granularity.DAILY)
CONTROL = "https://api.appstoreconnect.apple.com/_control"


@pytest.fixture
def request_id(client):
    request_id = client.created()
    client.world.advance(10)
    return request_id


def test_a_restated_date_comes_with_the_next_instance_with_other_counts_and_fewer_rows(client, request_id):
    before = client.rows_by_date(client.instances(request_id, DOWNLOADS)["2026-06-04"])["2026-06-01"]
    client.world.restate(SERIES, date(2026, 6, 1))
    client.world.advance(1)
    found = client.instances(request_id, DOWNLOADS)
    after = client.rows_by_date(found["2026-06-12"])
    assert set(after) == {"2026-06-01", "2026-06-09", "2026-06-10", "2026-06-11"}
    assert len(after["2026-06-01"]) < len(before)
    assert not {tuple(row) for row in after["2026-06-01"]} <= {tuple(row) for row in before}
    assert client.rows_by_date(found["2026-06-03"])["2026-06-01"] == before
    client.world.advance(1)
    assert "2026-06-01" not in client.rows_by_date(client.instances(request_id, DOWNLOADS)["2026-06-13"])


def test_a_restated_week_comes_with_the_next_week(client, request_id):
    weekly = Series("1000000001", "App Crashes", Granularity.WEEKLY)
    client.world.restate(weekly, date(2026, 5, 25))
    client.world.advance(8)
    found = client.instances(request_id, "App Crashes", filter__granularity="WEEKLY")
    assert set(client.rows_by_date(found["2026-06-12"])) == {"2026-05-25", "2026-06-01"}
    assert set(client.rows_by_date(found["2026-06-19"])) == {"2026-06-08"}


def test_a_released_version_is_used_from_its_day_on(client, request_id):
    client.world.release_version("1000000001", "5.0")
    released_on = client.world.today
    client.world.advance(2)
    newest = client.instances(request_id, "App Sessions Standard")[client.world.today.isoformat()]
    rows = client.rows_by_date(newest)
    used = {day: any("5.0" in row for row in of_day) for day, of_day in rows.items()}
    assert used == {day: date.fromisoformat(day) >= released_on for day in rows}
    assert set(used.values()) == {True, False}


def test_an_instance_can_appear_behind_younger_ones(client, request_id):
    client.world.delay_instance(SERIES, date(2026, 6, 12), date(2026, 6, 14))
    client.world.advance(2)
    assert {"2026-06-12", "2026-06-13"} & set(client.instances(request_id, DOWNLOADS)) == {"2026-06-13"}
    client.world.advance(1)
    assert "2026-06-12" in client.instances(request_id, DOWNLOADS)


def test_a_late_instance_with_an_older_processing_date_appears_now(client, request_id):
    client.world.add_late_instance(SERIES, date(2026, 5, 31), (date(2026, 5, 30),))
    late = client.instances(request_id, DOWNLOADS)["2026-05-31"]
    assert set(client.rows_by_date(late)) == {"2026-05-30"}
    with pytest.raises(ValueError, match="published already"):
        client.world.add_late_instance(SERIES, date(2026, 6, 5))


def test_a_repeated_instance_and_a_skipped_date(client, request_id):
    client.world.repeat_instance(SERIES, date(2026, 6, 12))
    client.world.skip_date(SERIES, date(2026, 6, 11))
    client.world.advance(2)
    found = client.instances(request_id, DOWNLOADS)
    assert client.rows_by_date(found["2026-06-12"]) == client.rows_by_date(found["2026-06-11"])
    assert set(client.rows_by_date(found["2026-06-13"])) == {"2026-06-10", "2026-06-12"}


def test_a_week_cannot_be_late_on_a_day_without_weeks(client):
    weekly = Series("1000000001", "App Crashes", Granularity.WEEKLY)
    with pytest.raises(ValueError, match="no WEEKLY publication day"):
        client.world.delay_instance(weekly, date(2026, 6, 11), date(2026, 6, 20))


def test_the_business_date_only_goes_forward(client):
    with pytest.raises(ValueError, match="cannot go back"):
        client.world.move_to(date(2026, 5, 1))


def test_the_truth_is_what_reading_every_instance_by_the_vintage_rule_gives(start):
    client = start(history_start=date(2026, 5, 1), missing_share=0.2, header_only_share=0.2, no_segments_share=0.1)
    requests = [client.created(kind) for kind in ("ONE_TIME_SNAPSHOT", "ONGOING")]
    client.world.advance(6)
    client.world.restate(SERIES, date(2026, 5, 28))
    client.world.advance(3)
    client.world.add_late_instance(SERIES, date(2026, 5, 30), (date(2026, 5, 28),))
    held: dict[str, tuple[tuple[str, bool], list[list[str]]]] = {}
    for request_id, ongoing in zip(requests, (False, True), strict=True):
        for processing_date, instance_id in client.instances(request_id, DOWNLOADS).items():
            for day, rows in client.rows_by_date(instance_id).items() if client.segments(instance_id) else ():
                vintage = (processing_date, ongoing)
                complete = date.fromisoformat(day) <= date(2026, 5, 30)
                if (ongoing or complete) and vintage > held.get(day, (("", False), []))[0]:
                    held[day] = (vintage, rows)
    truth = {
        each.date.isoformat(): (each.processing_date.isoformat(), each.rows, each.sums["counts"])
        for each in newest_vintages(client.world, DOWNLOADS)
    }
    assert truth == {
        day: (vintage[0], len(rows), str(sum(int(row[-1]) for row in rows))) for day, (vintage, rows) in held.items()
    }
    assert truth["2026-05-28"][0] == "2026-06-08"


@pytest.mark.usefixtures("request_id")
def test_a_restatement_changes_no_older_vintage(client):
    before = every_vintage(client.world, DOWNLOADS)
    client.world.restate(SERIES, date(2026, 6, 1))
    assert every_vintage(client.world, DOWNLOADS) == before


def test_at_equal_processing_dates_ongoing_stands_and_a_snapshot_is_silent_on_half_filled_dates(start):
    client = start(history_start=date(2026, 5, 1))
    client.created("ONE_TIME_SNAPSHOT")
    client.world.advance(1)
    assert max(each.date for each in newest_vintages(client.world, DOWNLOADS)) == date(2026, 5, 30)
    both = start(history_start=date(2026, 5, 1), apps=8)
    for app_id in both.world.apps:
        both.created("ONE_TIME_SNAPSHOT", app_id)
        both.created("ONGOING", app_id)
    both.world.advance(1)
    newest = newest_vintages(both.world, DOWNLOADS)
    assert [each.access_type for each in newest if each.date == date(2026, 5, 29)] == ["ONE_TIME_SNAPSHOT"] * 8
    assert [each.access_type for each in newest if each.date == date(2026, 5, 30)] == ["ONGOING"] * 8


def test_nothing_is_published_before_the_request_is_ready(client):
    client.world.delay_instance(SERIES, date(2026, 5, 20), date(2026, 5, 25))
    request_id = client.created()
    client.world.advance(1)
    assert set(client.instances(request_id, DOWNLOADS)) == {"2026-06-02"}


@pytest.mark.usefixtures("request_id")
def test_every_vintage_counts_each_processing_date_of_a_date(client):
    days = [(each.processing_date.day, each.date.day) for each in every_vintage(client.world, "App Crashes Expanded")]
    assert days[:4] == [(2, 30), (2, 31), (2, 1), (3, 31)]


def test_money_adds_up_in_the_truth(client, request_id):
    name = "App Store Purchases Standard"
    at = [column.name for column in REPORTS_BY_NAME[name].columns].index("sales_in_usd")
    rows = client.rows_by_date(client.instances(request_id, name)["2026-06-11"])["2026-06-10"]
    batch = next(each for each in newest_vintages(client.world, name) if each.date == date(2026, 6, 10))
    assert Decimal(batch.sums["sales_in_usd"]) == sum(Decimal(row[at]) for row in rows)


def test_instances_of_a_deleted_request_stay_true(client, request_id):
    before = newest_vintages(client.world, DOWNLOADS)
    client.world.delete_request(request_id)
    client.world.advance(5)
    assert newest_vintages(client.world, DOWNLOADS) == before


def control(client, method, path, body=None, **query):
    return client.session.request(method, f"{CONTROL}/{path}", json=body, params=query)


def test_everything_can_be_steered_over_http(client):
    request_id = client.created()
    series = {"app_id": "1000000001", "report": DOWNLOADS}
    assert control(client, "POST", "clock", {"advance_days": 10}).json() == {"today": "2026-06-11"}
    assert control(client, "POST", "restatements", {**series, "date": "2026-06-01"}).status_code == 200
    assert control(client, "POST", "skipped_dates", {**series, "date": "2026-06-10"}).status_code == 200
    assert control(client, "POST", "repeated_instances", {**series, "processing_date": "2026-06-13"}).status_code == 200
    late = {**series, "processing_date": "2026-05-31", "dates": ["2026-05-29"]}
    assert control(client, "POST", "late_instances", late).status_code == 200
    delayed = {**series, "processing_date": "2026-06-14", "published_on": "2026-06-20"}
    assert control(client, "POST", "delayed_instances", delayed).status_code == 200
    assert control(client, "POST", "clock", {"today": "2026-06-15"}).json() == {"today": "2026-06-15"}
    found = client.instances(request_id, DOWNLOADS)
    assert ("2026-05-31" in found, "2026-06-14" in found) == (True, False)
    assert "2026-06-01" in client.rows_by_date(found["2026-06-12"])
    assert control(client, "POST", "stopped_requests", {"app_id": "1000000001"}).status_code == 200
    assert client.world.request(request_id).stopped_on == date(2026, 6, 15)
    assert control(client, "POST", "forbidden_apps", {"app_id": "1000000002"}).status_code == 200
    assert client.create(app_id="1000000002").status_code == 403
    control(client, "POST", "forbidden_apps", {"app_id": "1000000002", "forbidden": False})
    assert client.create(app_id="1000000002").status_code == 201


def test_faults_are_ordered_listed_and_cleared_over_http(client):
    fault = {"kind": "status", "status": 429, "route": "GET /v1/apps$", "times": None}
    assert control(client, "POST", "faults", fault).status_code == 200
    assert client.get("/v1/apps").status_code == 429
    (listed,) = control(client, "GET", "faults").json()["faults"]
    assert (listed["kind"], listed["happened"]) == ("status", 1)
    control(client, "DELETE", "faults")
    assert client.get("/v1/apps").status_code == 200


def test_statistics_count_calls_by_route_and_status(client):
    client.create()
    client.create()
    calls = control(client, "GET", "statistics").json()["calls"]
    assert calls == {"POST /v1/analyticsReportRequests": {"201": 1, "409": 1}}
    assert client.world.statistics.calls("POST /v1/analyticsReportRequests") == 2
    control(client, "DELETE", "statistics")
    assert control(client, "GET", "statistics").json()["calls"] == {}


@pytest.mark.usefixtures("request_id")
def test_the_truth_over_http_is_the_truth(client):
    batches = control(client, "GET", "truth", report=DOWNLOADS).json()["batches"]
    truth = newest_vintages(client.world, DOWNLOADS)
    assert [(each["date"], each["rows"], each["sums"]) for each in batches] == [
        (each.date.isoformat(), each.rows, each.sums) for each in truth
    ]
    weeks = control(client, "GET", "truth", report="App Crashes", granularity="WEEKLY").json()["batches"]
    assert [each["date"] for each in weeks] == ["2026-05-25"]
    vintages = control(client, "GET", "truth", report=DOWNLOADS, vintages="all").json()["batches"]
    assert len(vintages) == 30


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        ("clock", {"today": "2020-01-01"}, "cannot go back"),
        ("clock", {}, "today"),
        ("faults", {"kind": "earthquake"}, "kind: must be one of"),
        ("faults", {"kind": "status", "route": "("}, "route: must be a regular expression"),
        ("faults", {"kind": "status", "colour": 1}, "colour"),
        ("restatements", {"app_id": "7", "report": DOWNLOADS, "date": "2026-06-01"}, "7"),
        ("restatements", {"app_id": "1000000001", "report": "Nothing", "date": "2026-06-01"}, "Nothing"),
        ("stopped_requests", {"app_id": "1000000003"}, "no such report request"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(client, path, body, word):
    answer = control(client, "POST", path, body)
    assert answer.status_code == 400
    assert word in answer.json()["error"]


def test_the_state_tells_key_ids_and_no_key(client):
    answer = control(client, "GET", "state")
    assert answer.json()["key_id"] == client.world.admin_key.key_id
    assert "PRIVATE" not in answer.text
    assert control(client, "GET", "nothing").status_code == 404
