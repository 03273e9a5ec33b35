"""docs/kpis.md, all of it from the KPI catalogue."""

from collections.abc import Iterator

from appstore_analytics.contract.kpis import KPIS, NOT_IN_THESE_REPORTS
from appstore_analytics.contract.kpis.catalogue import DOWNLOADS, MONEY, STORE, SUBSCRIPTIONS, USAGE
from appstore_analytics.contract.kpis.definition import Additivity, Basis, Kpi
from appstore_analytics.contract.kpis.sql import query
from appstore_analytics.contract.kpis.stored import STATE_MEANINGS
from appstore_analytics.rules.source_states import JUDGED_DAYS
from docs.pages import row

_HEAD = """\
# KPIs

Written by `python docs/generate.py` from the KPI catalogue (`contract/kpis/`); a test fails when the two differ.

{kpis} common key figures, as formulas over the tables of [reports.md](reports.md). Each has a *trap*: read it before
you compare the number with another one.

The *kind* says how values of several [Dates](glossary.md), or of several slices of one Date, combine:

- **sum**: exact, for any slice and any period.
- **ratio of sums**: divide the sums, never average ratios. It can be split by dimensions that all its tables have.
- **stock**: a state on a Date. It can be summed over slices of that Date, never over Dates.
- **bound**: the true value is *at most* or *at least* this, because Apple's uniques do not add up. Weeks and months
  have separate KPIs, from Apple's weekly and monthly tables, which exist with `"granularities": ["DAILY", "WEEKLY",
  "MONTHLY"]` in `cdk.json`.
- **estimate**: neither exact nor a bound.

Only Standard reports are used: Detailed ones leave out groups below five users and add noise. Values are compared in
lower case, because Apple's spelling differs between files. A missing row is missing data, not a zero: the view
`marts.app_daily` has a row for each app and due Date, and says for each source what its KPIs are worth.

| `downloads_state` … | the KPIs from this table |
| --- | --- |
{states}

The states are those of `./manage.py gaps`. The run that publishes a Date stores them in `marts.states`, and each run
judges the Dates of the newest {judged_days} days again, so a state can be a day old; none is derived from today's date.
A state is null for older Dates until a run publishes them again (`./manage.py rebuild-kpis`). Where a state is
`missing` or `quarantined` beside a number, the number is of an older file. NULL is never a zero.

```sql
SELECT dt, app_id, total_downloads, downloads_state
FROM marts.app_daily
WHERE dt BETWEEN CURRENT_DATE - INTERVAL '10' DAY AND CURRENT_DATE - INTERVAL '3' DAY
    AND downloads_state IN ('missing', 'quarantined')
ORDER BY dt, app_id
```

The queries return every app's value for the Dates of the newest four weeks that Apple calls complete (eight weeks,
three months of the weekly and monthly tables). Sums and ratios cover these Dates together; stocks, bounds and estimates
have a row for each Date.
"""

_CHAPTERS = {
    "On the App Store": STORE,
    "Downloads": DOWNLOADS,
    "Use": USAGE,
    "Money": MONEY,
    "Subscriptions": SUBSCRIPTIONS,
}

_BASIS = {
    Basis.DATES: "",
    Basis.COHORT: "; for people who downloaded on one Date, a number of days later",
    Basis.OPENING: "; the divisor is of the Date before the period",
}


def kpis_page() -> str:
    """The whole page; the same catalogue gives the same text."""
    states = "\n".join(f"| `{state}` | {meaning} |" for state, meaning in STATE_MEANINGS.items())
    lines = [_HEAD.format(kpis=len(KPIS), states=states, judged_days=JUDGED_DAYS), *_overview()]
    for title, kpis in _CHAPTERS.items():
        lines += ["", f"## {title}", *(line for kpi in kpis for line in _kpi(kpi))]
    lines += ["", "## Not in these reports", ""]
    lines += [f"- **{what}**: {why}." for what, why in NOT_IN_THESE_REPORTS.items()]
    return "\n".join(lines) + "\n"


def _overview() -> Iterator[str]:
    yield from row("KPI", "formula", "from", "complete after", "kind")
    yield from row(*["---"] * 5)
    for kpi in KPIS:
        tables = ", ".join(f"`{table.name}`" for table in kpi.tables)
        yield from row(f"[`{kpi.name}`](#{kpi.name})", kpi.formula, tables, f"{kpi.window_days} days", _kind(kpi))


def _kind(kpi: Kpi) -> str:
    return f"{kpi.additivity}: {kpi.bound}" if kpi.bound else str(kpi.additivity)


def _kpi(kpi: Kpi) -> Iterator[str]:
    dimensions = ", ".join(f"`{dimension}`" for dimension in kpi.dimensions)
    yield from ("", f"### {kpi.name}", "", f"**{kpi.title}** ({kpi.unit}) = {kpi.formula}", "")
    yield f"- **Kind**: {_kind(kpi)}{_BASIS[kpi.basis]}"
    yield f"- **Split by**: {dimensions or 'nothing'}"
    if kpi.additivity is Additivity.BOUND and kpi.weekly and kpi.name not in (kpi.weekly, kpi.monthly):
        yield f"- **Per week, per month**: `{kpi.weekly}`, `{kpi.monthly}`"
    yield f"- **Trap**: {kpi.trap}"
    yield from ("", "```sql", query(kpi), "```")
