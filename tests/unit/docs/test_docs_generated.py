import subprocess
import sys
from pathlib import Path

from appstore_analytics.contract.catalogue import REPORTS
from tests.unit.docs.reading_docs import ROOT

GENERATE = ROOT / "docs" / "generate.py"


def test_the_page_of_reports_is_what_the_catalogue_says() -> None:
    answer = subprocess.run([sys.executable, str(GENERATE), "--check"], capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_a_page_that_is_not_current_is_told_and_written_anew(tmp_path: Path) -> None:
    """On a copy: the page lies beside the program, and the catalogue beside both."""
    (tmp_path / "docs").mkdir()
    program = tmp_path / "docs" / "generate.py"
    program.write_bytes(GENERATE.read_bytes())
    (tmp_path / "layers").symlink_to(ROOT / "layers")

    stale = subprocess.run([sys.executable, str(program), "--check"], capture_output=True, text=True, check=False)
    assert stale.returncode == 1
    assert "run `python docs/generate.py`" in stale.stderr

    subprocess.run([sys.executable, str(program)], check=True)
    assert (tmp_path / "docs" / "reports.md").read_bytes() == (ROOT / "docs" / "reports.md").read_bytes()


def test_every_report_has_its_chapter() -> None:
    page = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")
    chapters = [line.removeprefix("### ").removesuffix(" (core)") for line in page.splitlines() if line[:4] == "### "]
    assert sorted(chapters) == sorted(report.name for report in REPORTS)
