import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import convert
from benchmarks.convert import Case, DifferentAnswerError, Measurement, figures_of, tables_of
from benchmarks.measuring.measure import RunFailedError, run
from benchmarks.samples.data import APP_ID, segment


def measured(peer: str, cpu_seconds: float, job: str = "plain", rows: int = 70_000) -> Measurement:
    return Measurement(Case(peer, job, "engagement", rows, 1), cpu_seconds, 2 * cpu_seconds, 100.0, 1_000)


def test_a_ratio_above_one_means_that_the_peer_is_slower() -> None:
    runs = [measured("ours", seconds) for seconds in (1.0, 9.0, 2.0)]
    figures = figures_of([*runs, measured("with_polars", 3.0), measured("limits", 0.5, "gunzip")])
    assert figures["plain"]["polars"]["cpu_ratio"] == pytest.approx(1.5)  # of the medians
    assert figures["plain"]["polars"]["wall_ratio"] == pytest.approx(1.5)
    assert figures["plain"]["polars"]["peak_mb"] == 100.0
    assert figures["ours"]["plain"][0]["rows_per_cpu_second"] == 35_000
    assert figures["limits"]["gunzip"][0]["cpu_seconds"] == 0.5
    plain, whole, limits = tables_of(figures)
    assert [row[0] for row in plain.rows] == ["ours", "polars"]
    assert whole.rows == []
    assert limits.rows[0][0] == "gunzip"
    assert limits.rows[0][-2:] == ("0.25", "0.17")
    assert limits.rows[-1][0] == "together"


def test_the_figures_of_a_peer_are_those_at_the_most_rows() -> None:
    runs = [measured("ours", 1.0), measured("with_polars", 9.0)]
    runs += [measured("ours", 10.0, rows=5_000_000), measured("with_polars", 20.0, rows=5_000_000)]
    assert figures_of(runs)["plain"]["polars"]["cpu_ratio"] == pytest.approx(2.0)


def test_runs_go_round_by_round_and_what_is_far_behind_runs_once() -> None:
    fast, slow = Case("ours", "plain", "engagement", 5, 1), Case("stdlib", "plain", "engagement", 5, 1)
    before = [Measurement(fast, 1.0, 1.0, 1.0, 1), Measurement(slow, 99.0, 99.0, 1.0, 1)]
    assert list(convert._due([[fast, slow]], 3, before)) == [fast, fast]
    assert list(convert._due([[fast, slow]], 2, [])) == [fast, slow, fast, slow]


@pytest.mark.parametrize(("rows", "runs_on_two_cores"), [(5_000, True), (5_000_000, False)])
def test_what_is_far_behind_at_the_most_rows_on_one_core_is_not_run_on_two(rows: int, runs_on_two_cores: bool) -> None:
    before = [measured("ours", 1.0, rows=rows), measured("stdlib", 99.0, rows=rows)]
    on_two = replace(before[1].case, cores=2)
    assert (on_two in convert._due([[on_two]], 1, before)) is runs_on_two_cores


def test_a_peer_that_counts_differently_is_no_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert, "_ours_counted", {})
    convert._check(Case("ours", "whole", "engagement", 5, 1), {"2026-11-20": {"rows": "5", "counts": "12.500000"}})
    convert._check(Case("stdlib", "whole", "engagement", 5, 1), {"2026-11-20": {"rows": "5", "counts": "12.5"}})
    with pytest.raises(DifferentAnswerError, match="stdlib counted other rows"):
        convert._check(Case("stdlib", "whole", "engagement", 5, 1), {"2026-11-20": {"rows": "4", "counts": "12.5"}})


def test_our_own_code_is_measured_in_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.samples.data.DATA", tmp_path / "data")
    monkeypatch.setattr(convert, "BUILD", tmp_path)
    measurement = convert._measure(Case("ours", "whole", "purchases_detailed", 200, 1), server="")
    assert measurement.cpu_seconds > 0
    assert measurement.peak_mb > 10
    assert measurement.output_bytes > 1_000


def test_a_measured_process_that_fails_says_why() -> None:
    with pytest.raises(RunFailedError, match="ZeroDivisionError"):
        run([sys.executable, "-c", "1 / 0"], {}, cores=1)


def test_the_pins_of_the_peers_are_complete() -> None:
    for name in ("requirements.txt", "requirements-awswrangler.txt"):
        lines = (convert.ROOT / "benchmarks" / "conversion" / name).read_text(encoding="utf-8").splitlines()
        assert [line for line in lines if not line.startswith("#") and line.count("==") != 1] == []


def test_the_sample_data_are_the_same_bytes_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = []
    for folder in ("first", "second"):
        monkeypatch.setattr("benchmarks.samples.data.DATA", tmp_path / folder)
        contents.append(segment("sessions", 300).read_bytes())
        assert segment("sessions", 300, app_id=APP_ID + 1).read_bytes() != contents[0]
    assert contents[0] == contents[1]
