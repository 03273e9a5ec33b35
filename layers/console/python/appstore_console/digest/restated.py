"""What Apple restated within a week: a line for each table of each app, made of the API's restatements."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from appstore_analytics.answers.restatements import RestatementLine
from appstore_analytics.model.kpis import Number
from appstore_analytics.model.restatements import ROWS, ChangeCause


@dataclass(frozen=True, slots=True)
class RestatedMeasure:
    """The sum over the restated Dates, before and now."""

    measure: str
    before: Number
    now: Number


@dataclass(frozen=True, slots=True)
class RestatedTable:
    """One table of one app, with its restated Dates, oldest first."""

    app: str
    table_name: str
    days: tuple[date, ...]
    measures: tuple[RestatedMeasure, ...]


def restated_tables(lines: Iterable[RestatementLine]) -> tuple[RestatedTable, ...]:
    """The tables with the most restated Dates first. What a person reprocessed or took back is not among them.

    Of a number that changed more than once it is the first and the last value. `lines` have the newest change first.
    """
    found: dict[tuple[str, str], dict[tuple[str, date], RestatementLine]] = defaultdict(dict)
    newest: dict[tuple[str, str, str, date], Number | None] = {}
    for line in lines:
        if line.cause is ChangeCause.RESTATED:
            newest.setdefault((line.app_id, line.table_name, line.measure, line.day), line.now)
            found[line.app_id, line.table_name][line.measure, line.day] = line
    tables = (_table(*key, changes, newest) for key, changes in found.items())
    return tuple(sorted(tables, key=lambda table: (-len(table.days), table.app, table.table_name)))


def _table(
    app_id: str,
    table_name: str,
    changes: Mapping[tuple[str, date], RestatementLine],
    newest: Mapping[tuple[str, str, str, date], Number | None],
) -> RestatedTable:
    """`changes` are the oldest change of each number, `newest` what it is now."""
    before: dict[str, Number] = defaultdict(int)
    now: dict[str, Number] = defaultdict(int)
    for (measure, day), line in changes.items():
        before[measure] += line.before or 0
        now[measure] += newest[app_id, table_name, measure, day] or 0
    measures = (RestatedMeasure(name, before[name], now[name]) for name in sorted(before))
    counted = tuple(one for one in measures if one.before != one.now and (one.measure != ROWS or len(before) == 1))
    app = next(line.app_name for line in changes.values()) or app_id
    return RestatedTable(app, table_name, tuple(sorted({day for _, day in changes})), counted)
