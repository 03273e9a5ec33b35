"""A week as text, for an e-mail and for Slack."""

from appstore_analytics.answers.attention import Attention
from appstore_analytics.answers.facts import counted
from appstore_analytics.answers.kpi_report import ReportedTotal
from appstore_analytics.contract.kpis.definition import Unit
from appstore_analytics.rules.kpis import Value
from appstore_console.digest.restated import RestatedTable
from appstore_console.digest.weekly import DAYS, Week, WeekLine

_MOST_ATTENTION = 20
_MOST_RESTATED = 20


def subject_of(week: Week) -> str:
    """The subject of the e-mail."""
    return f"App Store analytics, week of {week.monday:%Y-%m-%d}: {counted(week.apps, 'app')}"


def text_of(week: Week, console_url: str) -> str:
    """The whole digest without its last line."""
    about = f"{counted(week.apps, 'app')}, the newest {DAYS} Dates that Apple has completed, and the {DAYS} before:"
    parts = (map(_line, week.lines), _restated(week.restated), _attention(week.attention))
    return "\n".join((about, "", *(line for part in parts for line in (*part, "")), console_url))


def _line(line: WeekLine) -> str:
    total = line.total
    if total.value is None:
        return f"{line.title}: no data yet"
    days = f"{total.start:%Y-%m-%d} to {total.end:%Y-%m-%d}"
    return f"{line.title}: {_bound(total)}{_value(total.value, line.unit)}{_change(total, line.unit)} ({days})"


def _bound(total: ReportedTotal) -> str:
    return "" if total.bound == "exact" else f"{total.bound} "


def _value(value: Value, unit: str) -> str:
    written = {Unit.COUNT: "{:,.0f}", Unit.USD: "${:,.2f}", Unit.SHARE: "{:.2%}"}.get(Unit(unit), "{:,.2f}")
    return written.format(value)


def _change(total: ReportedTotal, unit: str) -> str:
    """The difference in points for a share, the relative change for everything else."""
    if total.change is None:
        return ""
    return f", {total.change * 100:+.2f} points" if unit == Unit.SHARE else f", {total.change:+.1%}"


def _restated(tables: tuple[RestatedTable, ...]) -> list[str]:
    if not tables:
        return [f"Apple has restated nothing in the last {DAYS} days."]
    more = [f"… and {len(tables) - _MOST_RESTATED} more."] if len(tables) > _MOST_RESTATED else []
    return [f"Restated by Apple in the last {DAYS} days:", *map(_restated_table, tables[:_MOST_RESTATED]), *more]


def _restated_table(table: RestatedTable) -> str:
    first, last = table.days[0], table.days[-1]
    days = f"{first:%Y-%m-%d}" if first == last else f"{counted(len(table.days), 'Date')} {first} to {last}"
    changes = "; ".join(f"{one.measure} {one.before:,} → {one.now:,}" for one in table.measures)
    return f"- {table.app}, {table.table_name}, {days}: {changes or 'the sums are as before'}"


def _attention(attention: tuple[Attention, ...]) -> list[str]:
    if not attention:
        return ["Nothing is missing."]
    told = [f"- {_what(each)}: {each.reason} {_whose(each)}: {each.do}" for each in attention[:_MOST_ATTENTION]]
    more = [f"… and {len(attention) - _MOST_ATTENTION} more."] if len(attention) > _MOST_ATTENTION else []
    return ["Problems:", *told, *more]


def _what(each: Attention) -> str:
    name = each.app_name or each.app_id
    return f"{name}, {each.table_name}" if each.table_name else name


def _whose(each: Attention) -> str:
    """Who acts, at the beginning of a sentence."""
    return f"{each.who[:1].upper()}{each.who[1:]}"
