"""Conversion against peers and physical limits: `python -m benchmarks.convert`.

*plain*: gzip TSV to one typed zstd Parquet file. *whole*: the work of convert_instance on a segment: cells typed or
*refused, rows split by Date and sorted, rows and additive measures counted. All read the same files. Every run is a
*separate process,
pinned to one core or to two; the peers take turns, and the medians are compared.
"""

import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from statistics import geometric_mean, median
from typing import Any

from appstore_analytics.contract import capacities
from benchmarks.conversion.s3_server import s3_server
from benchmarks.measuring.measure import run
from benchmarks.measuring.progress import say
from benchmarks.results import Table, arguments, report
from benchmarks.samples.data import segment
from benchmarks.setup import BUILD, python_of

ROOT = Path(__file__).resolve().parent.parent
LAKE = ROOT / "layers" / "pipeline" / "python" / "appstore_analytics" / "lake"
MEASURED = [
    *(LAKE / f"{name}.py" for name in ("conversion", "parquet", "record_batches", "schema", "sorting", "tsv")),
    Path(capacities.__file__),
    *sorted((ROOT / "benchmarks" / "conversion" / "peers").glob("*.py")),
    ROOT / "benchmarks" / "conversion" / "job.py",
]
SMALL, MEDIUM, LARGE, HUGE = 5_000, 70_000, 5_000_000, 20_000_000
TABLES = ("engagement", "downloads", "sessions", "purchases_detailed")
JOBS = ("plain", "whole")
LIMITS = ("gunzip", "csv_parse", "parquet_write")
PEERS = {
    "ours": "",
    "with_polars": "peers",
    "with_duckdb": "peers",
    "with_pandas_pyarrow": "peers",
    "with_pandas": "peers",
    "with_awswrangler": "awswrangler",
    "stdlib": "peers",
}
_AS_DEPLOYED = ("ours", "limits")
"""The peers that run in the environment of the Lambda; the limits use the same Arrow."""

_ROUNDS = 5
_FAR_BEHIND = 4.0
"""A peer that needs this many times our CPU is not run again on the same input, because that takes minutes: neither on
one core nor on two, because a second core saves no CPU time. Its difference from ours is far above the noise.
"""

_REPEATS = {SMALL: 20, MEDIUM: 5}


@dataclass(frozen=True, slots=True)
class Case:
    """One case to measure."""

    peer: str
    job: str
    table: str
    rows: int
    cores: int

    def __str__(self) -> str:
        """A short description."""
        return f"{self.peer}: {self.job}, {self.table}, {self.rows:,} rows, cores: {self.cores}"


@dataclass(frozen=True, slots=True)
class Measurement:
    """The cost of one run of a case."""

    case: Case
    cpu_seconds: float
    wall_seconds: float
    peak_mb: float
    output_bytes: int


class DifferentAnswerError(Exception):
    """A peer's rows or sums differ from ours, so their times cannot be compared."""


def main(words: Sequence[str] | None = None) -> None:
    """Measure, or continue measuring, and report."""
    parser = arguments("convert", __doc__.split("\n", maxsplit=1)[0])
    parser.add_argument(
        "--minutes", type=float, default=600, help="stop after this time; the next start of the full run continues"
    )
    asked = parser.parse_args(words)
    kept = None if asked.quick else _kept_runs()
    measured = _measured_before(kept)
    cases, rounds = (_quick_cases(), 1) if asked.quick else (_full_cases(), _ROUNDS)
    ends_at = time.monotonic() + 60 * asked.minutes
    with s3_server() as server:
        for case in _due(cases, rounds, measured):
            if time.monotonic() > ends_at:
                break
            say(f"{len(measured)} of at most {sum(map(len, cases)) * rounds:,} runs; now {case}")
            measurement = _measure(case, server)
            measured.append(measurement)
            if kept:
                with kept.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(measurement)) + "\n")
    figures = figures_of(measured)
    report("convert", figures, tables_of(figures), _versions(), asked)


def _quick_cases() -> list[list[Case]]:
    sizes = ((MEDIUM, "plain"), (MEDIUM, "whole"), (SMALL, "whole"))
    peers = [Case(peer, job, "engagement", rows, 1) for rows, job in sizes for peer in PEERS]
    return [peers + [Case("limits", job, "engagement", MEDIUM, 1) for job in LIMITS]]


def _full_cases() -> list[list[Case]]:
    """In groups: the most important cases are measured completely before the next group begins.

    Only our code runs with four times the rows, to show that the memory does not grow with them.
    """
    jobs = [*((peer, job) for job in JOBS for peer in PEERS), *(("limits", job) for job in LIMITS)]
    groups = (
        (1, MEDIUM, TABLES),
        (1, SMALL, TABLES),
        (1, LARGE, TABLES[:1]),
        (2, MEDIUM, TABLES),
        (2, SMALL, TABLES),
        (1, LARGE, TABLES[1:]),
        (2, LARGE, TABLES),
    )
    memory = [Case("ours", "whole", TABLES[0], HUGE, 1)]
    return [
        memory,
        *(
            [Case(peer, job, table, rows, cores) for table in tables for peer, job in jobs]
            for cores, rows, tables in groups
        ),
    ]


def _due(groups: Iterable[Sequence[Case]], rounds: int, measured: Sequence[Measurement]) -> Iterator[Case]:
    """Group by group, and within a group round by round: the peers take turns."""
    for cases in groups:
        for number in range(rounds):
            for case in cases:
                runs = sum(each.case == case for each in measured)
                if runs <= number and not _is_far_behind(case, measured):
                    yield case


def _is_far_behind(case: Case, measured: Sequence[Measurement]) -> bool:
    for cores in {1, case.cores} if case.rows == LARGE else {case.cores}:
        seconds, ours = (
            [each.cpu_seconds for each in measured if each.case == replace(case, peer=peer, cores=cores)]
            for peer in (case.peer, "ours")
        )
        if seconds and ours and min(seconds) > _FAR_BEHIND * min(ours):
            return True
    return False


def _measure(case: Case, server: str) -> Measurement:
    environment = PEERS.get(case.peer, "")
    python = python_of(environment) if environment else Path(sys.executable)
    variables = {
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'layers' / 'pipeline' / 'python'}",
        "BENCHMARK_S3": server,
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "POLARS_MAX_THREADS": str(case.cores),
        **(capacities.ARROW_MEMORY if case.peer in _AS_DEPLOYED else {}),
    }
    repeats = str(_REPEATS.get(case.rows, 1))
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        words = (case.peer, case.job, case.table, _segment(case.table, case.rows), folder, repeats)
        done = run([python, "-m", "benchmarks.conversion.job", *words], variables, case.cores)
    _check(case, done.answer.pop("counted"))
    return Measurement(case=case, peak_mb=done.peak_mb, **done.answer)


@cache
def _segment(table: str, rows: int) -> Path:
    """Created in a separate process, because the peak memory of every run includes the parent's memory."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(segment, table, rows).result()


_ours_counted: dict[tuple[str, int], str] = {}


def _check(case: Case, counted: Any) -> None:
    """Every peer must compute the same rows and sums per Date."""
    if case.job != "whole":
        return
    numbers = {day: {name: float(number) for name, number in of_day.items()} for day, of_day in counted.items()}
    digest = hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()
    if _ours_counted.setdefault((case.table, case.rows), digest) != digest:
        raise DifferentAnswerError(f"{case.peer} counted other rows or sums than we did in {case.table}.")


def _kept_runs() -> Path:
    """The runs of these sources, so that a long benchmark can be interrupted."""
    digest = hashlib.sha256()
    for path in MEASURED:
        digest.update(path.read_bytes())
    BUILD.mkdir(parents=True, exist_ok=True)
    return BUILD / f"convert-{digest.hexdigest()[:12]}.jsonl"


def _measured_before(kept: Path | None) -> list[Measurement]:
    if kept is None or not kept.exists():
        return []
    entries = map(json.loads, kept.read_text(encoding="utf-8").splitlines())
    return [Measurement(**entry | {"case": Case(**entry["case"])}) for entry in entries]


def figures_of(measured: Iterable[Measurement]) -> dict[str, Any]:
    """Medians; per job and peer the ratios to ours, for all cases with the most rows together and for each alone.

    Ratios over 1 mean that the peer is slower, or its files larger.
    """
    by_case: dict[Case, list[Measurement]] = {}
    for each in measured:
        by_case.setdefault(each.case, []).append(each)
    medians = {case: _median(runs) for case, runs in by_case.items()}
    figures: dict[str, Any] = {job: {} for job in (*JOBS, "ours", "limits")}
    for case, cost in medians.items():
        if case.peer == "limits":
            figures["limits"].setdefault(case.job, []).append(cost)
        elif case.peer == "ours":
            figures["ours"].setdefault(case.job, []).append(
                cost | {"rows_per_cpu_second": case.rows / cost["cpu_seconds"]}
            )
        elif ours := medians.get(Case("ours", case.job, case.table, case.rows, case.cores)):
            peer = figures[case.job].setdefault(case.peer.removeprefix("with_"), {"cases": []})
            peer["cases"].append(cost | _ratios(cost, ours))
    for job in JOBS:
        for of_peer in figures[job].values():
            of_peer.update(_together(of_peer["cases"]))
    return figures


def _median(runs: Sequence[Measurement]) -> dict[str, Any]:
    case = asdict(runs[0].case)
    del case["peer"], case["job"]
    numbers = {
        name: median(getattr(run, name) for run in runs)
        for name in ("cpu_seconds", "wall_seconds", "peak_mb", "output_bytes")
    }
    return case | numbers | {"runs": len(runs)}


def _ratios(cost: dict[str, Any], ours: dict[str, Any]) -> dict[str, float]:
    return {
        "cpu_ratio": cost["cpu_seconds"] / ours["cpu_seconds"],
        "wall_ratio": cost["wall_seconds"] / ours["wall_seconds"],
        "peak_ratio": cost["peak_mb"] / ours["peak_mb"],
        "output_ratio": cost["output_bytes"] / ours["output_bytes"],
    }


def _together(cases: Sequence[dict[str, Any]]) -> dict[str, float]:
    most = max(case["rows"] for case in cases)
    of_most = [case for case in cases if case["rows"] == most and case["cores"] == 1]
    return {
        "rows": most,
        **{
            name: geometric_mean(case[name] for case in of_most) for name in ("cpu_ratio", "wall_ratio", "output_ratio")
        },
        "peak_mb": max(case["peak_mb"] for case in of_most),
    }


def tables_of(figures: dict[str, Any]) -> list[Table]:
    """One table per job, ours first; one table for the limits."""
    note = "Ratios to ours: above 1 the peer needs more. CPU without imports; peak memory of the whole process."
    tables = []
    for job in JOBS:
        rows = [
            _row("ours", cost, dict.fromkeys(("cpu_ratio", "wall_ratio", "output_ratio"), 1.0))
            for cost in figures["ours"].get(job, [])
        ]
        rows += [_row(peer, cost, cost) for peer, result in figures[job].items() for cost in result["cases"]]
        rows.sort(key=lambda row: (int(row[2].replace(",", "")), row[1], row[3], row[0] != "ours", float(row[6])))
        columns = ("who", "table", "rows", "cores", "runs", "CPU s", "× CPU", "× wall", "peak MB", "× size")
        tables.append(Table(f"Conversion, {job}", columns, rows, note))
    if figures["limits"]:
        of_limits = ("stage alone", "table", "rows", "cores", "runs", "CPU s", "M rows/CPU s", "of ours", "of polars")
        tables.append(Table("Conversion, limits", of_limits, _limits(figures), _LIMITS_NOTE))
    return tables


_LIMITS_NOTE = "Shares of the CPU of a plain conversion. The three stages are what any conversion with Arrow has to do."


def _limits(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    """The stages alone and together, next to the plain conversions of the same files."""
    plain = {"ours": figures["ours"].get("plain", [])} | {
        peer: result["cases"] for peer, result in figures["plain"].items()
    }
    by_input: dict[tuple[str, int, int], dict[str, dict[str, Any]]] = {}
    for stage, costs in figures["limits"].items():
        for cost in costs:
            by_input.setdefault((cost["table"], cost["rows"], cost["cores"]), {})[stage.replace("_", " ")] = cost
    rows = []
    for (table, count, cores), stages in sorted(by_input.items()):
        wholes = {
            peer: [
                each["cpu_seconds"]
                for each in costs
                if (each["table"], each["rows"], each["cores"]) == (table, count, cores)
            ]
            for peer, costs in plain.items()
        }
        together = {
            "cpu_seconds": sum(cost["cpu_seconds"] for cost in stages.values()),
            "runs": min(cost["runs"] for cost in stages.values()),
        }
        for stage, cost in (stages | {"together": together}).items():
            seconds = cost["cpu_seconds"]
            shares = (
                f"{seconds / of_peer[0]:.2f}" if (of_peer := wholes.get(peer)) else "" for peer in ("ours", "polars")
            )
            rows.append(
                (
                    stage,
                    table,
                    f"{count:,}",
                    str(cores),
                    str(cost["runs"]),
                    f"{seconds:.4f}",
                    f"{count / seconds / 1e6:.2f}",
                    *shares,
                )
            )
    return rows


def _row(who: str, cost: dict[str, Any], ratios: dict[str, Any]) -> tuple[str, ...]:
    return (
        who,
        cost["table"],
        f"{cost['rows']:,}",
        str(cost["cores"]),
        str(cost["runs"]),
        f"{cost['cpu_seconds']:.4f}",
        f"{ratios['cpu_ratio']:.2f}",
        f"{ratios['wall_ratio']:.2f}",
        f"{cost['peak_mb']:.0f}",
        f"{ratios['output_ratio']:.2f}",
    )


def _versions() -> dict[str, str]:
    lines = [
        line
        for name in ("requirements.txt", "requirements-awswrangler.txt")
        for line in (ROOT / "benchmarks" / name).read_text(encoding="utf-8").splitlines()
        if line.startswith(("polars==", "duckdb==", "pandas==", "pyarrow==26", "awswrangler=="))
    ]
    return dict(line.split("==") for line in lines)


if __name__ == "__main__":
    main()
