"""docs/reports.md, all of it from the catalogue."""

from collections.abc import Iterable, Iterator

from appstore_analytics.contract.catalogue import CORE_REPORT_NAMES, REPORTS
from appstore_analytics.contract.catalogue.definition import Category, Column, ReportDefinition
from appstore_analytics.contract.catalogue.values import KNOWN_VALUES, KnownValues
from appstore_analytics.contract.tables import APP_ID, EXTRA, PROCESSING_DATE, VINTAGE_COLUMNS, CuratedTable
from docs.pages import anchor, row
from docs.report_questions import QUESTIONS

_HEAD = """\
# Reports and tables

Written by `python docs/generate.py` from the catalogue (`contract/catalogue/`); a test fails when the two differ.

{reports} reports, {tables} tables. The {core} reports marked *core* have tables by default; the configuration key
[`reports`](configuration.md) chooses others. The Glue database `curated` has a table for each granularity that is both
configured and built by Apple.

## Which report answers which question?

{questions}

*Standard* reports are complete. *Detailed* ones have more columns, but Apple leaves out small groups and adds noise:
use them for shares, not for totals, and never add the two. [kpis.md](kpis.md) has the formula and the query of each
KPI. Each of the other {others} reports counts the use of one of Apple's frameworks; find them by name: {names}

## Known values

Values that these columns are known to have. The lists are not complete, and the case of a value differs between files:
compare `lower(…)`.

{values}

## Columns of every table

In addition to Apple's columns every table has these, and the partition `dt` (type `date`), which is Apple's
[Date](glossary.md):

{lineage}

## How to read a report below

- **Complete**: the number of days after a Date until Apple calls it complete. Weekly and monthly Dates are complete
  when first published. *Late rows* is Apple's word for telemetry: rows of a Date can arrive for that many days.
- **Newest vintage**: *replaces* if Apple documents that the newest processing date has all rows of a Date; *all kept*
  if Apple documents no such rule, and the table's name ends in `_vintages`: choose one [vintage](glossary.md) by
  `instance_id` or `is_newest_vintage` before you sum. `processing_date` alone does not choose: two instances can share
  it.
- **Role**: only an *additive measure* can be summed over rows. A *non-additive measure* (uniques) never can. Where
  Apple does not say, it is a *number of unknown additivity*.
- **Apple's header**: compared without spaces, punctuation and case. *also* lists Apple's other spellings, which are
  read as the same column; `contract/catalogue/` says where each was seen.
- **Required**: a file without this column is quarantined. Any other missing column is null and named in the run report.
"""


def reports_page() -> str:
    """The whole page; the same catalogue gives the same text."""
    tables = sum(len(report.granularities) for report in REPORTS)
    others = [report for report in REPORTS if report.name not in CORE_REPORT_NAMES]
    head = _HEAD.format(
        reports=len(REPORTS),
        tables=tables,
        core=len(CORE_REPORT_NAMES),
        others=len(others),
        questions="\n".join(_questions()),
        names=", ".join(_link(report, report.name) for report in others) + ".",
        values="\n".join(_values()),
        lineage="\n".join(_lineage()),
    )
    blocks = [head, *(_category(category) for category in Category)]
    return "\n".join(blocks)


def _questions() -> Iterator[str]:
    by_stem = {report.table: report for report in REPORTS}
    yield from row("question", "table")
    yield from row("---", "---")
    for question, stems in QUESTIONS:
        tables = (CuratedTable(by_stem[stem], by_stem[stem].granularities[0]) for stem in stems)
        yield from row(question, ", ".join(_link(table.report, f"`{table.name}`") for table in tables))


def _link(report: ReportDefinition, text: str) -> str:
    return f"[{text}](#{anchor(_title(report))})"


def _values() -> Iterator[str]:
    yield from row("column", "known values", "source")
    yield from row("---", "---", "---")
    for known in KNOWN_VALUES:
        yield from row(_column_of(known), ", ".join(f"`{value}`" for value in known.values), known.source)


def _column_of(known: KnownValues) -> str:
    tables = ", ".join(f"`{stem}`" for stem in known.reports)
    return f"`{known.column}` of {tables}" if tables else f"`{known.column}`"


def _lineage() -> Iterator[str]:
    yield from row("column", "type", "meaning")
    yield from row("---", "---", "---")
    for column in (APP_ID, PROCESSING_DATE):
        yield from row(f"`{column.name}`", column.type, f"{column.meaning}.")
    for column in VINTAGE_COLUMNS:
        yield from row(f"`{column.name}`", column.type, f"Only in `_vintages` tables. {column.meaning}.")
    yield from row(f"`{EXTRA.name}`", EXTRA.type, f"The last column. {EXTRA.meaning}; null if a row has none.")


def _category(category: Category) -> str:
    reports = [report for report in REPORTS if report.category is category]
    return "\n".join([f"## {category}", "", *(_report(report) for report in reports)])


def _report(report: ReportDefinition) -> str:
    tables = [CuratedTable(report, granularity) for granularity in report.granularities]
    lines = [
        f"### {_title(report)}",
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


def _title(report: ReportDefinition) -> str:
    return f"{report.name} (core)" if report.name in CORE_REPORT_NAMES else report.name


def _completeness(report: ReportDefinition) -> str:
    if report.completeness_days is not None:
        return f"{report.completeness_days} days after the Date"
    if report.late_arrival_days is not None:
        return f"not stated; late rows for up to {report.late_arrival_days} days"
    return "not stated"


def _columns(columns: Iterable[Column]) -> Iterator[str]:
    yield from row("column", "Apple's header", "type", "role", "required", "meaning")
    yield from row("---", "---", "---", "---", "---", "---")
    for column in columns:
        required = "yes" if column.required else ""
        header = ", also ".join((column.header, *(alias.header for alias in column.aliases)))
        yield from row(f"`{column.name}`", header, column.type, column.role, required, column.meaning)
