"""The measurements of a load run, compared with AWS's limits: as rows, sentences about exceeded limits, a page."""

import importlib.metadata
import os
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from appstore_analytics.contract.verdicts import Verdict
from infra.functions import CAPACITIES
from local.aws.histories import LARGEST_DATA_BYTES
from local.load.histories import MOST_EVENTS
from local.load.memory import EMULATOR, OF_WHOLE_RUNS, KindMemory, growing
from local.load.run import Load, LoadDay

TARGET = Path(__file__).resolve().parents[2] / "docs" / "load.md"
BEGIN, END = "<!-- begin of the last result -->", "<!-- end of the last result -->"

_MEBIBYTE = 1024 * 1024
_ERRORS_NAMED = 3

Row = tuple[str, str, str]


def rows(load: Load) -> list[Row]:
    """What, measured, limit."""
    return [*_day_rows(load.first_day), *_day_rows(load.data_day), *_memory_rows(load)]


def failures(load: Load) -> list[str]:
    """The violations, one sentence each."""
    return [
        *_verdict_failures(load),
        *(sentence for day in (load.first_day, load.data_day) for sentence in _size_failures(day)),
        *_memory_failures(load),
    ]


def write_result(load: Load, path: Path = TARGET) -> None:
    """Replace the last result on the page; the text around it stays."""
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    path.write_text(f"{before}{BEGIN}\n{_result(load)}\n{END}{after}", encoding="utf-8")


def _result(load: Load) -> str:
    lines = [
        f"{load.apps:,} apps × {load.reports} reports on {datetime.now(UTC).date().isoformat()}, {_machine()}.",
        "",
        "| what | measured | limit |",
        "| --- | ---: | ---: |",
        *(f"| {' | '.join(row)} |" for row in rows(load)),
    ]
    return "\n".join(lines)


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024**3
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("ministack", "boto3", "pyarrow"))
    return (
        f"{os.cpu_count()} cores and {memory} GiB ({platform.machine()}), {platform.system()}, "
        f"Python {platform.python_version()}, {packages}"
    )


def _day_rows(day: LoadDay) -> Iterator[Row]:
    travelled = day.travelled
    verdicts = ", ".join(f"{len(apps):,} {verdict}" for verdict, apps in day.report["apps_by_verdict"].items())
    yield f"{day.name}: apps", verdicts, ""
    yield f"{day.name}: whole run", f"{day.seconds:,.0f} s", ""
    for run in travelled.maps:
        rate = f"{run.items:,} items in {run.seconds:,.0f} s ({run.items / max(run.seconds, 0.001):.1f}/s)"
        yield f"{day.name}: {run.name}", rate, ""
        result = f"{run.result_bytes:,} B"
        yield f"{day.name}: {run.name}, result of the Map before it is dropped", result, f"{LARGEST_DATA_BYTES:,} B"
    for name, size in day.manifest_bytes.items():
        yield f"{day.name}: manifest of {name}", f"{size:,} B", "10 GB"
    yield _limited(day, "largest data of a state", travelled.data.size, travelled.data.where, LARGEST_DATA_BYTES, " B")
    yield _limited(
        day, "largest payload of a task", travelled.payload.size, travelled.payload.where, LARGEST_DATA_BYTES, " B"
    )
    yield _limited(day, "events of the execution", travelled.events_of_parent, "", MOST_EVENTS, "")
    most = travelled.events_of_child
    yield _limited(day, "most events of a child", most.size, most.where, MOST_EVENTS, "")
    partition = day.partition
    yield f"{day.name}: the run's partition of the registry", f"{partition.items:,} items, {partition.bytes:,} B", ""
    yield f"{day.name}: calls of App Store Connect", f"{day.report['apple_calls']:,}", ""


def _limited(day: LoadDay, what: str, size: int, where: str, limit: int, unit: str) -> Row:
    return f"{day.name}: {what}", f"{size:,}{unit}" + (f" ({where})" if where else ""), f"{limit:,}{unit}"


def _memory_rows(load: Load) -> Iterator[Row]:
    for kind, memory in load.memory.items():
        sizes = "warm {}, at the end {}, peak {} MiB".format(
            *(size // _MEBIBYTE for size in (memory.warm_bytes, memory.last_bytes, memory.peak_bytes))
        )
        yield (
            f"memory of {kind} ({memory.processes}, {memory.cpu_seconds:,.0f} s CPU)",
            f"{sizes}: {_course(memory, load.apps)}",
            _allowed(kind),
        )


def _course(memory: KindMemory, apps: int) -> str:
    if memory.kind == EMULATOR:
        return "holds all it stores"
    flat = memory.is_flat(apps)
    if memory.kind in OF_WHOLE_RUNS and flat is not False:
        return "looks at the whole run"
    return {True: "flat", False: "grows", None: "too little work to say"}[flat]


def _allowed(kind: str) -> str:
    capacity = CAPACITIES.get(kind.replace("-", "_"))
    return f"{capacity.memory_megabytes:,} MiB" if capacity else ""


def _verdict_failures(load: Load) -> Iterator[str]:
    first, data = load.first_day.report, load.data_day.report
    if first["requests_created"] != load.apps or first["apps_by_verdict"].keys() != {Verdict.NOT_READY}:
        yield f"On the first day {first['requests_created']:,} of {load.apps:,} requests were created: {first['cause']}"
    if len(data["apps_by_verdict"].get(Verdict.VERIFIED, ())) != load.apps:
        yield f"Not every app is verified: {data['cause']}"
        yield from (f"{error['item']}: {error['reason']}" for error in data["errors"][:_ERRORS_NAMED])
    if not data["rows_athena"] == data["rows_raw"] == load.rows_at_apple:
        yield f"Apple has {load.rows_at_apple:,} rows, Athena counts {data['rows_athena']:,}."


def _size_failures(day: LoadDay) -> Iterator[str]:
    travelled = day.travelled
    for what, largest in (("data of a state", travelled.data), ("payload of a task", travelled.payload)):
        if not 0 < largest.size < LARGEST_DATA_BYTES:
            yield f"{day.name}: the largest {what} has {largest.size:,} bytes ({largest.where})."
    for what, events in (("the execution", travelled.events_of_parent), ("a child", travelled.events_of_child.size)):
        if not 0 < events < MOST_EVENTS:
            yield f"{day.name}: {what} has {events:,} events."
    for run in travelled.maps:
        if run.result_bytes >= LARGEST_DATA_BYTES or run.failed:
            yield f"{day.name}: {run.name} has {run.failed:,} failed items and a result of {run.result_bytes:,} bytes."


def _memory_failures(load: Load) -> Iterator[str]:
    for kind in growing(load.memory, load.apps):
        yield f"The memory of {kind} grows with its work."
    for kind, memory in load.memory.items():
        capacity = CAPACITIES.get(kind.replace("-", "_"))
        if capacity and memory.peak_bytes > capacity.memory_megabytes * _MEBIBYTE:
            yield f"{kind} takes {memory.peak_bytes // _MEBIBYTE:,} MiB of {capacity.memory_megabytes:,}."
