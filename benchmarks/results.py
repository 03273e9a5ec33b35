"""The output of every benchmark: a table on the screen, JSON on request, and the last full result in a file.

`python -m benchmarks.results` prints the kept results and writes them into the pages that show them.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.measuring.machine import machine
from benchmarks.measuring.progress import say

RESULTS = Path(__file__).resolve().parent / "results"
_DOCS = Path(__file__).resolve().parent.parent / "docs"
COST, CONSOLE_COST = RESULTS / "cost.json", RESULTS / "console_cost.json"
_OF_LOAD = ("duration", "memory")
_MACHINE = {"processor": "{}", "cores": "{} cores", "memory": "{}", "system": "{}", "python": "Python {}"}


@dataclass(frozen=True, slots=True)
class Table:
    """A table for people: all cells are text. `note` adds what the columns do not show."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def __str__(self) -> str:
        """Plain text; the first column is left-aligned, the numbers are right-aligned."""
        widths = [max(map(len, column)) for column in zip(self.columns, *self.rows, strict=True)]
        lines = [_line(self.columns, widths), "─" * (sum(widths) + 3 * len(widths) - 3)]
        lines += [_line(row, widths) for row in self.rows]
        return "\n".join([self.title, *lines, *([self.note] if self.note else [])])


def arguments(name: str, purpose: str) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=purpose, allow_abbrev=False)
    parser.add_argument("--quick", action="store_true", help="small inputs, under a minute; the result is not kept")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the same figures to FILE")
    return parser


def report(
    name: str,
    figures: Mapping[str, Any],
    tables: Sequence[Table],
    versions: Mapping[str, str],
    asked: argparse.Namespace,
    *,
    is_usual: bool = True,
) -> None:
    """Print `tables`; write `figures` to `--json` and, unless `--quick` or unusual, to results/<name>.json."""
    say("")
    for table in tables:
        sys.stdout.write(f"\n{table}\n")
    result = {
        **figures,
        "about": {
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "quick": asked.quick,
            "machine": machine(),
            "versions": dict(versions),
        },
        "tables": [asdict(table) for table in tables],
    }
    text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
    if asked.json:
        asked.json.write_text(text, encoding="utf-8")
    if is_usual and not asked.quick:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.json").write_text(text, encoding="utf-8")


def kept_result(path: Path) -> str:
    """One kept result, as the page shows it."""
    result = json.loads(path.read_text(encoding="utf-8"))
    about = result["about"]
    tables = "\n\n".join(str(Table(**table)) for table in result["tables"])
    where = ", ".join(words.format(about["machine"][name]) for name, words in _MACHINE.items())
    what = ", ".join(f"{package} {version}" for package, version in sorted(about["versions"].items()))
    with_what = f"; {what}" if what else ""
    return f"```text\n{tables}\n```\n\nMeasured {about['measured_at'][:10]} on {where}{with_what}.\n"


def results_by_page() -> dict[Path, list[Path]]:
    """The stored results that each page shows."""
    results = sorted(RESULTS.glob("*.json"))
    elsewhere = {
        _DOCS / "cost.md": [COST, CONSOLE_COST],
        _DOCS / "load.md": [path for path in results if path.stem in _OF_LOAD],
    }
    shown = [path for paths in elsewhere.values() for path in paths]
    return {_DOCS / "benchmarks.md": [path for path in results if path not in shown], **elsewhere}


def page_with_results(page: str, results: Iterable[Path]) -> str:
    """`page` with the text between `<!-- <name> -->` and `<!-- end -->` replaced by the stored result of that name."""
    for path in results:
        begin, end = f"<!-- {path.stem} -->\n", "<!-- end -->\n"
        before, found, behind = page.partition(begin)
        if not found:
            raise ValueError(f"The page has no place for the result '{path.stem}': add the line {begin.strip()}.")
        page = f"{before}{begin}{kept_result(path)}{end}{behind.partition(end)[2]}"
    return page


def main() -> None:
    """Print the stored results and update the pages."""
    argparse.ArgumentParser(prog="python -m benchmarks.results", description=__doc__, allow_abbrev=False).parse_args()
    for page, results in results_by_page().items():
        for path in results:
            sys.stdout.write(f"{kept_result(path)}\n")
        page.write_text(page_with_results(page.read_text(encoding="utf-8"), results), encoding="utf-8")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = [
        cell.ljust(width) if not position else cell.rjust(width)
        for position, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "   ".join([first, *others]).rstrip()


if __name__ == "__main__":
    main()
