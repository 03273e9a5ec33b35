from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.contract.catalogue import REPORTS_BY_NAME
from appstore_analytics.contract.errors import InputRefused
from appstore_analytics.contract.operations import Operation
from appstore_analytics.rules.execution_input import ExecutionInput, parse_execution_input, started_by

TODAY = date(2025, 6, 2)
APP = "1000000001"
BACKFILL = {"operation": "backfill", "app_ids": [APP], "start_date": "2025-05-01", "end_date": "2025-05-31"}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
DATES = st.dates(date(2025, 4, 1), date(2025, 6, 4)).map(date.isoformat)
NEARLY_RIGHT = st.fixed_dictionaries(
    {"operation": st.sampled_from(["backfill", "backfill", "daily", "reprocess", "rollback"]) | JSON},
    optional={
        "as_of": DATES | JSON,
        "app_ids": st.lists(st.from_regex(r"[0-9]{1,18}", fullmatch=True), min_size=1) | JSON,
        "reports": st.lists(st.sampled_from(["engagement", "App Crashes"]), min_size=1) | JSON,
        "start_date": DATES | JSON,
        "end_date": DATES | JSON,
        "run_id": st.just("20250602T100000123Z-daily") | JSON,
        "start_processing_date": DATES | JSON,
        "end_processing_date": DATES | JSON,
        "started_by": st.just("schedule") | JSON,
        "Start": JSON,
    },
)


@pytest.mark.parametrize("payload", [{}, {"operation": "daily"}, {"as_of": "2025-06-02"}])
def test_a_daily_run_needs_nothing(payload: dict[str, Any]) -> None:
    assert parse_execution_input(payload, TODAY) == ExecutionInput(Operation.DAILY, TODAY)


@pytest.mark.parametrize("payload", [{}, BACKFILL, {"operation": "reprocess"}], ids=["daily", "backfill", "reprocess"])
@pytest.mark.parametrize(
    "starter",
    [
        "schedule",
        "arn:aws:sts::123456789012:assumed-role/Analyst/ada@example.com",
        "3f1c2a9e-0000-4000-8000-5d0c9b1f7a11",
        "x" * 640,
    ],
    ids=["schedule", "arn", "id", "longest"],
)
def test_every_operation_can_say_who_started_it(payload: dict[str, Any], starter: str) -> None:
    assert parse_execution_input({**payload, "started_by": starter}, TODAY).started_by == starter
    assert started_by({**payload, "started_by": starter}) == starter


@pytest.mark.parametrize("payload", [None, [], {}, {"started_by": "<b> x"}, {"started_by": 7}, {"started_by": ""}])
def test_the_starter_of_an_input_that_does_not_say_is_unknown(payload: Any) -> None:
    assert started_by(payload) == "unknown"


def test_a_daily_run_may_be_about_an_earlier_day() -> None:
    assert parse_execution_input({"as_of": "2024-02-29"}, TODAY).as_of == date(2024, 2, 29)


def test_a_backfill_names_reports_by_apples_name_or_by_table_and_each_once() -> None:
    payload = {**BACKFILL, "app_ids": [APP, APP, "7"], "reports": ["crashes", "App Crashes", "App Sessions Standard"]}
    assert parse_execution_input(payload, TODAY) == ExecutionInput(
        Operation.BACKFILL,
        TODAY,
        (APP, "7"),
        ("App Crashes", "App Sessions Standard"),
        date(2025, 5, 1),
        date(2025, 5, 31),
    )


def test_a_backfill_without_reports_is_about_all_of_them() -> None:
    assert parse_execution_input(BACKFILL, TODAY).reports == ()


def test_a_backfill_may_be_about_one_day_and_end_today() -> None:
    parsed = parse_execution_input({**BACKFILL, "start_date": "2025-06-02", "end_date": "2025-06-02"}, TODAY)
    assert parsed.start_date == parsed.end_date == TODAY


@pytest.mark.parametrize("payload", [None, [], "daily", 1, True])
def test_input_that_is_no_object_is_refused(payload: Any) -> None:
    with pytest.raises(InputRefused, match=r"^The execution input must be a JSON object"):
        parse_execution_input(payload, TODAY)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("operation", ["weekly", "DAILY", "", None, 1, ["daily"], {}]),
        ("as_of", ["2025-06-03", "20250602", "2025-6-2", "2025-02-30", "0000-01-01", "٢٠٢٥-٠٦-٠٢", "", None, 20250602]),
        ("started_by", ["", " ", "a b", "x" * 641, "Zoë", "a\n", "\x1b[31m", None, 7, ["schedule"], {}]),
        ("start_date", ["2025-06-01", "yesterday", "2025-05-32", "2025-05-01T00:00:00", None, []]),
        ("end_date", ["2025-06-03", "tomorrow", "2025-02-29", "2025-05-31\n", None, {}]),
        ("app_ids", [APP, [], [1000000001], ["../1"], ["1" * 19], ["١"], ["1\n"], [""], [APP, "x"], None, {}]),
        ("reports", ["crashes", [], ["no such report"], ["Crashes"], [None], [["crashes"]], None, {}]),
    ],
)
def test_every_refusal_names_its_field(field: str, values: list[Any]) -> None:
    for value in values:
        with pytest.raises(InputRefused) as refused:
            parse_execution_input({**BACKFILL, field: value}, TODAY)
        assert field in str(refused.value), value
        assert str(refused.value).endswith("."), value


@pytest.mark.parametrize("field", ["app_ids", "start_date", "end_date"])
def test_a_backfill_that_lacks_a_field_is_told_which(field: str) -> None:
    with pytest.raises(InputRefused, match=f"^{field} "):
        parse_execution_input({name: value for name, value in BACKFILL.items() if name != field}, TODAY)


@pytest.mark.parametrize("field", ["app_ids", "reports", "start_date", "end_date"])
def test_a_daily_run_takes_no_field_of_a_backfill(field: str) -> None:
    with pytest.raises(
        InputRefused, match=f"^The field '{field}' is unknown: a daily execution takes operation, as_of"
    ):
        parse_execution_input({field: BACKFILL.get(field, ["crashes"])}, TODAY)


RUN_ID = "20250602T100000123Z-daily-2025-06-02"


def test_a_rollback_is_about_one_run() -> None:
    parsed = parse_execution_input({"operation": "rollback", "run_id": RUN_ID}, TODAY)
    assert parsed == ExecutionInput(Operation.ROLLBACK, TODAY, run_id=RUN_ID)


@pytest.mark.parametrize("run_id", [None, "", "daily", f"{RUN_ID}/../x", f"{RUN_ID}\n", RUN_ID + "x" * 40, 7, [RUN_ID]])
@pytest.mark.parametrize("operation", ["rollback", "reprocess"])
def test_a_run_id_that_is_none_is_refused(operation: str, run_id: Any) -> None:
    with pytest.raises(InputRefused, match=r"^run_id must be the id of a run"):
        parse_execution_input({"operation": operation, "run_id": run_id}, TODAY)


def test_a_rollback_needs_its_run_and_takes_nothing_else() -> None:
    with pytest.raises(InputRefused, match=r"^run_id must be"):
        parse_execution_input({"operation": "rollback"}, TODAY)
    with pytest.raises(InputRefused, match="'app_ids' is unknown: a rollback execution takes operation, run_id"):
        parse_execution_input({"operation": "rollback", "run_id": RUN_ID, "app_ids": [APP]}, TODAY)


def test_a_reprocess_is_about_everything_or_what_it_names() -> None:
    assert parse_execution_input({"operation": "reprocess"}, TODAY) == ExecutionInput(Operation.REPROCESS, TODAY)
    named = {
        "operation": "reprocess",
        "run_id": RUN_ID,
        "app_ids": [APP],
        "reports": ["crashes"],
        "start_processing_date": "2025-05-01",
        "end_processing_date": "2025-05-01",
    }
    assert parse_execution_input(named, TODAY) == ExecutionInput(
        Operation.REPROCESS,
        TODAY,
        (APP,),
        ("App Crashes",),
        run_id=RUN_ID,
        start_processing_date=date(2025, 5, 1),
        end_processing_date=date(2025, 5, 1),
    )


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        ({"start_date": "2025-05-01"}, "start_date would be a Date, .* give start_processing_date"),
        ({"end_date": "2025-05-01"}, "end_date would be a Date, .* give end_processing_date"),
        ({"as_of": "2025-05-01"}, "The field 'as_of' is unknown: a reprocess execution takes"),
        ({"app_ids": []}, "app_ids must be a list"),
        ({"start_processing_date": "May"}, "start_processing_date must be a date such as"),
        (
            {"start_processing_date": "2025-05-02", "end_processing_date": "2025-05-01"},
            "start_processing_date must not be after end_processing_date",
        ),
        (
            {"start_processing_date": "2025-06-04"},
            "start_processing_date must not be after 2025-06-03: Apple has built",
        ),
        ({"end_processing_date": "2019-12-31"}, "end_processing_date must not be before 2020-01-01: no instance"),
    ],
)
@pytest.mark.parametrize("operation", ["reprocess", "refetch"])
def test_a_repair_that_asks_for_something_else_is_told_how(
    operation: str, payload: dict[str, Any], sentence: str
) -> None:
    named = {"app_ids": [APP], "start_processing_date": "2019-05-01", "end_processing_date": "2025-06-04"}
    with pytest.raises(InputRefused, match=sentence.replace("reprocess", operation)):
        parse_execution_input({"operation": operation, **named, **payload}, TODAY)


def test_a_repair_may_reach_to_the_days_beyond_those_that_have_instances() -> None:
    wide = {"app_ids": [APP], "start_processing_date": "2019-01-01", "end_processing_date": "9999-12-31"}
    assert parse_execution_input({"operation": "refetch", **wide}, TODAY).end_processing_date == date.max


def test_a_mistyped_field_is_refused_rather_than_ignored() -> None:
    with pytest.raises(
        InputRefused, match=r"^The field 'startdate' is unknown: a backfill execution takes .*start_date"
    ):
        parse_execution_input({**BACKFILL, "startdate": "2025-05-01"}, TODAY)


def test_a_backfill_ends_no_later_than_the_day_it_is_about() -> None:
    with pytest.raises(InputRefused, match="end_date must not be after 2025-05-30"):
        parse_execution_input({**BACKFILL, "as_of": "2025-05-30"}, TODAY)


@given(JSON | NEARLY_RIGHT)
def test_any_json_is_either_valid_or_refused_in_one_printable_sentence(payload: Any) -> None:
    try:
        parsed = parse_execution_input(payload, TODAY)
    except InputRefused as refused:
        assert str(refused).isprintable()
        assert len(str(refused)) < 200
        return
    assert parsed.as_of <= TODAY
    assert set(parsed.reports) <= set(REPORTS_BY_NAME)
    if parsed.operation is Operation.BACKFILL:
        assert parsed.app_ids
        assert parsed.start_date is not None
        assert parsed.end_date is not None
        assert parsed.start_date <= parsed.end_date <= parsed.as_of


@pytest.mark.parametrize("name", ["crashes_expanded", "crashes_expanded_vintages", "App Crashes Expanded"])
def test_a_report_of_vintages_goes_by_every_name_of_its_table(name: str) -> None:
    wanted = parse_execution_input({"operation": "reprocess", "reports": [name]}, TODAY)
    assert wanted.reports == ("App Crashes Expanded",)


def test_a_table_that_keeps_no_vintages_has_no_such_name() -> None:
    with pytest.raises(InputRefused):
        parse_execution_input({"operation": "reprocess", "reports": ["engagement_vintages"]}, TODAY)
