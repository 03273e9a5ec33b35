from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.report.index import RunEntry, entries_of, index_page

RUN = RunEntry(
    run_id="20250602T100000000Z-morning",
    page="production_daily_20250602T100000000Z-morning.html",
    operation="daily",
    as_of="2025-06-02",
    started_at="2025-06-02T10:00:00+00:00",
    started_by="schedule",
    seconds=75.5,
    apps=70,
)


def runs(count: int) -> list[RunEntry]:
    first = datetime.fromisoformat(RUN.started_at)
    return [replace(RUN, run_id=f"{first + timedelta(days=number):%Y%m%dT%H%M%S}000Z-run") for number in range(count)]


def test_a_list_is_read_back_from_itself() -> None:
    entries = (RUN, replace(RUN, run_id="20250601T1", has_failed=True, cause="1 of 70 apps failed: 1 (<b>Tiny</b>)."))
    page = index_page(entries)
    assert entries_of(page) == entries
    assert index_page(entries_of(page)) == page
    assert entries_of(b"") == ()


@given(st.text(max_size=40), st.text(max_size=40))
def test_nothing_that_a_run_says_becomes_markup(cause: str, starter: str) -> None:
    entry = replace(RUN, cause=f'"><script>{cause}</script>', started_by=f"<img src=x>{starter}")
    page = index_page([entry])
    assert b"<script" not in page
    assert b"<img" not in page
    assert entries_of(page) == (entry,)


def test_each_line_leads_to_the_runs_page_in_the_same_folder() -> None:
    page = index_page([RUN]).decode()
    assert f'href="{RUN.page}"' in page
    assert "2025-06-02 10:00" in page
    assert page.count('scope="col"') == len(("started", "operation", "result", "took", "apps", "started by", "cause"))


def test_what_is_no_entry_is_left_out_and_what_an_older_version_did_not_write_has_its_default() -> None:
    page = index_page([RUN]).decode()
    assert entries_of(page.replace("&quot;run_id&quot;", "&quot;id&quot;").encode()) == ()
    assert entries_of(page.replace('data-run="{', 'data-run="').encode()) == ()
    assert entries_of(page.replace("&quot;cause&quot;", "&quot;because&quot;").encode()) == (RUN,)
