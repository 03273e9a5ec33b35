"""A KPI question as SQL over Apple's rows: `answers/kpi_report.py` answers the same from stored amounts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from appstore_analytics.contract.kpis.definition import LAST_DAY_SINCE_DOWNLOAD, Basis, Dimension, Kpi
from appstore_analytics.contract.kpis.sql import sum_of, value_of
from appstore_analytics.contract.names import Database
from appstore_analytics.contract.tables import IS_NEWEST_VINTAGE, CuratedTable

_AGE = f"date_diff('day', {Dimension.DAYS_SINCE_DOWNLOAD.column}, dt)"
_COHORT = Dimension.DAYS_SINCE_DOWNLOAD.column


@dataclass(frozen=True, slots=True)
class SqlQuestion:
    """The Dates from `start` to `end`, of these apps or of all, for each app if `by_app`.

    `dimension` splits the KPI, None if nothing does. With `only` it is restricted to one `value` of the dimension
    instead; a `value` of None is Apple's null.
    """

    start: date
    end: date
    app_ids: tuple[str, ...] = ()
    by_app: bool = False
    dimension: str | None = None
    only: bool = False
    value: str | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The dimensions by which the rows of the answer are grouped."""
        split = (self.dimension,) if self.dimension and not self.only else ()
        return ("dt", *(("app_id",) if self.by_app else ()), *split)


def question_sql(kpi: Kpi, question: SqlQuestion, databases: Mapping[Database, str]) -> str:
    """One SELECT for Athena, with a row for each Date (and app, and value) that has rows."""
    curated = databases[Database.CURATED]
    if kpi.basis is Basis.COHORT:
        return _of_cohorts(kpi, question, curated)
    keys = [_spelled(key) for key in question.keys]
    if len(kpi.tables) == 1:
        value = f"{value_of(kpi, sum_of)} AS {kpi.label}"
        return f"{_select(kpi.tables[0], question, [*keys, value], curated)}\nORDER BY {_numbers(keys)}"
    first, *others = sorted(kpi.tables, key=lambda table: table not in [amount.table for amount in kpi.over])
    parts = ",\n".join(f"{table.name} AS (\n{_part(kpi, table, question, curated)}\n)" for table in (first, *others))
    names = ", ".join(question.keys)
    joins = "".join(f"\nLEFT JOIN {table.name} USING ({names})" for table in others)
    value = value_of(kpi, lambda amount: amount.name)
    return f"WITH {parts}\nSELECT {names}, {value} AS {kpi.label}\nFROM {first.name}{joins}\nORDER BY {_numbers(keys)}"


def _part(kpi: Kpi, table: CuratedTable, question: SqlQuestion, curated: str) -> str:
    """The amounts of one table; the opening stock of a period is taken as an amount of the next Date."""
    columns = [f"{sum_of(amount)} AS {amount.name}" for amount in kpi.amounts if amount.table == table]
    keys = [_spelled(key) for key in question.keys]
    if kpi.basis is Basis.OPENING and _is_divisor(kpi, table):
        keys[0] = "date_add('day', 1, dt) AS dt"
        day = timedelta(days=1)
        earlier = replace(question, start=question.start - day, end=question.end - day)
        return _indented(_select(table, earlier, [*keys, *columns], curated))
    return _indented(_select(table, question, [*keys, *columns], curated))


def _is_divisor(kpi: Kpi, table: CuratedTable) -> bool:
    return any(amount.table == table for amount in kpi.over)


def _select(table: CuratedTable, question: SqlQuestion, columns: Sequence[str], curated: str) -> str:
    grouped = ", ".join(str(number) for number in range(1, len(question.keys) + 1))
    dates = f"dt BETWEEN DATE '{question.start.isoformat()}' AND DATE '{question.end.isoformat()}'"
    conditions = [dates, *_conditions(table, question)]
    return (
        f"SELECT {', '.join(columns)}\nFROM {curated}.{table.name}\n"
        f"WHERE {' AND '.join(conditions)}\nGROUP BY {grouped}"
    )


def _conditions(table: CuratedTable, question: SqlQuestion) -> list[str]:
    conditions = [IS_NEWEST_VINTAGE.name] if table.keeps_vintages else []
    if question.app_ids:
        conditions.append(f"app_id IN ({', '.join(question.app_ids)})")
    if question.only and question.dimension:
        conditions.append(_is(question.dimension, question.value))
    return conditions


def _is(dimension: str, value: str | None) -> str:
    """Apple's values are compared exactly as written."""
    if value is None:
        return f"{_expression(dimension)} IS NULL"
    if dimension == Dimension.DAYS_SINCE_DOWNLOAD:
        return f"{_expression(dimension)} = {int(value)}"
    quoted = value.replace("'", "''")
    return f"{_expression(dimension)} = '{quoted}'"


def _expression(dimension: str) -> str:
    return _AGE if dimension == Dimension.DAYS_SINCE_DOWNLOAD else dimension


def _spelled(key: str) -> str:
    expression = _expression(key)
    return expression if expression == key else f"{expression} AS {key}"


def _numbers(keys: Sequence[str]) -> str:
    return ", ".join(str(number) for number in range(1, len(keys) + 1))


def _of_cohorts(kpi: Kpi, question: SqlQuestion, curated: str) -> str:
    """Devices by the day of their download and the days since then."""
    (amount,) = kpi.amounts
    name = amount.name if kpi.over else kpi.label
    apps = ["app_id"] if question.by_app else []
    until = question.end + timedelta(days=LAST_DAY_SINCE_DOWNLOAD)
    downloaded = (
        f"{_COHORT} BETWEEN DATE '{question.start.isoformat()}' AND DATE '{question.end.isoformat()}' "
        f"AND {_AGE} BETWEEN 0 AND {LAST_DAY_SINCE_DOWNLOAD}"
    )
    conditions = [
        f"dt BETWEEN DATE '{question.start.isoformat()}' AND DATE '{until.isoformat()}'",
        downloaded,
        *_conditions(amount.table, question),
    ]
    days = (
        f"SELECT {', '.join((f'{_COHORT} AS dt', *apps, f'{_AGE} AS day', f'{sum_of(amount)} AS {name}'))}\n"
        f"FROM {curated}.{amount.table.name}\nWHERE {' AND '.join(conditions)}\n"
        f"GROUP BY {_numbers(['dt', *apps, 'day'])}"
    )
    keys = ", ".join(("dt", *apps))
    if not kpi.over:
        return f"{days}\nORDER BY {_numbers(['dt', *apps, 'day'])}"
    return (
        f"WITH days AS (\n{_indented(days)}\n)\n"
        f"SELECT {keys}, days.day, CAST(days.{name} AS double) / NULLIF(first.{name}, 0) AS {kpi.label}\n"
        f"FROM days\nJOIN days AS first USING ({keys})\nWHERE first.day = 0\n"
        f"ORDER BY {_numbers(['dt', *apps, 'day'])}"
    )


def _indented(lines: str) -> str:
    return "\n".join(f"    {line}" for line in lines.splitlines())
