import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appstore_analytics.answers.catalogue_patch import catalogue_patch
from appstore_analytics.answers.schema_sources import guessed_type
from appstore_analytics.contract.catalogue import REPORTS, REPORTS_BY_NAME
from appstore_analytics.contract.catalogue.definition import ColumnType

ROOT = Path(__file__).resolve().parents[3]
CATALOGUE = "layers/pipeline/python/appstore_analytics/contract/catalogue"
SESSIONS = REPORTS_BY_NAME["App Sessions Standard"]
READ_BACK = (
    "import sys; from appstore_analytics.contract.catalogue import REPORTS_BY_NAME;"
    "print([(c.header, c.type.name, c.role.name) for c in REPORTS_BY_NAME[sys.argv[1]].columns])"
)


@dataclass
class Project:
    """A copy of the catalogue in a separate folder, with a method to patch it."""

    folder: Path

    def apply(self, patch: str) -> None:
        subprocess.run(["git", "apply", "-"], cwd=self.folder, input=patch, text=True, check=True, capture_output=True)

    def columns(self, report: str) -> list[tuple[str, str, str]]:
        answer = subprocess.run(
            [sys.executable, "-S", "-E", "-c", READ_BACK, report],
            cwd=self.folder / "layers/pipeline/python",
            capture_output=True,
            text=True,
            check=True,
        )
        return list(eval(answer.stdout))  # noqa: S307 (a list of strings that we printed ourselves)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    package = tmp_path / "layers/pipeline/python/appstore_analytics/contract"
    (package / "catalogue").mkdir(parents=True)
    (package.parent / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    for source in (ROOT / CATALOGUE).glob("*.py"):
        (package / "catalogue" / source.name).write_bytes(source.read_bytes())
    return Project(tmp_path)


def test_the_patch_adds_new_columns_to_their_report_alone(project: Project) -> None:
    before = {name: project.columns(name) for name in (SESSIONS.name, "App Sessions Detailed")}
    new = {"Session Quality": ColumnType.STRING, "Crash Count": ColumnType.INT64, "Seen On": ColumnType.DATE}
    project.apply(catalogue_patch({SESSIONS: new}))
    assert project.columns(SESSIONS.name) == [
        *before[SESSIONS.name],
        ("Session Quality", "STRING", "DIMENSION"),
        ("Crash Count", "INT64", "UNKNOWN"),
        ("Seen On", "DATE", "DIMENSION"),
    ]
    assert project.columns("App Sessions Detailed") == before["App Sessions Detailed"]


def test_reports_of_several_modules_are_patched_at_once(project: Project) -> None:
    crashes = REPORTS_BY_NAME["App Crashes"]
    project.apply(catalogue_patch({SESSIONS: {"A": ColumnType.STRING}, crashes: {"B": ColumnType.STRING}}))
    assert project.columns(SESSIONS.name)[-1][0] == "A"
    assert project.columns(crashes.name)[-1][0] == "B"


def test_every_report_of_the_catalogue_can_be_patched() -> None:
    patch = catalogue_patch({report: {"Brand New": ColumnType.STRING} for report in REPORTS})
    assert patch.count('+            Column("Brand New"),') == len(REPORTS)


def test_nothing_new_is_no_patch() -> None:
    assert catalogue_patch({}) == ""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(header=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_no_header_of_a_file_gets_out_of_its_quotes(header: str) -> None:
    patch = catalogue_patch({SESSIONS: {header: ColumnType.STRING}})
    (line,) = [line for line in patch.splitlines() if line.startswith("+ ")]
    call = line[1:].strip().rstrip(",")
    compiled = compile(call, "<column>", "eval")
    assert compiled.co_names == ("Column",)
    assert header in compiled.co_consts


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-20"], ColumnType.INT64),
        (["2026-11-20", "2026-11-21"], ColumnType.DATE),
        (["1", "iPhone"], ColumnType.STRING),
        (["1.5"], ColumnType.STRING),
        ([], ColumnType.STRING),
    ],
)
def test_a_type_is_guessed_only_where_every_cell_has_it(values: list[str], kind: ColumnType) -> None:
    assert guessed_type(values) is kind
