"""A week as text, for an e-mail and for Slack."""

from appstore_analytics.answers.attention import Attention
from appstore_analytics.answers.facts import counted
from appstore_analytics.answers.kpi_report import ReportedTotal
from appstore_analytics.contract.kpis.definition import Unit
from appstore_analytics.rules.kpis import Value
from appstore_console.digest.weekly import DAYS, Week, WeekLine

_MOST_ATTENTION = 20


def subject_of(week: Week) -> str:
    """The subject of the e-mail."""
    return f"App Store analytics, week of {week.monday:%Y-%m-%d}: {counted(week.apps, 'app')}"


def text_of(week: Week, console_url: str) -> str:
    """The whole digest without its last line."""
    about = f"{counted(week.apps, 'app')}, the newest {DAYS} Dates that Apple has completed, and the {DAYS} before:"
    return "\n".join((about, "", *map(_line, week.lines), "", *_attention(week.attention), "", console_url))


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
    """For a share the difference in points; for everything else the relative change."""
    if total.change is None:
        return ""
    return f", {total.change * 100:+.2f} points" if unit == Unit.SHARE else f", {total.change:+.1%}"


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
