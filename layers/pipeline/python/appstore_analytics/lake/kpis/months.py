"""The KPI object of a month: copies of the rows of its Dates' objects, in an order for long questions.

    details of apps, by app │ details of the portfolio │ totals that all apps together need │ other totals │ footer

The question for all apps together needs the portfolio's totals, and of each app one total: it tells whether the app has
rows. The totals of the other amounts, most of them, are then not read. Both are in the order of apps.

The footer names the rows' object of each Date that its copies were made of. A copy counts only as long as that very
object is published: where it is not, or there is no object of the month, readers take the Date's own object.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from appstore_analytics.contract.kpis.stored import amounts_of, definitions
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.kpis.schema import SCHEMA

DT = "dt"
MONTH_SCHEMA = SCHEMA.append(pa.field(DT, pa.date32()))

FORM, ROWS = "form", "rows"
"""Metadata of the object: how it was made, and a name for all the rows' objects together."""

_DATES = "dates"
_FORM = "2"
"""Raise it when months are to be made again with other rows or in another order."""


@dataclass(frozen=True, slots=True)
class Copied:
    """A Date in a month: the ETag of the rows' object that its amounts are of, and StoredKpis.is_completed."""

    rows: str
    is_completed: bool


def first_amount(table: CuratedTable) -> str:
    """The amount whose totals tell which apps have rows: no other name is smaller, so that statistics find it."""
    return min(amount.name for amount in amounts_of(table))


def form_of(table: CuratedTable) -> str:
    """Names the definitions and the order by which today's months are made."""
    return f"{definitions(table)}-{_FORM}"


def month_metadata(table: CuratedTable, etags: Mapping[date, str]) -> dict[str, str]:
    """What the object says of itself to who does not read it."""
    named = sorted((day.isoformat(), etag) for day, etag in etags.items())
    return {FORM: form_of(table), ROWS: hashlib.sha256(json.dumps(named).encode()).hexdigest()}


def month_footer(table: CuratedTable, copied: Mapping[date, Copied]) -> dict[str, str]:
    """The footer's entries."""
    dates = {day.isoformat(): [each.rows, each.is_completed] for day, each in sorted(copied.items())}
    return {FORM: form_of(table), _DATES: json.dumps(dates)}


def copied_dates(table: CuratedTable, footer: Mapping[bytes, bytes]) -> dict[date, Copied]:
    """The Dates in a month with this footer; none if it was made by other definitions."""
    if footer.get(FORM.encode()) != form_of(table).encode():
        return {}
    dates = json.loads(footer[_DATES.encode()])
    return {date.fromisoformat(day): Copied(*each) for day, each in dates.items()}
