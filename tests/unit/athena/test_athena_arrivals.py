from datetime import UTC, date, datetime

from appstore_analytics.athena.arrivals import (
    AppByApp,
    arrivals_query,
    known_arrivals,
    known_requests,
    presence_queries,
    present_dates,
    requests_query,
)
from appstore_analytics.contract.tables import APPSTORE_TABLES, tables_by_name
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.rules.freshness import Arrivals, Request
from local.aws.trino import tables_of, translate

SINCE = date(2026, 11, 13)
RUN, EARLIER = "20261123T100000123Z-daily", "20261122T100000000Z-daily"
GLUE = {("appstore", table.name): {**dict(table.columns), "dt": "date"} for table in APPSTORE_TABLES} | {
    ("curated", table.name): {**{column.name: str(column.type) for column in table.columns}, "dt": "date"}
    for table in tables_by_name().values()
}


def scans(sql: str, database: str) -> list[tuple[str, str]]:
    """The tables and partitions that a query reads; names and types are checked as well."""
    used = {name: GLUE[name] for name in tables_of(sql, database)}
    translation = translate(sql, database, used, lambda *_: frozenset({"dt"}))
    return [(scan.table, scan.conditions) for scan in translation.scans]


def test_the_records_are_read_of_some_days_only() -> None:
    for sql, table in ((requests_query(SINCE), "report_requests"), (arrivals_query(SINCE, SINCE), "instances")):
        assert scans(sql, "appstore") == [(table, "(dt >= CAST('2026-11-13' AS DATE))")]


def test_all_tables_are_asked_at_once_for_their_due_dates_only() -> None:
    due = {table: (date(2026, 11, 20), date(2026, 11, 19)) for table in list(tables_by_name().values())[:26]}
    (sql,) = presence_queries(due)
    dates = "(dt IN (CAST('2026-11-19' AS DATE), CAST('2026-11-20' AS DATE)))"
    assert scans(sql, "curated") == [(table.name, dates) for table in due]


def test_very_many_tables_are_asked_in_several_queries_of_legal_length() -> None:
    due = {table: (date(2026, 11, 20),) * 3 for table in tables_by_name().values()}
    queries = list(presence_queries(due))
    assert len(queries) == -(-len(due) // 50)
    assert sum(len(scans(sql, "curated")) for sql in queries) == len(due)
    assert max(map(len, queries)) < 262_144  # Athena's limit


def test_only_the_apps_of_the_newest_run_are_judged() -> None:
    known = known_requests(
        [
            ("1000000001", RUN, "unchanged", "", "2026-11-01", "1", None, None),
            ("1000000002", EARLIER, "unchanged", "", "2026-11-01", "1", None, None),
        ]
    )
    assert known is not None
    assert known.run_id == RUN
    assert known.requests == (Request(1_000_000_001, Verdict.UNCHANGED, "", date(2026, 11, 1)),)
    assert known_requests([]) is None


def test_a_request_that_took_the_place_of_another_does_not_excuse_the_days_before() -> None:
    known = known_requests([("1000000001", RUN, "ready", "", "2026-11-20", "2", "App Crashes|App Opt In", "Crashes")])
    assert known is not None
    (request,) = known.requests
    assert (request.known_since, request.replaced_on) == (None, date(2026, 11, 20))
    assert (request.missing_reports, request.unknown_reports) == ({"App Crashes", "App Opt In"}, {"Crashes"})


def test_a_request_that_apple_had_before_us_owes_everything() -> None:
    known = known_requests([("1000000001", RUN, "forbidden", "Apple said no.", None, "0", "", "")])
    assert known is not None
    assert known.requests == (Request(1_000_000_001, Verdict.FORBIDDEN, "Apple said no."),)


def test_what_runs_recorded_of_a_table_is_read_with_its_time_of_arrival() -> None:
    rows = [
        (
            "1000000001",
            "downloads",
            "2026-11-23 2026-11-22 2026-11-21",
            "2026-11-22 2026-11-21",
            RUN,
            None,
            "2026-11-23",
            "2026-11-23",
            "No segments.",
        ),
        ("1000000001", "sessions", "2026-11-21", None, None, "2026-11-21", None, "2026-11-21", "A column is missing."),
    ]
    assert list(known_arrivals(rows)) == [
        (
            1_000_000_001,
            "downloads",
            Arrivals(
                known=frozenset({date(2026, 11, 21), date(2026, 11, 22), date(2026, 11, 23)}),
                converted=frozenset({date(2026, 11, 21), date(2026, 11, 22)}),
                arrived_at=datetime(2026, 11, 23, 10, 0, 0, 123_000, tzinfo=UTC),
                not_ready=date(2026, 11, 23),
                not_converted=date(2026, 11, 23),
                reason="No segments.",
            ),
        ),
        (
            1_000_000_001,
            "sessions",
            Arrivals(
                known=frozenset({date(2026, 11, 21)}),
                quarantined=date(2026, 11, 21),
                not_converted=date(2026, 11, 21),
                reason="A column is missing.",
            ),
        ),
    ]


def test_dates_are_gathered_by_app_and_table() -> None:
    rows = [("1000000001", "downloads", "2026-11-20=2026-11-22 2026-11-19=2026-11-21")]
    newest = {date(2026, 11, 20): date(2026, 11, 22), date(2026, 11, 19): date(2026, 11, 21)}
    assert list(present_dates(rows)) == [(1_000_000_001, "downloads", newest)]


def test_facts_that_come_sorted_by_app_are_handed_out_app_by_app() -> None:
    facts = [(1, "downloads", "a"), (1, "sessions", "b"), (3, "downloads", "c"), (7, "downloads", "d")]
    of_apps = AppByApp(iter(facts))
    assert [of_apps.of(app_id) for app_id in (1, 2, 7, 9)] == [
        {"downloads": "a", "sessions": "b"},
        {},
        {"downloads": "d"},
        {},
    ]
