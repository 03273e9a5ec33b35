"""Fuzzed files through the converter: `python -m tests.fuzz --files 20000`; docs/fuzz.md has the last full result."""

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from local.arguments import at_least_one
from tests.fuzz.by_hypothesis import try_cells
from tests.fuzz.exploration import Exploration, child, explore, seconds_of

PAGE = Path(__file__).parents[2] / "docs" / "fuzz.md"
FULL = 20_000


def main(arguments: Sequence[str]) -> int:
    """Process the files; 1 if anything was wrong. Runs of 20,000 files or more write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__, allow_abbrev=False)
    parser.add_argument("--files", type=at_least_one, default=FULL, help="how many")
    parser.add_argument("--seed", type=int, default=0, help="other files by another seed")
    parser.add_argument("--jobs", type=at_least_one, default=os.cpu_count(), help="processes")
    parser.add_argument("--child", type=int, nargs=3, metavar=("SEED", "START", "STOP"), help=argparse.SUPPRESS)
    parser.add_argument(
        "--cells", type=at_least_one, metavar="EXAMPLES", help="instead, one odd cell a file, by hypothesis"
    )
    options = parser.parse_args(arguments)
    if options.cells:
        try_cells(options.cells)
        return 0
    if options.child:
        child(*options.child)
        return 0
    found, seconds = seconds_of(lambda: explore(options.seed, options.files, options.jobs, told=_tell))
    page = _page(found, options.seed, round(seconds / 60))
    print(page)  # noqa: T201 (a command)
    if options.files >= FULL:
        PAGE.write_text(page, encoding="utf-8")
    return 1 if found.wrong else 0


def _tell(files: int) -> None:
    sys.stderr.write(f"\r{files:,} files")


def _page(found: Exploration, seed: int, minutes: int) -> str:
    versions = f"Python {platform.python_version()}, pyarrow {version('pyarrow')}"
    wrong = [f"- file {number}: {what}" for number, what in sorted(found.wrong.items())[:50]]
    crashed, unclassified = found.verdicts["crashed"], found.verdicts["unclassified"]
    return f"""\
# Fuzz

This page shows how the converter treats malformed and unusual files. The command below writes it when it tries {FULL:,}
files or more; the tests try a few hundred others (`tests/integration/fuzz/test_fuzz.py`).

```sh
.venv/bin/python -m tests.fuzz --files {found.files} --seed {seed}
```

Last result: {datetime.now(UTC):%Y-%m-%d}, {minutes} minutes, {versions}.

Each file has the shape of a report in the catalogue. About half of the files have unusual but legal cells; the others
get malformed cells, malformed headers, broken bytes or a broken gzip. A child process converts them, in blocks and runs
of random size, so that a crash of native code counts as a result and does not end the test. Independent code in pure
Python (`tests/fuzz/reading.py`) reads the same bytes; each cell in the [parts](glossary.md) and each sum must have the
values that this code reads, and a file that it cannot read must be quarantined.

| files | cells | cells stored, all equal | files stored | quarantined | crashes | unclassified errors | wrong |
| --- | --- | --- | --- | --- | --- | --- | --- |
| {found.files:,} | {found.cells:,} | {found.cells_stored:,} | {found.verdicts["stored"]:,} | \
{found.verdicts["quarantined"]:,} | {crashed} | {unclassified} | {found.verdicts["wrong"]} |
""" + ("\n" + "\n".join(wrong) + "\n" if wrong else "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
