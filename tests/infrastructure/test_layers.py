import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from synthesis import Synthesis

from appstore_analytics.contract.capacities import ARROW_MEMORY
from benchmarks.cold_start import FUNCTIONS, WITH_ARROW, imports, size_mb
from infra.byte_code import interpreter
from infra.console.layers import AWS_SERVICES as CONSOLE_SERVICES
from infra.layers import (
    AWS_SERVICES,
    AWS_TARGET,
    FOR_PEOPLE,
    PIPELINE_LAYER,
    THIS_MACHINE,
    LayerBuildError,
    Target,
    ThirdPartyLayer,
    build_layer,
    build_layers,
    packages_code,
)


@pytest.fixture(autouse=True)
def pythons_are_known() -> None:
    """Searched before a test replaces the commands that the search runs."""
    for target in (THIS_MACHINE, AWS_TARGET):
        interpreter(target.python_version)


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.txt"
    path.write_text(f"tomli==1.0 --hash=sha256:{'0' * 64}\n")
    return path


class Pip:
    """Replaces pip: records its command and writes the files of a package."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self._run = subprocess.run

    def __call__(self, command: list[str], **how: Any) -> "subprocess.CompletedProcess[str]":
        if "pip" not in command:
            return self._run(command, **how)
        self.commands.append(command)
        folder = Path(command[command.index("--target") + 1])
        (folder / "bin").mkdir(parents=True)
        (folder / "pyarrow" / "include").mkdir(parents=True)
        for name in (
            "bin/tool",
            "pyarrow/__init__.py",
            "pyarrow/include/api.h",
            "pyarrow/libarrow_flight.so.2600",
            "pyarrow/_flight.cpython-313-aarch64-linux-gnu.so",
            "pyarrow/_orc.cpython-313-x86_64-linux-gnu.so",
        ):
            (folder / name).touch()
        (folder / "pyarrow" / "libarrow_substrait.so.2600").touch()
        return subprocess.CompletedProcess(command, 0, "", "")


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> Pip:
    pip = Pip()
    monkeypatch.setattr("infra.layers.subprocess.run", pip)
    return pip


def test_for_aws_pip_is_asked_for_known_wheels_of_the_runtime_and_never_for_sources(
    pip: Pip, requirements: Path, tmp_path: Path
) -> None:
    build_layer(ThirdPartyLayer.ARROW, requirements, AWS_TARGET, tmp_path / "build")
    (command,) = pip.commands
    assert {"--only-binary=:all:", "--require-hashes"} < set(command)
    text = " ".join(command)
    assert "--platform manylinux_2_28_aarch64 --platform manylinux2014_aarch64" in text
    assert "--python-version 3.13 --implementation cp" in text


def test_a_layer_is_trimmed_and_stands_where_lambda_looks(pip: Pip, requirements: Path, tmp_path: Path) -> None:
    built = build_layer(ThirdPartyLayer.ARROW, requirements, AWS_TARGET, tmp_path / "build")
    assert pip.commands
    files = {str(path.relative_to(built)) for path in built.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert files == {"python/pyarrow/__init__.py", "python/pyarrow/libarrow_substrait.so.2600"}
    assert list((tmp_path / "build").iterdir()) == [built]


def test_a_second_build_is_a_look_up_until_something_about_it_changes(
    pip: Pip, requirements: Path, tmp_path: Path
) -> None:
    build = tmp_path / "build"

    def built(target: Target = AWS_TARGET) -> Path:
        return build_layer(ThirdPartyLayer.DEPENDENCIES, requirements, target, build)

    first = built()
    assert built() == first
    assert len(pip.commands) == 1
    other_target = built(Target("3.13", "x86_64", ("manylinux_2_28_x86_64",)))
    requirements.write_text(f"tomli==1.0 --hash=sha256:{'1' * 64}\n")
    assert len({first, other_target, built()}) == 3


def test_byte_code_is_written_only_by_the_python_that_reads_it(pip: Pip, requirements: Path, tmp_path: Path) -> None:
    here = build_layer(ThirdPartyLayer.ARROW, requirements, THIS_MACHINE, tmp_path / "build")
    elsewhere = build_layer(
        ThirdPartyLayer.ARROW, requirements, Target("3.99", "aarch64", ("manylinux2014_aarch64",)), tmp_path / "build"
    )
    assert len(pip.commands) == 2
    (byte_code,) = here.rglob("*.pyc")
    assert (
        byte_code.read_bytes()[4:8] == b"\x01\x00\x00\x00"
    )  # hash-based, unchecked (PEP 552): a zip has no modification times
    assert not list(elsewhere.rglob("*.pyc"))


def python_that_says(folder: Path, version: str, exit_code: int = 0) -> Path:
    """A command on PATH in place of a Python version that is not installed here."""
    python = folder / "python3.99"
    python.write_text(f"#!/bin/sh\necho {version}\nexit {exit_code}\n")
    python.chmod(0o755)
    return python


@pytest.mark.parametrize(
    ("says", "exit_code", "found"), [("3.99", 0, True), ("3.98", 0, False), ("no such version", 127, False)]
)
def test_a_python_of_the_runtimes_version_is_looked_for_and_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, exit_code: int, found: bool
) -> None:
    """pyenv puts commands on PATH that fail if their version is not active."""
    python = python_that_says(tmp_path, says, exit_code)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    interpreter.cache_clear()
    assert interpreter("3.99") == (python if found else None)
    interpreter.cache_clear()


def test_of_botocore_the_services_stay_that_functions_open() -> None:
    source = (PIPELINE_LAYER / "python" / "appstore_analytics" / "wiring" / "connections.py").read_text()
    assert set(re.findall(r'aws\(\)\.(?:client|resource)\("(\w+)"', source)) == set(AWS_SERVICES)
    data = build_layers(THIS_MACHINE)[ThirdPartyLayer.DEPENDENCIES] / "python" / "botocore" / "data"
    assert {path.name for path in data.iterdir() if path.is_dir()} == set(AWS_SERVICES)


def test_the_console_has_the_services_that_its_own_functions_open() -> None:
    source = (PIPELINE_LAYER.parent / "console" / "python" / "appstore_console" / "connections.py").read_text()
    assert set(re.findall(r'aws\(\)\.(?:client|resource)\(\s*"([\w-]+)"', source)) == set(CONSOLE_SERVICES)


def test_an_index_out_of_reach_is_one_sentence_and_leaves_nothing_behind(
    requirements: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(command: list[str], **_: object) -> "subprocess.CompletedProcess[str]":
        return subprocess.CompletedProcess(command, 1, "", "trying\nERROR: No matching distribution found for tomli\n")

    monkeypatch.setattr("infra.layers.subprocess.run", unreachable)
    with pytest.raises(LayerBuildError) as failure:
        build_layer(ThirdPartyLayer.DEPENDENCIES, requirements, THIS_MACHINE, tmp_path / "build")
    assert "layer 'dependencies'" in str(failure.value)
    assert "No matching distribution found for tomli" in str(failure.value)
    assert "index can be reached" in str(failure.value)
    assert "\n" not in str(failure.value)
    assert list((tmp_path / "build").iterdir()) == []


def test_the_packages_are_packed_once_however_often_they_are_deployed(tmp_path: Path) -> None:
    folder = tmp_path / "arrow-0123456789abcdef"
    (folder / "python").mkdir(parents=True)
    (folder / "python" / "package.py").write_text("answer = 42\n")
    archive = tmp_path / f"{folder.name}.zip"
    packages_code(folder)
    with zipfile.ZipFile(archive) as packed:
        assert packed.read("python/package.py") == b"answer = 42\n"
        assert not packed.testzip()
    before = archive.stat()
    packages_code(folder)
    assert archive.stat() == before
    assert sorted(tmp_path.iterdir()) == [folder, archive]


def test_of_two_builders_at_the_same_time_the_first_wins_and_both_are_right(
    pip: Pip, requirements: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = tmp_path / "build"

    def beaten(command: list[str], **how: object) -> "subprocess.CompletedProcess[str]":
        monkeypatch.setattr("infra.layers.subprocess.run", pip)
        build_layer(ThirdPartyLayer.DEPENDENCIES, requirements, AWS_TARGET, build)
        return pip(command, **how)

    monkeypatch.setattr("infra.layers.subprocess.run", beaten)
    built = build_layer(ThirdPartyLayer.DEPENDENCIES, requirements, AWS_TARGET, build)
    assert list(build.iterdir()) == [built]
    assert len(pip.commands) == 2


_CONVERT_AND_MERGE = """
import gzip, io, json, pathlib, sys, tempfile
import boto3, botocore, s3transfer
import aws_lambda_powertools, requests, jwt, cryptography.hazmat.primitives.asymmetric.ec
import isal, pyarrow, pyarrow.dataset
from datetime import date
from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.lake import conversion
from appstore_analytics.lake.merge import opened
from appstore_analytics.lake.parquet import RowGroups, table_layout
from appstore_analytics.lake.record_batches import in_one_batch
from appstore_analytics.lake.schema import in_memory, part_schema
from appstore_analytics.model.vintage import Vintage
conversion._RUN_ROWS = 2  # so that rows are spilled, too
loaded = (pyarrow, requests, jwt, isal, boto3, botocore, s3transfer)
for service in ("athena", "s3", "secretsmanager"):
    boto3.client(service, region_name="eu-central-1")
boto3.resource("dynamodb", region_name="eu-central-1").Table("registry")
table = tables_by_name()["purchases"]
cells = {"date": "2026-11-20", "app_apple_identifier": "7", "purchases": "2", "sales_in_usd": "0.5"}
line = "\\t".join(cells.get(each.name, "") for each in table.report.columns)
header = "\\t".join(each.header for each in table.report.columns)
segments = [io.BytesIO(gzip.compress("\\n".join([header, line, line]).encode())) for _ in range(3)]
with tempfile.TemporaryDirectory() as folder:
    scratch = pathlib.Path(folder)
    vintage = Vintage(date(2026, 11, 21), AccessType.ONGOING, "instance-1")
    (part,) = conversion.convert(segments, table, 7, vintage, date(2026, 11, 23), lambda days: days, scratch).parts
    rows = opened(pyarrow.OSFile(str(part.path)), in_memory(part_schema(table))).read()
    with RowGroups(scratch / "merged.parquet", table_layout(part_schema(table))) as merged:
        merged.append(in_one_batch(rows))
        merged.finish({})
    print(json.dumps([[part.rows, part.sums], [each.__file__ for each in loaded]]))
"""


def test_what_our_code_does_works_with_the_real_layers_alone() -> None:
    folders = [folder / "python" for folder in build_layers(THIS_MACHINE).values()]
    paths = [*folders, PIPELINE_LAYER / "python"]
    environment = {"PYTHONPATH": os.pathsep.join(map(str, paths)), "PATH": os.environ["PATH"]}
    # -S: without this environment's packages, as on Lambda.
    result = subprocess.run(
        [sys.executable, "-S", "-c", _CONVERT_AND_MERGE], env=environment, capture_output=True, text=True, check=False
    )
    assert result.stderr == ""
    done, files = json.loads(result.stdout)
    assert done == [6, {"purchases": "12", "sales_in_usd": "3.000000"}]
    assert all(any(Path(each).is_relative_to(folder) for folder in folders) for each in files)


def test_the_layers_arrow_keeps_the_memory_that_a_function_has_freed() -> None:
    layer = build_layers(THIS_MACHINE)[ThirdPartyLayer.ARROW] / "python"
    environment = {"PYTHONPATH": str(layer), "PATH": os.environ["PATH"], **ARROW_MEMORY}
    result = subprocess.run(
        [sys.executable, "-S", "-c", "import pyarrow; print(pyarrow.default_memory_pool().backend_name)"],
        env=environment | {"MIMALLOC_VERBOSE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "mimalloc\n"
    assert "option 'purge_delay': -1" in result.stderr


def test_what_only_people_read_is_not_shipped(synthesis: Synthesis) -> None:
    (shipped,) = synthesis.template_path.parent.glob("asset.*/python/appstore_analytics")
    for path in FOR_PEOPLE:
        assert (PIPELINE_LAYER / "python" / "appstore_analytics" / path).exists()
        assert not (shipped / path).exists()
    assert (shipped / "contract" / "errors.py").exists()


def test_the_layers_stay_small() -> None:
    sizes = {layer: size_mb(folder) for layer, folder in build_layers(THIS_MACHINE).items()}
    assert sizes[ThirdPartyLayer.ARROW] < 112
    assert sizes[ThirdPartyLayer.DEPENDENCIES] < 37


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_the_functions_that_need_arrow_load_it_and_none_takes_long(function: str) -> None:
    imported = imports(function)
    assert ("pyarrow" in imported["loaded"]) == (function in WITH_ARROW)
    assert imported["cpu_seconds"] < 3
    assert imported["peak_mb"] < 160
