"""The crash matrix and the long races: a table on the screen; docs/crash-matrix.md has the last full result."""

import argparse
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

from benchmarks.measuring.progress import say
from tests.integration.concurrency.races import RACES, run_race
from tests.integration.concurrency.rounds import rounds
from tests.integration.crash.day import Sequel
from tests.integration.crash.matrix import every_case, losses_of, sample, undisturbed_day

PAGE = Path(__file__).parents[3] / "docs" / "crash-matrix.md"
COMMAND = ".venv/bin/python -m tests.integration.crash"
ROUNDS = 200
EXAMPLES = {"Claims": 100, "Vintages": 40, "Executions": 20}
QUICKER = 10


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the result: the case, the number of attempts, and the losses."""

    what: str
    tried: int
    lost: tuple[str, ...] = ()


def main(arguments: Sequence[str]) -> int:
    """Run all cases; 1 if anything was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.integration.crash", description=__doc__, allow_abbrev=False)
    parser.add_argument("--quick", action="store_true", help="a sample of everything, and no page is written")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes for the matrix")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    matrix = list(_matrix(options.quick, options.jobs))
    races = list(_races(options.quick))
    seconds = round(time.monotonic() - started)
    page = _page(matrix, races, seconds, scope="a sample, `--quick`" if options.quick else "everything")
    say("")
    print(page)  # noqa: T201 (a command)
    if not options.quick:
        PAGE.write_text(page)
    return 1 if any(row.lost for row in (*matrix, *races)) else 0


def _matrix(quick: bool, jobs: int) -> Iterator[Row]:
    cases = every_case(undisturbed_day())
    if quick:
        cases = sample(cases)
    tried: Counter[tuple[str, Sequel]] = Counter()
    lost: dict[tuple[str, Sequel], list[str]] = {}
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for number, (case, lines) in enumerate(zip(cases, pool.map(losses_of, cases, chunksize=4), strict=True), 1):
            tried[case.step, case.sequel] += 1
            if lines:
                where = f"{case.death.moment} {case.call}"
                lost.setdefault((case.step, case.sequel), []).append(f"{where}: {lines[0]}")
            say(f"matrix {number}/{len(cases)}")
    for (step, sequel), count in tried.items():
        yield Row(f"{step}, {sequel}", count, tuple(lost.get((step, sequel), ())))


def _races(quick: bool) -> Iterator[Row]:
    for race in RACES:
        examples = EXAMPLES[race.__name__] // (QUICKER if quick else 1)
        say(f"{race.__name__}: {examples} interleavings")
        try:
            run_race(race, examples, derandomize=False)
        except AssertionError as error:
            yield Row(_summary(race), examples, (f"{type(error).__name__}: {error}".splitlines()[0],))
        else:
            yield Row(_summary(race), examples)
    count = ROUNDS // (QUICKER if quick else 1)
    say(f"{count} rounds of two vintages")
    ended = list(rounds(count, seed=int(time.time())))
    deaths = sum(of_round for *_, of_round in ended)
    different = tuple(f"round {number}" for number, (found, alone, _) in enumerate(ended) if found != alone)
    yield Row(f"Two vintages of one Date by two real threads ({deaths} of them died)", count, different)


def _summary(race: type[object]) -> str:
    return (race.__doc__ or "").rstrip(".")


def _page(matrix: Sequence[Row], races: Sequence[Row], seconds: int, scope: str) -> str:
    points = len(every_case(undisturbed_day())) // len(Sequel)
    versions = {name: version(name) for name in ("boto3", "hypothesis", "moto", "pyarrow")}
    return _PAGE.format(
        command=COMMAND,
        scope=scope,
        date=datetime.now(UTC).date().isoformat(),
        python=platform.python_version(),
        versions=", ".join(f"{name} {number}" for name, number in versions.items()),
        minutes=round(seconds / 60),
        calls=len(undisturbed_day().calls),
        points=points,
        matrix="\n".join(_steps(matrix)),
        races="\n".join(f"| {row.what} | {row.tried} | {len(row.lost)} |" for row in races),
        lost=_lost((*matrix, *races)),
    )


def _steps(matrix: Sequence[Row]) -> Iterator[str]:
    by_what: Mapping[str, Row] = {row.what: row for row in matrix}
    for step in dict.fromkeys(row.what.split(",")[0] for row in matrix):
        cells = [by_what.get(f"{step}, {sequel}", Row("", 0)) for sequel in Sequel]
        yield f"| `{step}` | " + " | ".join(f"{cell.tried} | {len(cell.lost)}" for cell in cells) + " |"


def _lost(rows: Sequence[Row]) -> str:
    lines = [f"- {row.what}: {line}" for row in rows for line in row.lost]
    return "\n## What was lost\n\n" + "\n".join(lines) + "\n" if lines else ""


_PAGE = """# Crash matrix

This page shows what happens to the data when a function dies at any moment, and when runs are concurrent. The command
below writes it, which takes ten minutes on two cores; `--quick` tries a sample, and another sample runs with the tests.

```sh
{command}
```

Last result: {scope}; {date}, {minutes} minutes, Python {python}, {versions}.

## A function dies before or after any call

One small day in one process, against the simulated App Store Connect and moto: two apps, one of them new, a plain
and a `_vintages` table, a Date that Apple restates. Its functions make {calls} calls of AWS and Apple. At each of
the {points} points before, between and after them one function dies: the call is not made, or its answer is lost, and
nothing is cleaned up. Then Step Functions either calls the function again in the same run, as it does for a function
that was killed or ran out of memory or time; or no retry follows and no record is written, and another run follows.

Compared with the undisturbed day: every byte of the raw files, the parts and the tables; the ledger, the known report
requests and dirty marks; the report requests at Apple; the results of the verification in Athena; the restatement
ledger. A run that lost something must say so and name the item.

| step | died, called again | lost | died, left to the next run | lost |
| --- | --- | --- | --- | --- |
{matrix}

## Concurrent runs

Hypothesis chooses, call by call, which process continues and which dies; after a clean run everything must be as
after a single run.

| race | tried | lost |
| --- | --- | --- |
{races}
{lost}"""

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
