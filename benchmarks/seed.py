"""The seed's workload through the deployed pipeline: `python -m benchmarks.seed`.

221 files with 15,367,527 rows, from the simulated App Store Connect to *verified* in Athena, by one daily run on the
embedded AWS; and the same files through conversion alone, in one plain process per core. The two take turns, conversion
first and last. The middle run is reported, and the medians of conversion alone. The files, the deployment and the
registration of the apps are prepared beforehand and are not part of the times. Most functions start during the run; so
the ratio to conversion alone is given for warm processes, and including their start.
"""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from os import cpu_count
from statistics import median
from typing import Any

from appstore_analytics.answers.executions import Execution, Pipeline
from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.verdicts import Verdict
from benchmarks.conversion.alone import Alone, convert_alone
from benchmarks.measuring.machine import versions
from benchmarks.measuring.progress import say
from benchmarks.measuring.timeline import Timeline, read_timeline
from benchmarks.results import Table, arguments, report
from benchmarks.samples.data import APP_ID, LAST_DATE
from benchmarks.samples.workload import SEED, SegmentFile, files_of, make, scaled_down
from local.apple.model import Series, WorldSettings
from local.apple.server import SimulatedApple
from local.apple.world import World
from local.aws.server import EmbeddedAws
from local.load.memory import EMULATOR, cpu_seconds_by_kind
from local.load.run import deploy_pipeline

_BUILT_ON = LAST_DATE + timedelta(days=1)
_CALLS_PER_HOUR = 3500
_RUNS = 3
_QUICK_FILES, _QUICK_ROWS = 10, 20
_SIMULATED_APPLE = "simulated App Store Connect"
_LETTERS_OF_PICTURE = 60

ORCHESTRATION = "orchestration"
ROOMS = {
    "Apple": ("RegisterRequest", "ListInstances", "DownloadSegments"),
    "convert": ("ConvertInstance",),
    "publish": ("PublishDate",),
    "verify": ("VerifyTable",),
}
"""The states of the Maps' children, by purpose. Apple's bytes are written to S3 during the download."""

_PATIENTLY = "Patiently"  # the states that process what the Express children left
_ROOM_OF_STATE = {state: room for room, states in ROOMS.items() for state in states}


class NotVerifiedError(Exception):
    """The run did not end with every row verified, so its times are meaningless."""


@dataclass(frozen=True, slots=True)
class SeedRun:
    """The daily run: CPU seconds by process, and its timeline."""

    cpu_seconds: Mapping[str, float]
    timeline: Timeline


def main(words: Sequence[str] | None = None) -> None:
    """Measure and report."""
    asked = arguments("seed", __doc__.split("\n", maxsplit=1)[0]).parse_args(words)
    shares = scaled_down(SEED, _QUICK_FILES, _QUICK_ROWS) if asked.quick else SEED
    cores = cpu_count() or 1
    files = files_of(shares)
    make(files, cores)
    runs, alone = [], [convert_alone(files, cores)]
    for number in range(1, (1 if asked.quick else _RUNS) + 1):
        runs.append(run_seed(files, f"Run {number}"))
        alone.append(convert_alone(files, cores))
    figures = figures_of(files, cores, alone, runs)
    report("seed", figures, tables_of(figures), versions(["boto3", "duckdb", "ministack", "pyarrow"]), asked)


def run_seed(files: Sequence[SegmentFile], name: str) -> SeedRun:
    """Deploy, register the apps, let Apple build the files, and measure the run that fetches them."""
    say(f"{name}: deploying, and the day on which the apps are registered")
    with ExitStack() as running:
        apple = running.enter_context(SimulatedApple(world_of(files)))
        aws = running.enter_context(EmbeddedAws())
        reports = list(dict.fromkeys(file.table.report.name for file in files))
        pipeline = deploy_pipeline(aws, apple, reports, _CALLS_PER_HOUR, lambda *_: None)
        _run(pipeline, "first-day", LAST_DATE)
        apple.world.move_to(_BUILT_ON)
        say(f"{name}: the day of the files")
        cpu_before = _cpu_seconds(aws)
        execution = _run(pipeline, "data-day", _BUILT_ON)
        cpu_after = _cpu_seconds(aws)
        _check(execution, files)
        timeline = read_timeline(aws.client("stepfunctions"), pipeline.execution_arn("data-day"))
        return SeedRun({kind: cpu - cpu_before.get(kind, 0) for kind, cpu in cpu_after.items()}, timeline)


def world_of(files: Sequence[SegmentFile]) -> World:
    """Apple on the day of the requests; a day later it has exactly these files."""
    apps = max(file.app_id for file in files) - APP_ID + 1
    world = World(WorldSettings(today=LAST_DATE, apps=apps, dates_per_instance=None, missing_share=1.0))
    for file in files:
        world.send_file(Series(str(file.app_id), file.table.report.name, Granularity.DAILY), _BUILT_ON, file.path)
    return world


def _run(pipeline: Pipeline, name: str, today: date) -> Execution:
    execution = pipeline.run(name, {"operation": "daily", "as_of": today.isoformat()})
    if execution.report is None:
        raise NotVerifiedError(f"The execution {name} ended {execution.status} without a report: {execution.cause}")
    return execution


def _check(execution: Execution, files: Sequence[SegmentFile]) -> None:
    report_, rows = execution.report or {}, sum(file.rows for file in files)
    if report_.get("apps_by_verdict", {}).keys() != {Verdict.VERIFIED} or report_["rows_athena"] != rows:
        raise NotVerifiedError(f"Not all of {rows:,} rows were verified: {execution.cause or execution.status}")


def _cpu_seconds(aws: EmbeddedAws) -> dict[str, float]:
    """By process: this one holds the simulated App Store Connect, and waits."""
    return {**cpu_seconds_by_kind(aws.process_id), _SIMULATED_APPLE: time.process_time()}


def figures_of(
    files: Sequence[SegmentFile], cores: int, alone: Sequence[Alone], runs: Sequence[SeedRun]
) -> dict[str, Any]:
    """The amounts, the durations by purpose, and the ratios to conversion alone."""
    run = sorted(runs, key=lambda each: each.timeline.seconds)[len(runs) // 2]
    rows, seconds = sum(file.rows for file in files), run.timeline.seconds
    alone_wall, alone_cpu, start_wall, start_cpu = (
        median(getattr(each, name) for each in alone)
        for name in ("wall_seconds", "cpu_seconds", "start_wall_seconds", "start_cpu_seconds")
    )
    cpu = sum(run.cpu_seconds.values())
    return {
        "workload": {
            "files": len(files),
            "rows": rows,
            "bytes": sum(file.path.stat().st_size for file in files),
            "apps": len({file.app_id for file in files}),
            "parts": sum(file.dates for file in files),
        },
        "cores": cores,
        "seconds": seconds,
        "rows_per_second": rows / seconds,
        "cpu_seconds": cpu,
        "runs": [
            {"wall_seconds": each.timeline.seconds, "cpu_seconds": sum(each.cpu_seconds.values())} for each in runs
        ],
        "alone": {
            "seconds": alone_wall,
            "cpu_seconds": alone_cpu,
            "start_seconds": start_wall,
            "start_cpu_seconds": start_cpu,
            "runs": [asdict(each) for each in alone],
        },
        "wall_ratio": seconds / alone_wall,
        "cpu_ratio": cpu / alone_cpu,
        "with_start": {
            "wall_ratio": seconds / (alone_wall + start_wall),
            "cpu_ratio": cpu / (alone_cpu + start_cpu),
        },
        "rooms": _rooms(run),
        "maps": [asdict(each) for each in run.timeline.maps],
        "cpu_seconds_by_process": dict(run.cpu_seconds),
    }


def _rooms(run: SeedRun) -> dict[str, dict[str, float]]:
    """Wall and CPU seconds by purpose; together they are all seconds of the run."""
    wall: dict[str, float] = defaultdict(float)
    for each in run.timeline.maps:
        for state, seconds in each.wall_seconds().items():
            wall[_ROOM_OF_STATE[state.removesuffix(_PATIENTLY)]] += seconds
    wall[ORCHESTRATION] = run.timeline.seconds - sum(wall.values())
    cpu: dict[str, float] = defaultdict(float)
    for process, seconds in run.cpu_seconds.items():
        cpu[_room_of_process(process)] += seconds
    return {room: {"seconds": wall[room], "cpu_seconds": cpu[room]} for room in (*ROOMS, ORCHESTRATION, EMULATOR)}


def _room_of_process(process: str) -> str:
    """A function is counted under its state's purpose, the simulated App Store Connect as Apple, and the embedded AWS
    separately."""
    state = "".join(word.capitalize() for word in process.split("-"))
    others = {_SIMULATED_APPLE: "Apple", EMULATOR: EMULATOR}
    return others.get(process) or _ROOM_OF_STATE.get(state, ORCHESTRATION)


def tables_of(figures: Mapping[str, Any]) -> list[Table]:
    """The tables for people."""
    return [_summary(figures), _where(figures)]


def _summary(figures: Mapping[str, Any]) -> Table:
    workload, alone = figures["workload"], figures["alone"]
    started, started_cpu = alone["seconds"] + alone["start_seconds"], alone["cpu_seconds"] + alone["start_cpu_seconds"]
    rows = [
        _taken("the pipeline", workload["rows"], figures["seconds"], figures["cpu_seconds"]),
        _taken("conversion alone", workload["rows"], alone["seconds"], alone["cpu_seconds"]),
        ("ratio", f"{figures['wall_ratio']:.2f}", f"{figures['cpu_ratio']:.2f}", ""),
        _taken("conversion alone, with its start", workload["rows"], started, started_cpu),
        ("ratio", *(f"{figures['with_start'][name]:.2f}" for name in ("wall_ratio", "cpu_ratio")), ""),
    ]
    title = (
        f"The seed's workload: {workload['files']:,} files, {workload['rows']:,} rows of {workload['apps']:,} apps, "
        f"{workload['bytes'] / 1e6:,.0f} MB, {workload['parts']:,} parts"
    )
    note = f"{figures['cores']} cores; runs of the pipeline: {_seconds(figures['runs'])}; "
    note += f"of conversion alone: {_seconds(alone['runs'])}."
    return Table(title, ("from Apple to verified", "wall s", "CPU s", "rows per s"), rows, note)


def _seconds(runs: Sequence[Mapping[str, float]]) -> str:
    return ", ".join(f"{each['wall_seconds']:.1f}" for each in runs) + " s"


def _taken(what: str, rows: int, seconds: float, cpu_seconds: float) -> tuple[str, str, str, str]:
    return what, f"{seconds:.1f}", f"{cpu_seconds:.1f}", f"{rows / seconds:,.0f}"


def _where(figures: Mapping[str, Any]) -> Table:
    whole, cpu = figures["seconds"], figures["cpu_seconds"]
    rows = [
        (
            room,
            _number(spent["seconds"]),
            _share(spent["seconds"], whole),
            _number(spent["cpu_seconds"]),
            _share(spent["cpu_seconds"], cpu),
        )
        for room, spent in figures["rooms"].items()
    ]
    note = f"{_picture(figures['rooms'], 'seconds')}  wall\n{_picture(figures['rooms'], 'cpu_seconds')}  CPU"
    return Table("Where the time went", ("", "wall s", "share", "CPU s", "share"), rows, note)


def _picture(rooms: Mapping[str, Mapping[str, float]], of: str) -> str:
    """A line of letters: the initial of each purpose, repeated in proportion to its share."""
    whole = sum(spent[of] for spent in rooms.values())
    return "".join(room[0] * round(_LETTERS_OF_PICTURE * spent[of] / whole) for room, spent in rooms.items())


def _number(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds else ""


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.0%}" if part else ""


if __name__ == "__main__":
    main()
