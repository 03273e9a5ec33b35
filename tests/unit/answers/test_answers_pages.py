"""Pages of a list: each row once, forwards and backwards; foreign cursors are refused."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.pages import Page, cut


@given(rows=st.lists(st.integers()), limit=st.integers(1, 20))
def test_the_pages_have_each_row_once_and_lead_back(rows: list[int], limit: int) -> None:
    page = cut(rows, Page(limit))
    found, way = [*page.rows], [page]
    while page.next:
        page = cut(rows, Page(limit, page.next))
        found += page.rows
        way.append(page)
    assert found == rows
    for before, after in itertools.pairwise(way):
        assert cut(rows, Page(limit, after.previous)).rows == before.rows
    assert way[0].previous == ""


def test_a_page_behind_the_end_is_empty() -> None:
    cursor = cut(range(10), Page(5)).next
    assert [*cut(range(3), Page(5, cursor)).rows] == []


@given(st.text(max_size=30).filter(bool))
def test_a_cursor_is_read_or_refused_in_one_sentence(cursor: str) -> None:
    try:
        assert cut(range(3), Page(2, cursor)).offset >= 0
    except Refused as refused:
        assert str(refused) == "cursor must be the next or previous of another page."


def test_a_cursor_of_another_kind_is_refused() -> None:
    with pytest.raises(Refused, match="cursor must be"):
        cut(range(3), Page(2, "AAAA"))
