"""The Dates of an instance whose rows all occur more than once, equally often."""

from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.contract.tables import CuratedTable, tables_by_name
from appstore_analytics.lake import conversion as conversion_module
from appstore_analytics.lake import repeats
from tests.lake_samples import CRASHES_EXPANDED, DAY, ENGAGEMENT, converted, row, tsv

WITHOUT_COUNTS = next(table for table in tables_by_name().values() if not table.report.additive_measures)
ROWS = [
    row(ENGAGEMENT, territory=territory, counts=count) for territory, count in (("US", "10"), ("DE", "7"), ("", ""))
]


@pytest.fixture(params=[250_000, 2], ids=["one run", "several runs"])
def runs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion_module, "_RUN_ROWS", request.param)


@pytest.mark.parametrize("times", [2, 3])
def test_a_date_whose_rows_all_occur_equally_often_is_told(tmp_path: Path, runs: None, times: int) -> None:
    other = row(ENGAGEMENT, date="2026-11-19")
    result = converted([tsv([*ROWS * times, other])], tmp_path)
    assert result.repeated == {DAY: times}
    assert result.rows_repeated == 3 * (times - 1)
    assert sum(part.rows for part in result.parts) == 3 * times + 1  # all are kept


def test_two_segments_of_the_same_rows_repeat_them(tmp_path: Path, runs: None) -> None:
    result = converted([tsv(ROWS), tsv(ROWS[::-1])], tmp_path)
    assert (result.repeated, result.segment_rows) == ({DAY: 2}, (3, 3))


@pytest.mark.parametrize(
    "rows",
    [ROWS, [], ROWS[:1], [*ROWS, *ROWS[:2]], [*ROWS * 2, ROWS[0]], [*ROWS * 2, *ROWS[:1] * 2], ROWS[:2] * 2 + ROWS[2:]],
)
def test_a_date_with_some_equal_rows_is_not(tmp_path: Path, runs: None, rows: list[dict[str, str]]) -> None:
    assert converted([tsv(rows, list(ROWS[0]))], tmp_path).repeated == {}


@pytest.mark.parametrize("column", [column.name for column in ENGAGEMENT.report.columns if column.name != "date"])
def test_rows_that_differ_in_one_column_are_not_equal(tmp_path: Path, runs: None, column: str) -> None:
    if column == "app_apple_identifier":
        return
    each = row(ENGAGEMENT, **{column: "4"})
    assert converted([tsv([*ROWS[:1] * 2, each, row(ENGAGEMENT, **{column: ""})])], tmp_path).repeated == {}


def test_unknown_columns_tell_rows_apart(tmp_path: Path, runs: None) -> None:
    for zones, repeated in ((["1", "2", "1", "3"], {}), (["1", "2", "1", "2"], {DAY: 2}), (["", "", "1", ""], {})):
        folder = tmp_path / "".join(zones)
        assert converted([tsv([ROWS[0] | {"Zone": zone} for zone in zones])], folder).repeated == repeated


@pytest.mark.parametrize("table", [WITHOUT_COUNTS, CRASHES_EXPANDED], ids=lambda table: table.name)
def test_reports_of_any_shape_are_looked_at(tmp_path: Path, runs: None, table: CuratedTable) -> None:
    assert converted([tsv([row(table)] * 2)], tmp_path, table).repeated == {DAY: 2}


def test_of_a_date_with_too_many_rows_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "_MOST_ROWS", 5)
    assert converted([tsv(ROWS * 2)], tmp_path).repeated == {}


_KINDS = st.tuples(
    st.sampled_from(["2026-11-19", "2026-11-20"]), st.sampled_from(["US", "DE", ""]), st.sampled_from("12 ")
)


@given(st.lists(_KINDS, max_size=12), st.integers(1, 3), st.sampled_from([250_000, 1, 3]))
def test_it_is_what_counting_says(kinds: list[tuple[str, str, str]], times: int, run_rows: int) -> None:
    kinds = kinds * times
    counted: dict[date, Counter[tuple[str, str, str]]] = defaultdict(Counter)
    for kind in kinds:
        counted[date.fromisoformat(kind[0])][kind] += 1
    expected = {day: min(sizes.values()) for day, sizes in counted.items() if len({*sizes.values()}) == 1}
    rows = [row(ENGAGEMENT, date=day, territory=territory, counts=count) for day, territory, count in kinds]
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(conversion_module, "_RUN_ROWS", run_rows)
        result = converted([tsv(rows, list(row(ENGAGEMENT)))], Path(folder))
    assert result.repeated == {day: often for day, often in expected.items() if often > 1}
