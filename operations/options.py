"""Options shared by several commands. Invalid values are refused before any call to AWS."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Annotated, Any

import typer

from appstore_analytics.answers.errors import Refused
from appstore_analytics.contract.layout import is_app_id
from appstore_analytics.contract.tables import report_names
from appstore_analytics.rules.due import INSTANCE_LIFE_DAYS
from appstore_analytics.rules.execution_input import EARLIEST_DATE
from appstore_analytics.rules.times import iso_date
from appstore_analytics.wiring.clock import utc_now


def day_of(given: datetime | None) -> date:
    """The day as of which to answer; today (UTC) by default."""
    return given.date() if given else utc_now().date()


def refuse_empty(**options: str | None) -> None:
    """Refused if an option has an empty value, such as `--region ''`."""
    for name, value in options.items():
        if value is not None and not value.strip():
            raise Refused(f"--{name} is empty: give a {name}, or leave it out.")


def date_option(name: str, words: str, check: Callable[[datetime | None], datetime | None] | None = None) -> Any:
    """An option that takes a day; `check` refuses invalid ones."""
    return typer.Option(name, parser=partial(_read_day, name), metavar="DATE", help=words, callback=check)


def _read_day(name: str, text: str) -> datetime:
    """The day that an option names, at its beginning."""
    try:
        return datetime.combine(iso_date(text), time.min)
    except ValueError:
        raise Refused(f"{name} must be a day such as 2026-01-31, not '{_shown(text)}'.") from None


def refuse_backwards(first: date | None, last: date | None) -> None:
    """Refused if a range ends before it begins; None is no limit."""
    if first and last and first > last:
        raise Refused(f"--from ({first}) must not be after --to ({last}).")


def no_later_than_today(first: datetime | None) -> datetime | None:
    """The first Date to look at; Refused if no Date has begun."""
    if first and first.date() > day_of(None):
        raise Refused(f"--from must not be after today (UTC), {day_of(None)}: there is no Date yet.")
    return not_too_early(first)


def _run_as_of(as_of: datetime | None) -> datetime | None:
    """The business date of a run: today or earlier. Refused otherwise."""
    if as_of and not EARLIEST_DATE <= as_of.date() <= day_of(None):
        raise Refused(f"--as-of must lie between {EARLIEST_DATE} and today (UTC), {day_of(None)}.")
    return as_of


def _judged_as_of(as_of: datetime | None) -> datetime | None:
    """The day as of which to answer, up to the last day on which Apple can still have an instance that it has today."""
    last = day_of(None) + timedelta(days=INSTANCE_LIFE_DAYS)
    if as_of and not EARLIEST_DATE <= as_of.date() <= last:
        raise Refused(f"--as-of must lie between {EARLIEST_DATE} and {last}.")
    return as_of


def not_too_early(first: datetime | None) -> datetime | None:
    """The first Date. No table has Dates before the earliest one, so an earlier day means all of them."""
    earliest = datetime.combine(EARLIEST_DATE, datetime.min.time())
    return max(first, earliest) if first else None


def not_before_all(last: datetime | None) -> datetime | None:
    """The last Date; Refused if every table begins later."""
    if last and last.date() < EARLIEST_DATE:
        raise Refused(f"--to must not be before {EARLIEST_DATE}: no table has an earlier Date.")
    return last


def list_option(
    name: str,
    metavar: str,
    words: str,
    check: Callable[[list[str] | None], list[str] | None] | None = None,
    aliases: tuple[str, ...] = (),
) -> Any:
    """An option that takes several values (operations/arguments.py); `check` refuses invalid ones."""
    return typer.Option(name, *aliases, metavar=metavar, help=words, callback=check)


def app_ids(values: list[str] | None) -> list[str] | None:
    """Refused if one is not an app id."""
    for value in values or ():
        if not is_app_id(value):
            raise Refused(f"--apps must hold Apple ids such as 1000000001, not '{_shown(value)}'.")
    return values


def _reports(values: list[str] | None) -> list[str] | None:
    for value in values or ():
        if value not in report_names():
            raise Refused(
                f"--reports must hold table names or Apple's names of reports, not '{_shown(value)}': "
                "docs/reports.md lists them."
            )
    return values


def _shown(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text[:40])


def run_named(value: str | None) -> str | None:
    """Refused for an empty run id, which would match every run."""
    if value is not None and not value.strip():
        raise Refused("RUN is empty: give a run's id, its beginning, or 'newest'.")
    return value


Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
RunAsOf = Annotated[datetime | None, date_option("--as-of", "Run as of this day, today or earlier.", _run_as_of)]
AsOf = Annotated[datetime | None, date_option("--as-of", "Answer as of this day.", _judged_as_of)]
Apps = Annotated[
    list[str] | None, list_option("--apps", "APP …", "Only these apps, by id or name.", aliases=("--app",))
]
Tables = Annotated[list[str] | None, list_option("--tables", "TABLE …", "Only these tables.")]
Reports = Annotated[
    list[str] | None,
    list_option("--reports", "REPORT …", "Only these reports: table names or Apple's names.", _reports),
]
