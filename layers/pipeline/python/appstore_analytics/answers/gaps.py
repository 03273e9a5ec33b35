"""`gaps`: Dates that should be complete in the tables but are not, and their repair. Apple is not asked.

registry ─► each app's requests and instances ─┐
lake ─────► each table's parts and objects ────┴► rules/gaps.py ─► gaps, by app and table
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from appstore_analytics.answers.apps import app_names
from appstore_analytics.answers.facts import counted
from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.table_parts import parts_of_apps
from appstore_analytics.registry import Registry
from appstore_analytics.rules.gaps import Gap, TableCompleteness, gaps_of_table


@dataclass(frozen=True, slots=True)
class Gaps:
    """The missing Dates of each table. `commands` repair what no run repairs by itself, by app, table and repair."""

    as_of: date
    tables: tuple[TableCompleteness, ...]
    gaps: tuple[Gap, ...]
    commands: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """Whether nothing is missing."""
        return not self.gaps

    @property
    def sentence(self) -> str:
        """The number of missing Dates, and the days left to repair them."""
        if self.gaps:
            missing = sum(gap.dates for gap in self.gaps)
            return (
                f"{counted(missing, 'Date')} of {counted(len({gap.app_id for gap in self.gaps}), 'app')} not complete."
            )
        if not self.tables:
            return "Apple has sent nothing yet."
        return "No Date is missing. Newer Dates than `complete until` are still being completed by Apple."


def find_gaps(
    accounts: Sequence[Account],
    tables: Sequence[CuratedTable],
    registry: Registry,
    lake: Bucket,
    as_of: date,
    since: date | None = None,
) -> Gaps:
    """Checks every Date since an app's first day (or since `since`) that a run before `as_of` should have completed."""
    start = since or date.min
    apps = [registry.known_app(app_id) for account in accounts for app_id in account.app_ids]
    of_tables = {table: [app for app in apps if app.ledger.get(table.name)] for table in tables}
    found = [
        gaps_of_table(table, of_table, parts_of_apps(lake, table, start, as_of), as_of, start)
        for table, of_table in of_tables.items()
        if of_table
    ]
    names = app_names(lake)
    gaps = (replace(gap, app_name=names.get(gap.app_id, "")) for one in found for gap in one.gaps)
    commands = {key: command for one in found for key, command in one.commands.items()}
    return Gaps(as_of, tuple(one.completeness for one in found), tuple(gaps), commands)
