"""One cell of any text in an otherwise usual file: hypothesis finds the shortest one that is read incorrectly."""

import gzip

from hypothesis import given, settings
from hypothesis import strategies as st

from appstore_analytics.contract.tables import CuratedTable, tables_by_name
from tests.fuzz.comparison import compared
from tests.fuzz.files import FuzzedFile
from tests.lake_samples import comma_separated, row, tsv

_TABLES = [
    tables_by_name()[name]
    for name in ("purchases", "sessions", "carplay_app_usage_vintages", "shortcuts_actions_usage_vintages")
]
_PLACES = [(table, column) for table in _TABLES for column in table.report.columns]
_NUMBERS = st.from_regex(r"[+-]?[0-9]{0,25}\.?[0-9]{0,12}([eE][+-]?[0-9]{1,6})?", fullmatch=True)
_DATES = st.dates().map(str) | st.from_regex(r"[0-9]{1,4}[-/][0-9]{1,2}[-/][0-9]{1,4}", fullmatch=True)
_CELLS = st.one_of(
    _NUMBERS, _DATES, st.text("0123456789.-+eExX_, ", max_size=12), st.text(st.characters(exclude_categories=["Cs"]))
)


def try_cells(examples: int) -> None:
    """Raise the first difference, as hypothesis has shortened it."""
    settings(max_examples=examples, deadline=None, database=None)(_check)()


@given(place=st.sampled_from(_PLACES), cell=_CELLS, comma=st.booleans())
def _check(place: tuple[CuratedTable, object], cell: str, comma: bool) -> None:
    table, column = place
    usual = row(table)
    odd = usual | {column.header: cell}  # type: ignore[attr-defined]
    rows = [usual, odd, usual]
    content = comma_separated(rows) if comma else tsv(rows)
    compared(FuzzedFile(table, gzip.compress(content), content, False, len(usual) * len(rows), 4 << 20, 250_000))
