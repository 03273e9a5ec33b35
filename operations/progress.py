"""The live view of an execution."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table

from appstore_analytics.answers.executions import Snapshot


class RunView:
    """The live view of one execution."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, snapshot: Snapshot) -> None:
        """Draw one snapshot."""
        self._live.update(_run_table(snapshot))


@contextmanager
def run_view(console: Console) -> Iterator[RunView]:
    """A live view whose last state remains on the screen."""
    try:
        with Live(_run_table(Snapshot()), console=console, refresh_per_second=4) as live:
            yield RunView(live)
    finally:
        if not console.is_terminal:
            console.print()  # a live view ends its last line only on a terminal


def _run_table(snapshot: Snapshot) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row(
        "apps", f"{snapshot.apps_done} done", f"{snapshot.apps_running} running", f"{snapshot.apps_failed} failed"
    )
    table.add_row(
        "data",
        f"{snapshot.instances_done}/{snapshot.instances} instances",
        f"{snapshot.segments:,} segments",
        f"{snapshot.rows:,} rows",
    )
    table.add_row(
        "lake",
        f"{snapshot.dates_done}/{snapshot.dates} Dates published",
        f"{snapshot.tables_done}/{snapshot.tables} tables verified",
        f"{snapshot.calls_left:,} Apple calls left",
    )
    if snapshot.waits:
        table.add_row("", f"The run {snapshot.waits}")
    return table
