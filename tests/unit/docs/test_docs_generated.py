import re
import subprocess
import sys
from pathlib import Path

import pytest

from appstore_analytics.contract.catalogue import CORE_REPORT_NAMES, REPORTS
from appstore_analytics.contract.kpis import KPIS
from docs.report_questions import QUESTIONS
from local.apple import FaultKind
from tests.integration.faults.fault_cases import CASES
from tests.unit.docs.reading_docs import ROOT
from workshop import setup

GENERATE = ROOT / "docs" / "generate.py"
WRITTEN = (
    *("docs/reports.md", "docs/kpis.md", "docs/reliability.md", "docs/pictures/pipeline.svg", "docs/openapi.json"),
    *("docs/dbt/sources.yml", "console/api/answers.d.ts"),
)


def test_the_pages_are_what_the_catalogue_and_the_list_of_faults_say() -> None:
    answer = subprocess.run([sys.executable, str(GENERATE), "--check"], capture_output=True, text=True, check=False)
    if answer.returncode:
        pytest.fail(answer.stderr, pytrace=False)  # an assertion would truncate the advice


@pytest.mark.skipif(not setup.is_complete(), reason="it would make .venv anew, below this very process")
def test_outside_of_venv_it_gives_the_same_answer() -> None:
    command = [str(Path(sys.base_prefix) / "bin" / "python3"), "docs/generate.py", "--check"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_a_page_that_is_not_current_is_told_and_written_anew(tmp_path: Path) -> None:
    """On a copy: the pages are next to the program, their sources next to both."""
    (tmp_path / "docs").mkdir()
    for source in GENERATE.parent.glob("*.py"):
        (tmp_path / "docs" / source.name).write_bytes(source.read_bytes())
    program = tmp_path / "docs" / "generate.py"
    for folder in ("layers", "local", "tests"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    faults = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "docs" / "reliability.md").write_text("".join(line for line in faults if "503" not in line))

    stale = subprocess.run([sys.executable, str(program), "--check"], capture_output=True, text=True, check=False)
    assert stale.returncode == 1
    for page in WRITTEN:
        assert f"{page} is out of date: run `python docs/generate.py` and commit the result.\n" in stale.stderr

    subprocess.run([sys.executable, str(program)], check=True)
    for page in WRITTEN:
        assert (tmp_path / page).read_bytes() == (ROOT / page).read_bytes()


def test_every_report_has_its_chapter() -> None:
    page = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")
    chapters = [line.removeprefix("### ").removesuffix(" (core)") for line in page.splitlines() if line[:4] == "### "]
    assert sorted(chapters) == sorted(report.name for report in REPORTS)


def test_every_report_with_tables_by_default_answers_a_question() -> None:
    asked = {stem for _, stems in QUESTIONS for stem in stems}
    assert asked == {report.table for report in REPORTS if report.name in CORE_REPORT_NAMES}


def test_every_kpi_has_its_chapter_its_trap_and_its_query() -> None:
    page = (ROOT / "docs" / "kpis.md").read_text(encoding="utf-8")
    assert re.findall(r"^### (.*)$", page, re.MULTILINE) == [kpi.name for kpi in KPIS]
    assert all(f"- **Trap**: {kpi.trap}\n" in page for kpi in KPIS)
    assert page[page.index("\n## ") :].count("```sql\n") == len(KPIS)


def test_every_kind_of_fault_is_tried_and_every_fault_has_its_row_with_a_test_of_its_own() -> None:
    assert {fault.kind for case in CASES for fault in case.orders} == set(FaultKind)
    ids = [case.id for case in CASES]
    assert len(set(ids)) == len(ids)
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    assert re.findall(r"\| `([a-z0-9-]+)` \|$", page, re.MULTILINE) == ids
