from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.contract.layout import (
    RUN_PARTITION,
    TableDate,
    appstore_key,
    appstore_location,
    check_key,
    curated_location,
    day_of,
    is_safe_id,
    raw_key,
    raw_prefix,
    report_key,
    run_key,
    states_key,
)

DAY = date(2025, 6, 2)
APP = "1000000001"
DOWNLOADS = TableDate("downloads", DAY)
UNSAFE = ["", ".", "..", "a..b", "../a", "a/b", "/a", ".a", "-a", "a b", "a\n", "a#b", "a%2Fb", "é", "x" * 201]
APP_IDS = st.from_regex(r"[1-9][0-9]{0,17}", fullmatch=True)
SAFE_IDS = st.from_regex(r"[A-Za-z0-9]([._-]?[A-Za-z0-9]){0,40}", fullmatch=True).filter(lambda text: ".." not in text)


def test_every_key_stands_where_the_docstring_draws_it() -> None:
    prefix = raw_prefix("downloads", APP, "ONGOING", DAY, "i-1")
    assert prefix == "raw/downloads/1000000001/ONGOING/2025-06-02/i-1/"
    assert raw_key(prefix, "s-1") == f"{prefix}s-1.txt.gz"
    assert DOWNLOADS.part_key(APP) == "parts/downloads/dt=2025-06-02/1000000001.parquet"
    assert DOWNLOADS.vintage_part_key(APP, date(2025, 6, 4), "i-1") == (
        "parts/downloads/dt=2025-06-02/1000000001/2025-06-04.i-1.parquet"
    )
    assert DOWNLOADS.curated_key == "curated/downloads/dt=2025-06-02/data.parquet"
    assert DOWNLOADS.publication_key("abc") == "publications/downloads/dt=2025-06-02/abc.json"
    assert appstore_key("runs", DAY, "r-1") == "appstore/runs/dt=2025-06-02/r-1.jsonl"
    assert run_key("r-1", "plan.json") == "runs/r-1/plan.json"
    assert report_key("daily", "20250602T100000123Z-x") == "reports/production_daily_20250602T100000123Z-x.json"


def test_the_objects_of_a_table_lie_in_the_folder_that_glue_reads() -> None:
    assert DOWNLOADS.curated_key.startswith(curated_location("downloads"))
    assert appstore_key("runs", DAY, "r-1").startswith(appstore_location("runs"))
    assert not TableDate("downloads_detailed", DAY).curated_key.startswith(curated_location("downloads"))


@given(st.dates(), APP_IDS, st.dates(), SAFE_IDS)
def test_the_app_is_read_back_from_the_key_of_its_part(day: date, app_id: str, built_on: date, instance: str) -> None:
    table_date = TableDate("crashes_expanded_vintages", day)
    for key in (table_date.part_key(app_id), table_date.vintage_part_key(app_id, built_on, instance)):
        assert key.startswith(table_date.parts_prefix)
        assert table_date.app_id_of_part(key) == int(app_id)


@given(*[st.tuples(APP_IDS, st.dates(), SAFE_IDS, SAFE_IDS)] * 2)
def test_no_two_segments_share_a_key(one: tuple[str, date, str, str], other: tuple[str, date, str, str]) -> None:
    keys = {
        raw_key(raw_prefix("downloads", app_id, "ONGOING", day, instance), segment)
        for app_id, day, instance, segment in (one, other)
    }
    assert len(keys) == len({one, other})


@pytest.mark.parametrize("unsafe", UNSAFE)
def test_an_id_that_could_leave_its_folder_is_not_safe(unsafe: str) -> None:
    assert not is_safe_id(unsafe)


@pytest.mark.parametrize("safe", ["a", "0", "8f7e-4a.b_c", "x" * 200])
def test_an_id_as_apple_sends_it_is_safe(safe: str) -> None:
    assert is_safe_id(safe)


@given(st.text())
def test_a_safe_id_is_one_segment_of_a_path(text: str) -> None:
    assert not is_safe_id(text) or (text.isascii() and not {"/", "\\", "%", " "} & set(text))


def test_a_runs_partition_is_one_text_for_python_and_step_functions() -> None:
    assert RUN_PARTITION.format("r-1") == "RUN#r-1"
    assert RUN_PARTITION.count("{}") == RUN_PARTITION.count("{") == 1


def test_dates_sort_by_table_and_then_by_day() -> None:
    later, other = TableDate("downloads", date(2025, 6, 3)), TableDate("crashes", date(2025, 6, 4))
    assert sorted([later, DOWNLOADS, other]) == [other, DOWNLOADS, later]


@given(st.dates())
def test_the_day_of_a_key_is_the_one_that_it_was_built_with(day: date) -> None:
    of_table = TableDate("downloads", day)
    keys = (of_table.curated_key, of_table.kpis_key, of_table.part_key(APP), states_key(day), check_key(day))
    assert {day_of(key) for key in (*keys, appstore_key("freshness", day, "last-check"))} == {day}
