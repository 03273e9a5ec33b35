"""Caveats about the result of an SQL query, derived from the tables and columns that its text names."""

import re
from collections.abc import Collection, Iterator
from itertools import chain

from appstore_analytics.contract.catalogue.definition import Role
from appstore_analytics.contract.kpis import KPIS
from appstore_analytics.contract.kpis.definition import Kpi
from appstore_analytics.contract.kpis.stored import KPIS_TABLE, PORTFOLIO
from appstore_analytics.contract.kpis.views import VIEWS
from appstore_analytics.contract.tables import IS_NEWEST_VINTAGE, CuratedTable, tables_by_name

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_WORD = re.compile(r"[a-z0-9_]+")
_VIEWS = {view.name: view for view in VIEWS}
_NOT_SUMMED = {
    Role.NON_ADDITIVE: "is not additive: a sum over rows or Dates counts the same people or devices again",
    Role.UNKNOWN: "may not be summed: Apple does not say whether it is additive",
}


def traps_of(query: str) -> tuple[str, ...]:
    """A sentence for each trap. A query that names nothing from the catalogue has none."""
    words = _words(query)
    tables = tables_in(query)
    found = chain(_of_tables(tables, words), _of_columns(tables, words), _of_marts(words))
    return tuple(dict.fromkeys(chain(found, (f"{kpi.label}: {kpi.trap}" for kpi in kpis_in(query)))))


def tables_in(query: str) -> tuple[CuratedTable, ...]:
    """The curated tables that the query names."""
    return tuple(tables_by_name()[word] for word in sorted(_words(query) & tables_by_name().keys()))


def kpis_in(query: str) -> tuple[Kpi, ...]:
    """The KPIs that the query names, by their names or their columns' in `marts`."""
    words = _words(query)
    if not words & {KPIS_TABLE, *_VIEWS}:
        return ()
    return tuple(kpi for kpi in KPIS if words & {kpi.name, kpi.label})


def _words(query: str) -> frozenset[str]:
    return frozenset(_WORD.findall(_COMMENT.sub(" ", query).lower()))


def _of_tables(tables: Collection[CuratedTable], words: Collection[str]) -> Iterator[str]:
    for table in tables:
        if table.keeps_vintages and IS_NEWEST_VINTAGE.name not in words:
            yield f"{table.name} has every vintage of a Date: add WHERE {IS_NEWEST_VINTAGE.name}, or sums count twice."
        if "_detailed" in table.name:
            yield f"{table.name} leaves out groups below five users and has noise: shares are right, totals are not."


def _of_columns(tables: Collection[CuratedTable], words: Collection[str]) -> Iterator[str]:
    for table in tables:
        for column in table.columns:
            if column.name in words and column.role in _NOT_SUMMED:
                yield f"{column.name} of {table.name} {_NOT_SUMMED[column.role]}."


def _of_marts(words: Collection[str]) -> Iterator[str]:
    if KPIS_TABLE in words:
        yield (
            f"{KPIS_TABLE} has a row for one dimension at a time, and app_id {PORTFOLIO} is all apps together: "
            "choose one of each before you sum."
        )
    for name in sorted(_VIEWS.keys() & set(words)):
        yield f"{name}: {_VIEWS[name].meaning}."
