"""Writes what the docs say twice, in the environment of the project: `python docs/generate.py`.

docs/reports.md is made of the catalogue; in docs/reliability.md the table of faults is made of the tests' list.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "layers" / "pipeline" / "python"))

from appstore_analytics.contract.catalogue import CORE_REPORT_NAMES, REPORTS
from appstore_analytics.contract.catalogue.definition import Category, Column, ReportDefinition
from appstore_analytics.contract.tables import APP_ID, EXTRA, IS_NEWEST_VINTAGE, PROCESSING_DATE, CuratedTable
from tests.integration.faults.fault_cases import CHAPTERS, FaultCase

_DOCS = Path(__file__).resolve().parent

_FAULTS_BEGIN = "<!-- faults: written by `python docs/generate.py` from tests/integration/faults/fault_cases.py -->\n"
_FAULTS_END = "<!-- end of faults -->\n"

_HEAD = """\
# Reports and tables

Written by `python docs/generate.py` from the catalogue (`contract/catalogue/`); a test fails when the two differ.

{reports} reports, {tables} tables. The {core} reports marked *core* have tables by default; the context key `reports`
chooses others. A table stands in the Glue database `curated` for each granularity that is both configured and built by
Apple.

Every table has these columns around Apple's own, and the partition `dt` (type `date`), which is Apple's Date:

{lineage}

How to read a report below:

- **Complete**: so many days after a Date Apple calls it complete. Weekly and monthly Dates are complete when first
  published. *Late rows* is Apple's word for telemetry: rows of a Date may arrive for so many days.
- **Newest vintage**: *replaces* where Apple states that the newest processing date holds all rows of a Date; *all kept*
  where Apple states no such rule, and the table's name ends in `_vintages`: choose one by `processing_date` or
  `is_newest_vintage` before you sum.
- **Role**: only an *additive measure* may be summed over rows. A *non-additive measure* (uniques) never may. Where
  Apple does not say, it is a *number of unknown additivity*.
- **Required**: a file without this column is quarantined. Any other missing column is null and named in the run report.
"""


def main() -> int:
    """Write the pages, or with --check compare; 1 when one is not current."""
    parser = argparse.ArgumentParser(prog="docs/generate.py", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit with 1 if a page is not current")
    check = parser.parse_args().check
    stale = 0
    for path, page in ((_DOCS / "reports.md", reports_page()), (_DOCS / "reliability.md", reliability_page())):
        if not check:
            path.write_text(page, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != page:
            sys.stderr.write(f"docs/{path.name} is not current: run `python docs/generate.py`.\n")
            stale = 1
    return stale


def reliability_page() -> str:
    """The page as it stands, with the table of faults anew; ValueError when its marks are missing."""
    before, rest = (_DOCS / "reliability.md").read_text(encoding="utf-8").split(_FAULTS_BEGIN)
    _, behind = rest.split(_FAULTS_END)
    tables = "\n".join(line for title, cases in CHAPTERS.items() for line in _faults(title, cases))
    return f"{before}{_FAULTS_BEGIN}\n{tables}\n{_FAULTS_END}{behind}"


def _faults(title: str, cases: Iterable[FaultCase]) -> Iterator[str]:
    yield from (f"### {title}", "")
    yield from _row("fault", "error", "verdict", "what happens", "the next run", "test")
    yield from _row(*["---"] * 6)
    for case in cases:
        error = f"`{case.error.__name__}`" if case.error else "none"
        verdict = f"**{case.verdict}**" if case.verdict.is_failure else str(case.verdict)
        yield from _row(case.fault, error, verdict, case.what_happens, case.healing, f"`{case.id}`")
    yield ""


def reports_page() -> str:
    """The whole page; the same catalogue gives the same text."""
    tables = sum(len(report.granularities) for report in REPORTS)
    head = _HEAD.format(reports=len(REPORTS), tables=tables, core=len(CORE_REPORT_NAMES), lineage="\n".join(_lineage()))
    blocks = [head, *(_category(category) for category in Category)]
    return "\n".join(blocks)


def _lineage() -> Iterator[str]:
    yield from _row("column", "type", "meaning")
    yield from _row("---", "---", "---")
    for column in (APP_ID, PROCESSING_DATE):
        yield from _row(f"`{column.name}`", column.type, f"{column.meaning}.")
    yield from _row(
        f"`{IS_NEWEST_VINTAGE.name}`",
        IS_NEWEST_VINTAGE.type,
        f"Only in `_vintages` tables. {IS_NEWEST_VINTAGE.meaning}.",
    )
    yield from _row(f"`{EXTRA.name}`", EXTRA.type, f"The last column. {EXTRA.meaning}; null where a row has none.")


def _category(category: Category) -> str:
    reports = [report for report in REPORTS if report.category is category]
    return "\n".join([f"## {category}", "", *(_report(report) for report in reports)])


def _report(report: ReportDefinition) -> str:
    core = " (core)" if report.name in CORE_REPORT_NAMES else ""
    tables = [CuratedTable(report, granularity) for granularity in report.granularities]
    lines = [
        f"### {report.name}{core}",
        "",
        f"- **Tables**: {', '.join(f'`{table.name}`' for table in tables)}",
        f"- **Granularities**: {', '.join(report.granularities)}",
        f"- **Complete**: {_completeness(report)}",
        f"- **Newest vintage**: {'replaces' if report.newest_vintage_replaces else 'all kept'}",
        f"- **History**: {f'from {report.history_from}' if report.history_from else 'Apple does not say'}",
        f"- **Apple's page**: [{report.documentation}]({report.documentation_url})",
        "",
        *_columns(report.columns),
        "",
    ]
    return "\n".join(lines)


def _completeness(report: ReportDefinition) -> str:
    if report.completeness_days is not None:
        return f"{report.completeness_days} days after the Date"
    if report.late_arrival_days is not None:
        return f"not stated; late rows for up to {report.late_arrival_days} days"
    return "not stated"


def _columns(columns: Iterable[Column]) -> Iterator[str]:
    yield from _row("column", "Apple's header", "type", "role", "required", "meaning")
    yield from _row("---", "---", "---", "---", "---", "---")
    for column in columns:
        required = "yes" if column.required else ""
        yield from _row(f"`{column.name}`", column.header, column.type, column.role, required, column.meaning)


def _row(*cells: str) -> Iterator[str]:
    yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


if __name__ == "__main__":
    sys.exit(main())
