"""The output of the demo: progress while something runs, tables at the end. Plain text when piped."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from local.console import Invited
from local.deployment import Progress as DeploymentProgress
from local.proof import TableProof
from operations import screens
from operations.screens import plain
from operations.tables import Column

console = screens.console()


def say(text: str, style: str = "") -> None:
    """One line."""
    screens.say(console, text, style)


def heading(text: str) -> None:
    """The beginning of a chapter."""
    console.print()
    console.print(Text(text, style="bold"))
    console.print("─" * min(console.width, 100), style="dim")


@contextmanager
def deployment_progress() -> Iterator[DeploymentProgress]:
    """A line that follows the CDK: its current activity, and the number of ready resources."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting", total=None)

        def follow(doing: str, done: int, total: int) -> None:
            progress.update(task, description=doing, completed=done, total=total or None)

        yield follow


def show_report(report: Mapping[str, Any], page: str) -> None:
    """A run report in three lines, and the location of its page."""
    verdicts = ", ".join(f"{len(apps)} {verdict}" for verdict, apps in report["apps_by_verdict"].items())
    say(f"{report['status']} in {report['seconds']:.0f} s: {verdicts}")
    say(
        f"requests created {report['requests_created']}, duplicates prevented {report['duplicates_prevented']}, "
        f"Apple calls {report['apple_calls']:,}, segments {report['segments']:,} ({report['bytes']:,} bytes)"
    )
    say(
        f"parts written {report['parts_written']:,}, replaced {report['parts_replaced']:,}, "
        f"refused as older {report['parts_refused']:,}, Dates published {report['dates_published']}"
    )
    say(f"report: {page}, and the same as .json", style="dim")


def show_checks(checks: Sequence[tuple[str, bool]]) -> None:
    """The expectations, and whether they were met."""
    for sentence, holds in checks:
        console.print(Text("✓ " if holds else "✗ ", style="green" if holds else "bold red") + Text(sentence))


def show_proofs(proofs: Sequence[TableProof]) -> None:
    """The final table: Apple's rows, the newest vintages' rows, Athena's rows."""
    say("From Apple's files to Athena. A loader that appends would show the rows of all files.", style="bold")
    headings = ("apps", "files", "rows in files", "rows raw*", "rows in Athena")
    columns = [Column("table"), *(Column(heading, is_number=True) for heading in headings), Column("equal?")]
    screens.show_table(console, columns, [_proof_cells(proof) for proof in proofs])
    say("* counted from the raw bytes by the standard library alone: the newest vintage of each Date", style="dim")


def _proof_cells(proof: TableProof) -> list[Text]:
    counts = (proof.apps, proof.files, proof.rows_in_files, proof.rows_expected, proof.rows_in_athena)
    equal = Text("yes", style="green") if proof.equal else Text("NO", style="bold red")
    return [Text(proof.table), *(Text(f"{count:,}") for count in counts), equal]


def show_rows(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Any small table."""
    console.print()
    say(title, style="bold")
    cells = [[Text("" if cell is None else plain(str(cell))) for cell in row] for row in rows]
    screens.show_table(console, [Column(name, is_number=name != columns[0]) for name in columns], cells)


def show_environment(environment: Mapping[str, str]) -> None:
    """Settings for the AWS CLI, or anything that uses an AWS SDK, to use the embedded AWS."""
    say("Point the AWS CLI at the embedded AWS with:", style="bold")
    for name, value in environment.items():
        say(f"  export {name}={value}")
    say("  aws stepfunctions list-state-machines")


def show_console(url: str, people: Sequence[Invited]) -> None:
    """The console's address, and its users."""
    say(f"The console, in a browser: {url}", style="bold")
    rows = [(one.role, one.email, one.temporary_password) for one in people]
    show_rows("Users, with a password for the first sign-in", ("role", "e-mail", "temporary password"), rows)
    say("The console then asks for a new password and shows a QR code for an authenticator app. Without an app:")
    say("  .venv/bin/python -m local.totp <key below the QR code>")
