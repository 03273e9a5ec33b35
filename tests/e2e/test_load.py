"""A sample of `python -m local.load`: the same two days and the same assertions with 30 apps instead of 1,000."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from appstore_analytics.contract.maps import ITEMS_OF_A_BATCH
from local.aws.histories import LARGEST_DATA_BYTES
from local.load.histories import MOST_EVENTS, Largest
from local.load.memory import EMULATOR, KindMemory, growing
from local.load.page import BEGIN, END, TARGET, failures, rows, write_result
from local.load.run import Load, run_load

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")

APPS, REPORTS = 30, 2
MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def load() -> Load:
    return run_load(APPS, REPORTS, lambda *_: None, lambda *_: None)


def test_every_app_is_registered_on_the_first_day_and_verified_on_the_second(load: Load) -> None:
    assert load.first_day.report["requests_created"] == APPS
    assert {verdict: len(apps) for verdict, apps in load.data_day.report["apps_by_verdict"].items()} == {
        "verified": APPS
    }
    assert load.data_day.report["rows_athena"] == load.rows_at_apple > 0


def test_no_limit_is_passed(load: Load) -> None:
    assert failures(load) == []


def test_the_first_day_registers_and_lists_nothing(load: Load) -> None:
    assert load.first_day.report["apple_calls"] == 2 * APPS  # look, create
    assert load.data_day.report["apple_calls"] == APPS * (1 + 2 * REPORTS)  # reports; instances and segments of each


def test_no_data_grows_with_the_number_of_apps(load: Load) -> None:
    for day in (load.first_day, load.data_day):
        assert 0 < day.travelled.data.size < 400 * ITEMS_OF_A_BATCH
        assert 0 < day.travelled.events_of_child.size < 25 * ITEMS_OF_A_BATCH
        assert 0 < day.travelled.events_of_parent < 200


def test_the_maps_had_all_items_and_their_results_are_as_short_as_can_be(load: Load) -> None:
    maps = {run.name: run for run in load.data_day.travelled.maps}
    assert {name: run.items for name, run in maps.items()} == {
        "Register": APPS,
        "Land": APPS * REPORTS,
        "Publish": REPORTS * 2,  # Dates of an instance
        "Verify": REPORTS,
    }
    assert {name: run.children for name, run in maps.items()} == {
        "Register": APPS / ITEMS_OF_A_BATCH,
        "Land": APPS * REPORTS / ITEMS_OF_A_BATCH,
        "Publish": REPORTS * 2,
        "Verify": REPORTS,
    }
    assert all(run.result_bytes == len("{},") * run.children + 1 for run in maps.values())


def test_every_function_was_seen_and_stayed_within_its_memory(load: Load) -> None:
    functions = load.memory.keys() - {EMULATOR}
    assert functions == {
        "plan-run",
        "plan-items",
        "register-request",
        "list-instances",
        "download-segments",
        "convert-instance",
        "publish-date",
        "verify-table",
        "compact-months",
        "summarize-run",
    }
    assert all(20 * MEBIBYTE < load.memory[name].peak_bytes < 512 * MEBIBYTE for name in functions)


def test_a_function_of_whole_runs_may_hold_something_of_each_app_and_no_more() -> None:
    sizes = (2, 100.0, 100 * MEBIBYTE, 150 * MEBIBYTE, 150 * MEBIBYTE)
    kinds = {kind: KindMemory(kind, *sizes) for kind in ("publish-date", "summarize-run", "embedded AWS")}
    assert growing(kinds, apps=1_000) == ["publish-date"]
    assert growing(kinds, apps=30) == ["publish-date", "summarize-run"]


def test_what_would_be_wrong_is_said(load: Load) -> None:
    grown = KindMemory("convert-instance", 2, 100.0, 100 * MEBIBYTE, 150 * MEBIBYTE, 3000 * MEBIBYTE)
    travelled = replace(load.data_day.travelled, data=Largest(LARGEST_DATA_BYTES, "input of Land"))
    travelled.events_of_child = Largest(MOST_EVENTS, "Land")
    report = {**load.data_day.report, "apps_by_verdict": {"verified": ["1000000001"]}, "rows_athena": 1}
    report["errors"] = [{"item": "VERIFY#downloads", "reason": "Athena was away."}]
    wrong = failures(
        replace(
            load,
            data_day=replace(load.data_day, report=report, travelled=travelled),
            memory={**load.memory, "convert-instance": grown},
        )
    )
    assert [sentence.split(":")[0] for sentence in wrong[:1]] == ["Not every app is verified"]
    expected = (
        "VERIFY#downloads: Athena was away.",
        "Athena counts 1",
        "input of Land",
        "a child has 25,000 events",
        "grows",
        "3,000 MiB of 1,024",
    )
    for said in expected:
        assert any(said in sentence for sentence in wrong), said


def test_the_page_has_the_same_rows_as_a_new_result_would_have(load: Load, tmp_path: Path) -> None:
    page = tmp_path / "load.md"
    page.write_text(f"before\n{BEGIN}\nthe result before\n{END}\nafter\n")
    write_result(load, page)
    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}\n30 apps × 2 reports on ")
    assert text.endswith(f"{END}\nafter\n")
    assert "the result before" not in text
    assert _rows(text) == _rows(TARGET.read_text()) == [_label(row[0]) for row in rows(load)]


def _rows(text: str) -> list[str]:
    """The measured values, as a table of the page."""
    result = text.partition(BEGIN)[2].partition(END)[0]
    return [_label(what) for what in re.findall(r"^\| ([^|]+) \|", result, re.MULTILINE)[2:]]


def _label(what: str) -> str:
    """The subject of a row, without the number of processes and their seconds."""
    return what.partition(" (")[0]
