"""The tools: questions that read. None starts a run, asks Apple or writes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.facts import Facts
from appstore_analytics.answers.kpi_report import KpiReport
from appstore_analytics.answers.query_traps import kpis_in, tables_in
from appstore_analytics.contract.kpis import KPIS
from operations import questions
from operations.agents.answering import Answered, Here, by_table
from operations.agents.arguments import Argument, Given, Kind
from operations.options import no_later_than_today, not_before_all, not_too_early
from operations.questions import KpiWish

MOST_VALUES = 20_000
MOST_ROWS = 1_000
_ROWS_BY_DEFAULT = 200
_EXACT = "exact"
_TOTALS = "A measure's total covers all rows of the table, whatever their event: it is not the value of a KPI."


@dataclass(frozen=True, slots=True)
class Tool:
    """One question. `command` asks the same on the command line, with the same arguments."""

    name: str
    title: str
    words: str
    command: str
    arguments: tuple[Argument, ...]
    ask: Callable[[Here, Given], Answered]


_APPS = Argument("apps", Kind.TEXTS, "Only these apps, by id or name; without any, all.", "--apps")


def _since(words: str) -> Argument:
    return Argument("from", Kind.DAY, words, "--from")


def _first_day(given: Given) -> date | None:
    """The earliest requested day; Refused if it has not begun."""
    moment = no_later_than_today(given.moment("from"))
    return moment.date() if moment else None


def _plain(here: Here, facts: Facts) -> Answered:
    """An answer without KPIs: the tables say until which Date the data is complete."""
    return Answered(facts, here.complete_until)


def _list_apps(here: Here, given: Given) -> Answered:
    return _plain(here, questions.apps(here.installation, given.texts("apps")))


def _list_kpis(here: Here, _: Given) -> Answered:
    found = questions.kpi_names(here.installation)
    bounds = {kpi.name: kpi.bound for kpi in found.kpis if kpi.bound != _EXACT}
    return Answered(found, here.complete_until, bounds)


def _query_kpis(here: Here, given: Given) -> Answered:
    start, end = not_too_early(given.moment("from")), not_before_all(given.moment("to"))
    wish = KpiWish(
        given.texts("metrics"),
        given.text("by") or "",
        given.texts("apps"),
        start.date() if start else None,
        end.date() if end else None,
        compared=given.text("compare") is not None,
    )
    found = questions.kpis(here.installation, wish, here.today)
    _refuse_too_many(found)
    return Answered(
        found,
        {kpi.name: _complete_until(found, kpi.name) for kpi in found.kpis},
        {kpi.name: kpi.bound for kpi in found.kpis if kpi.bound != _EXACT},
        (*found.notices, *(f"{kpi.title}: {kpi.trap}" for kpi in found.kpis)),
    )


def _refuse_too_many(answer: KpiReport) -> None:
    values = sum(len(series.points) for series in answer.series)
    if values > MOST_VALUES:
        raise Refused(
            f"The answer would have {values:,} values, and at most {MOST_VALUES:,} are allowed: "
            "ask for fewer metrics, apps or Dates, or without 'by'."
        )


def _complete_until(answer: KpiReport, kpi: str) -> date | None:
    """The earliest of all series of a KPI."""
    ends = [series.complete_until for series in answer.series if series.kpi == kpi]
    return min((end for end in ends if end), default=None) if all(ends) else None


def _health(here: Here, given: Given) -> Answered:
    return _plain(here, questions.health(here.installation, given.texts("apps"), here.today))


def _gaps(here: Here, given: Given) -> Answered:
    found = questions.gaps(here.installation, given.texts("apps"), here.today, _first_day(given))
    return Answered(found, by_table(found))


def _releases(here: Here, given: Given) -> Answered:
    found = questions.releases(here.installation, given.texts("apps"), _first_day(given))
    inferred = "A released_on with is_inferred is the first Date with sessions: the release can be earlier."
    return Answered(found, here.complete_until, traps=(inferred,))


def _restatements(here: Here, given: Given) -> Answered:
    start, end = not_too_early(given.moment("from")), not_before_all(given.moment("to"))
    first, last = (each.date() if each else None for each in (start, end))
    found = questions.restatements(here.installation, given.texts("apps"), first, last, here.today)
    if len(found.restatements) > MOST_ROWS:
        raise Refused(
            f"The answer would have {len(found.restatements):,} numbers, and at most {MOST_ROWS:,} are allowed: "
            "ask for fewer apps or Dates."
        )
    return Answered(found, here.complete_until, traps=(_TOTALS,))


def _run(here: Here, given: Given) -> Answered:
    return _plain(here, questions.run(here.installation, given.text("run") or ""))


def _sql(here: Here, given: Given) -> Answered:
    query = given.text("query") or ""
    found = questions.sql(here.installation, query, given.count("limit"))
    named = {table.name for table in tables_in(query)}
    named |= {table.name for kpi in kpis_in(query) for table in kpi.tables}
    until = {name: day for name, day in here.complete_until.items() if name in named or not named}
    bounds = {kpi.label: kpi.precision for kpi in kpis_in(query) if kpi.precision != _EXACT}
    return Answered(found, until, bounds, found.traps)


TOOLS: tuple[Tool, ...] = (
    Tool(
        "list_kpis",
        "List of KPIs",
        "Every KPI: formula, unit, bound, trap, the dimensions it can be split by, and whether its tables are deployed."
        " Ask this first.",
        "kpis",
        (),
        _list_kpis,
    ),
    Tool(
        "query_kpis",
        "KPIs by Date",
        "Values of KPIs for each Date, with a state: final, preliminary, zero, missing, quarantined, not due. "
        "A value of null is unknown, never zero. total is over the final Dates.",
        "kpis",
        (
            Argument(
                "metrics",
                Kind.TEXTS,
                f'Names from list_kpis, such as ["{KPIS[0].name}", "total_downloads"].',
                "--metrics",
                is_required=True,
            ),
            Argument("by", Kind.TEXT, "app, or a dimension that the KPI has, such as territory.", "--by"),
            _APPS,
            _since("The first Date; without it, 28 Dates."),
            Argument("to", Kind.DAY, "The last Date; without it, yesterday (UTC).", "--to"),
            Argument(
                "compare",
                Kind.TEXT,
                "previous: next to the period of the same length before.",
                "--compare",
                choices=("previous",),
            ),
        ),
        _query_kpis,
    ),
    Tool("list_apps", "List of apps", "Ids and names of the apps that are fetched.", "apps", (_APPS,), _list_apps),
    Tool(
        "health",
        "Is all well",
        "Says in one sentence whether all is well, and if not, what needs attention, and from whom. With apps: why is "
        "this app missing?",
        "health",
        (_APPS,),
        _health,
    ),
    Tool(
        "gaps",
        "What is missing",
        "Dates that should be complete but are not, with cause and repair, and the Date until which each table is "
        "complete.",
        "gaps",
        (_APPS, _since("Ignore earlier Dates.")),
        _gaps,
    ),
    Tool(
        "list_releases",
        "When versions were released",
        "Versions of apps with their day of release, to compare with a change of a KPI.",
        "releases",
        (_APPS, _since("Leave out earlier releases.")),
        _releases,
    ),
    Tool(
        "restatements",
        "Final numbers that changed",
        "Totals that changed although Apple had called them final: app, table, Date, measure, before, now, when, "
        "and whether Apple or a person's run changed them.",
        "restatements",
        (
            _APPS,
            _since("The first Date; without it, 28 Dates."),
            Argument("to", Kind.DAY, "The last Date; without it, yesterday (UTC).", "--to"),
        ),
        _restatements,
    ),
    Tool(
        "run",
        "One run",
        "Totals, apps by verdict and errors of one run of the pipeline.",
        "run",
        (Argument("run", Kind.TEXT, "A run's id, its beginning, or newest.", default="newest"),),
        _run,
    ),
    Tool(
        "sql",
        "Ask Athena",
        "One SELECT in Athena's SQL over the databases curated (Apple's rows), marts (KPIs, one view for each "
        "question) and appstore (runs). It costs money by the bytes scanned: always bound dt.",
        "sql",
        (
            Argument(
                "query", Kind.TEXT, "Such as SELECT dt, SUM(counts) FROM downloads GROUP BY dt.", is_required=True
            ),
            Argument(
                "limit",
                Kind.COUNT,
                "The maximum number of rows.",
                "--limit",
                at_most=MOST_ROWS,
                default=_ROWS_BY_DEFAULT,
            ),
        ),
        _sql,
    ),
)
"""In the order of their usefulness."""
