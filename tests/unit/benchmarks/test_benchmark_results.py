import json
from pathlib import Path

import pytest

from benchmarks import results
from benchmarks.results import Table, arguments, page_with_results, report

TABLE = Table("Rows", ("who", "seconds"), (("ours", "1.0"), ("another", "12.5")), note="in seconds")


def test_a_table_is_plain_text_whose_numbers_end_at_the_right() -> None:
    assert str(TABLE) == (
        "Rows\nwho       seconds\n─────────────────\nours          1.0\nanother      12.5\nin seconds"
    )


def test_a_quick_result_is_printed_and_written_but_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results")
    asked = arguments("sample", "…").parse_args(["--quick", "--json", str(tmp_path / "figures.json")])
    report("sample", {"plain": {"another": {"cpu_ratio": 12.5}}}, [TABLE], {"pyarrow": "26"}, asked)
    written = json.loads((tmp_path / "figures.json").read_text())
    assert written["plain"] == {"another": {"cpu_ratio": 12.5}}
    assert written["about"]["machine"]["cores"]
    assert str(TABLE) in capsys.readouterr().out
    assert not (tmp_path / "results").exists()


def test_a_full_result_is_kept_and_the_page_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    report("sample", {}, [TABLE], {"pyarrow": "26"}, arguments("sample", "…").parse_args([]))
    page = page_with_results("# A\n\n<!-- sample -->\nold\n<!-- end -->\n\nb\n", [tmp_path / "sample.json"])
    assert str(TABLE) in page
    assert "pyarrow 26." in page
    assert "old" not in page
    assert page.startswith("# A\n\n<!-- sample -->\n```text\n")
    assert page.endswith("<!-- end -->\n\nb\n")
    assert page_with_results(page, [tmp_path / "sample.json"]) == page
    with pytest.raises(ValueError, match="add the line <!-- sample -->"):
        page_with_results("# A\n", [tmp_path / "sample.json"])
