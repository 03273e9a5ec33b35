"""Measures the console's API with 70 and 1,000 apps: `python -m benchmarks.api`.

The function's own code calls the embedded AWS through boto3. The embedded AWS is another process, so the measured CPU
time is the function's. For comparison, DuckDB runs the SQL of each answer on one core, over the objects that Athena
reads; Athena itself takes seconds to start (benchmarks/usage/bill.py).
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import duckdb

from benchmarks.console.portfolio import DATES, Portfolio, fill
from benchmarks.console.questions import QUESTIONS
from benchmarks.measuring.machine import versions
from benchmarks.measuring.measure import run
from benchmarks.measuring.progress import say
from benchmarks.results import Table, arguments, report
from local.aws.server import EmbeddedAws

ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = (ROOT / "layers" / "console" / "python", ROOT / "layers" / "pipeline" / "python", ROOT)
_APPS, _QUICK_APPS = (70, 1_000), (10,)
_TIMES, _QUICK_TIMES = 20, 3
_SQL_TIMES = 5
_NOTE = (
    "CPU of the function. cold: the cache is empty; warm: the same question again; 304: with the answer's ETag.\n"
    "S3: reads and listings with an empty cache.\n"
    "SQL: the answer's own query over the published objects, in DuckDB on one core, without its first run."
)


def main(words: Sequence[str] | None = None) -> None:
    """Measure and report."""
    asked = arguments("api", __doc__.split("\n", maxsplit=1)[0]).parse_args(words)
    apps, times = (_QUICK_APPS, _QUICK_TIMES) if asked.quick else (_APPS, _TIMES)
    measured = {number: _measured(number, times) for number in apps}
    figures = {"apps": measured, "dates": DATES}
    tables = [_table(number, each) for number, each in measured.items()]
    report("api", figures, tables, versions(["boto3", "duckdb", "pyarrow"]), asked)


def _measured(apps: int, times: int) -> dict[str, Any]:
    with EmbeddedAws() as aws, tempfile.TemporaryDirectory() as folder:
        portfolio = fill(aws, apps, DATES, Path(folder))
        say(f"Asking about {apps:,} apps")
        job = [sys.executable, "-m", "benchmarks.console.job", json.dumps(portfolio.outputs), str(apps), str(times)]
        path = ":".join(map(str, _PACKAGES))
        answer = run(job, {**aws.environment, "PYTHONPATH": path}, cores=1).answer
        queries = {name: each.pop("sql") for name, each in answer["questions"].items()}
        return {**answer, "sql": {name: _in_sql(portfolio, sql) for name, sql in queries.items() if sql}}


def _in_sql(portfolio: Portfolio, sql: str) -> dict[str, float]:
    """The same question, as SQL over the objects that Athena reads."""
    say("Asking in SQL")
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        connection.execute("CREATE SCHEMA curated")
        for table in sorted((portfolio.copy / "curated").iterdir()):
            files = f"{table}/*/*.parquet"
            view = f"SELECT * FROM read_parquet('{files}', hive_partitioning = true)"  # noqa: S608 (our own names)
            connection.execute(f"CREATE VIEW curated.{table.name} AS {view}")
        spent = list(_timed(connection, sql.split(";\n\n")))[1:]
    return {
        "cpu_seconds": median(cpu for cpu, _ in spent),
        "p50_seconds": median(wall for _, wall in spent),
        "p95_seconds": quantiles((wall for _, wall in spent), n=20, method="inclusive")[-1],
    }


def _timed(connection: duckdb.DuckDBPyConnection, queries: Sequence[str]) -> Iterator[tuple[float, float]]:
    for _ in range(_SQL_TIMES + 1):
        cpu, wall = time.process_time(), time.perf_counter()
        for query in queries:
            connection.execute(query).fetchall()
        yield time.process_time() - cpu, time.perf_counter() - wall


def _table(apps: int, figures: dict[str, Any]) -> Table:
    cold_start = figures["cold_start"]
    rows = [_row(name, each, figures["sql"].get(name)) for name, each in figures["questions"].items()]
    columns = (
        "question",
        "cold ms",
        "warm ms",
        "304 ms",
        "p50 ms",
        "p95 ms",
        "kB",
        "S3",
        "SQL: CPU ms",
        "p50 ms",
        "p95 ms",
    )
    first = QUESTIONS[0].name
    note = (
        f"{_NOTE}\nA new process that answers '{first}' takes {cold_start['cpu_seconds']:.2f} s of CPU, "
        f"{cold_start['imports_cpu_seconds']:.2f} s of which are imports."
    )
    return Table(f"The console's API: {apps:,} apps", columns, rows, note)


def _row(name: str, each: dict[str, Any], sql: dict[str, float] | None) -> tuple[str, ...]:
    measured = ("cold_cpu_seconds", "warm_cpu_seconds", "unchanged_cpu_seconds", "p50_seconds", "p95_seconds")
    of_sql = [_ms(sql[key]) for key in ("cpu_seconds", "p50_seconds", "p95_seconds")] if sql else [""] * 3
    return (
        name,
        *(_ms(each[key]) for key in measured),
        f"{each['bytes'] / 1e3:.0f}",
        f"{each['s3_reads'] + each['s3_listings']:,}",
        *of_sql,
    )


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:,.0f}"


if __name__ == "__main__":
    main()
