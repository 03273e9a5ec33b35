"""docs/reliability.md: its text is kept, and its tables of faults follow from the list that the tests run."""

from collections.abc import Iterable, Iterator

from docs.pages import FOLDER, row
from tests.integration.faults.fault_case import FaultCase
from tests.integration.faults.fault_cases import CHAPTERS

_FAULTS_BEGIN = "<!-- faults: written by `python docs/generate.py` from tests/integration/faults/fault_cases.py -->\n"
_FAULTS_END = "<!-- end of faults -->\n"


def reliability_page() -> str:
    """The current page with a new table of faults; ValueError if its marks are missing."""
    before, rest = (FOLDER / "reliability.md").read_text(encoding="utf-8").split(_FAULTS_BEGIN)
    _, behind = rest.split(_FAULTS_END)
    tables = "\n".join(line for title, cases in CHAPTERS.items() for line in _faults(title, cases))
    return f"{before}{_FAULTS_BEGIN}\n{tables}\n{_FAULTS_END}{behind}"


def _faults(title: str, cases: Iterable[FaultCase]) -> Iterator[str]:
    yield from (f"### {title}", "")
    yield from row("fault", "error", "verdict", "what happens", "the next run", "test")
    yield from row(*["---"] * 6)
    for case in cases:
        error = f"`{case.error.__name__}`" if case.error else "none"
        verdict = f"**{case.verdict}**" if case.verdict.is_failure else str(case.verdict)
        yield from row(case.fault, error, verdict, case.what_happens, case.healing, f"`{case.id}`")
    yield ""
