from datetime import date

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.lake.sorting import sorted_by

_ROWS = st.lists(
    st.tuples(
        st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.none() | st.text(max_size=2), st.none() | st.text(max_size=2)
    ),
    max_size=40,
)


def batch(rows: list[tuple[date, str | None, str | None]]) -> pa.RecordBatch:
    days, first, second = zip(*rows, strict=True) if rows else ((), (), ())
    return pa.record_batch(
        {
            "day": pa.array(days, pa.date32()),
            "first": pa.array(first, pa.string()).dictionary_encode(),
            "second": pa.array(second, pa.string()).dictionary_encode(),
            "number": pa.array(range(len(rows)), pa.int64()),
        }
    )


def utf8(text: str | None) -> bytes:
    return b"" if text is None else b"\0" + text.encode()


@given(_ROWS)
def test_it_sorts_as_python_does_with_null_first_and_stably(rows: list[tuple[date, str | None, str | None]]) -> None:
    expected = sorted(range(len(rows)), key=lambda row: (rows[row][0], utf8(rows[row][1]), utf8(rows[row][2])))
    assert sorted_by(batch(rows), ["day", "first", "second"])["number"].to_pylist() == expected


def test_more_values_than_can_be_counted_at_once_are_sorted_in_passes() -> None:
    rows = [(date(2026, 1, 1), str(number * 7919 % 400), str(number)) for number in range(400)]
    expected = sorted(range(400), key=lambda row: (rows[row][1], rows[row][2]))
    assert sorted_by(batch(rows), ["day", "first", "second"])["number"].to_pylist() == expected


def test_no_columns_mean_no_order() -> None:
    rows = batch([(date(2026, 1, 2), "b", ""), (date(2026, 1, 1), "a", "")])
    assert sorted_by(rows, []) is rows
