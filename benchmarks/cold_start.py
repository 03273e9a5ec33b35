"""The cost of a cold start: import time per function and the size of the layers: `python -m benchmarks.cold_start`.

Each import runs in a separate process, with the layers mounted as on Lambda, built for this machine.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measuring.machine import versions
from benchmarks.measuring.measure import run
from benchmarks.measuring.progress import say
from benchmarks.results import Table, arguments, report
from infra.layers import AWS_TARGET, PIPELINE_LAYER, THIS_MACHINE, Target, ThirdPartyLayer, build_layers

ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS = tuple(sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py")))
WITH_ARROW = ("compact_months", "console_read", "convert_instance", "publish_date", "send_digest", "summarize_run")
_RUNS = 5
_LAYERS_NOTE = "A layer has byte code if a Python of the Lambda runtime's version was found."
_PROGRAM = """
import ast, importlib, json, pathlib, sys, time
sys.path[:0] = sys.argv[2:]
lines = ast.parse(pathlib.Path(sys.argv[1]).read_text()).body
modules = [line.module for line in lines if isinstance(line, ast.ImportFrom)]
cpu, wall = time.process_time(), time.perf_counter()
for module in modules:
    importlib.import_module(module)
seconds = {"cpu_seconds": time.process_time() - cpu, "wall_seconds": time.perf_counter() - wall}
status = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
seconds["peak_mb"] = int(status["VmHWM"].split()[0]) / 1024
print(json.dumps(seconds | {"loaded": sorted({name.partition(".")[0] for name in sys.modules})}))
"""
"""The imports of the handler's file, without the clients that it creates."""


def main(words: Sequence[str] | None = None) -> None:
    """Measure and report."""
    asked = arguments("cold_start", __doc__.split("\n", maxsplit=1)[0]).parse_args(words)
    runs = 1 if asked.quick else _RUNS
    figures = {
        "functions": {name: _of_function(name, runs) for name in FUNCTIONS},
        "layers": _sizes_of_layers((THIS_MACHINE,) if asked.quick else (THIS_MACHINE, AWS_TARGET)),
    }
    report("cold_start", figures, _tables(figures), versions(["pyarrow", "boto3"]), asked)


def imports(function: str) -> dict[str, Any]:
    """One import of a function's handler in a fresh process: seconds, the packages it loaded, memory."""
    layers = [ThirdPartyLayer.DEPENDENCIES, *([ThirdPartyLayer.ARROW] if function in WITH_ARROW else [])]
    folders = build_layers(THIS_MACHINE)
    paths = [*(folders[layer] / "python" for layer in layers), PIPELINE_LAYER / "python", ROOT]
    handler = ROOT / "functions" / function / "handler.py"
    return run([sys.executable, "-c", _PROGRAM, handler, *paths], {}, cores=1).answer


def size_mb(folder: Path) -> float:
    """The unzipped size: Lambda allows 250 MB to a function with its layers."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def _of_function(name: str, runs: int) -> dict[str, Any]:
    say(f"Importing {name}")
    measured = [imports(name) for _ in range(runs)]
    return {
        **{key: median(each[key] for each in measured) for key in ("cpu_seconds", "wall_seconds", "peak_mb")},
        "loads_arrow": "pyarrow" in measured[0]["loaded"],
        "runs": runs,
    }


def _sizes_of_layers(targets: Sequence[Target]) -> list[dict[str, Any]]:
    return [
        {"layer": layer.value, "machine": target.machine, "python": target.python_version, "mb": size_mb(folder)}
        for target in targets
        for layer, folder in build_layers(target).items()
    ]


def _tables(figures: dict[str, Any]) -> list[Table]:
    rows = [
        (
            name,
            f"{each['cpu_seconds']:.2f}",
            f"{each['wall_seconds']:.2f}",
            f"{each['peak_mb']:.0f}",
            "yes" if each["loads_arrow"] else "no",
        )
        for name, each in figures["functions"].items()
    ]
    sizes = [(each["layer"], each["machine"], each["python"], f"{each['mb']:.1f}") for each in figures["layers"]]
    return [
        Table("Cold start: imports", ("function", "CPU s", "wall s", "peak MB", "loads Arrow"), rows),
        Table("Cold start: layers, unzipped", ("layer", "machine", "Python", "MB"), sizes, _LAYERS_NOTE),
    ]


if __name__ == "__main__":
    main()
