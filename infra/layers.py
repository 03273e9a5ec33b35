"""The Lambda layers: our package as it is, and third-party packages built by pip, trimmed, without Docker."""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from aws_cdk import AssetHashType
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from appstore_analytics.contract.names import Names
from infra.byte_code import compile_folder, interpreter

PROJECT = Path(__file__).resolve().parent.parent
BUILD = PROJECT / ".build" / "layers"
PIPELINE_LAYER = PROJECT / "layers" / "pipeline"
RUNTIME = lambda_.Runtime.PYTHON_3_13
NOT_SHIPPED = ["**/__pycache__", "**/*.pyc"]
"""The files of our source that an asset leaves out."""

FOR_PEOPLE = ("answers", "contract/prices.py")
"""Modules that only `manage.py`, the template and the benchmarks use. An import rule keeps functions from using
them."""


class ThirdPartyLayer(StrEnum):
    """The layers that pip builds from `layers/<name>/requirements.txt`."""

    DEPENDENCIES = "dependencies"
    ARROW = "arrow"
    WEB = "web"


OF_THE_PIPELINE = (ThirdPartyLayer.DEPENDENCIES, ThirdPartyLayer.ARROW)
OF_THE_CONSOLE = (*OF_THE_PIPELINE, ThirdPartyLayer.WEB)


class LayerBuildError(Exception):
    """pip could not build a layer; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Target:
    """The machine for which a layer is built. Without platforms it is the running Python's."""

    python_version: str
    machine: str
    platforms: tuple[str, ...] = ()

    @property
    def architecture(self) -> lambda_.Architecture:
        """Lambda's name for the processor architecture."""
        arm = self.machine in {"aarch64", "arm64"}
        return lambda_.Architecture.ARM_64 if arm else lambda_.Architecture.X86_64


_THIS_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
AWS_TARGET = Target("3.13", "aarch64", ("manylinux_2_28_aarch64", "manylinux2014_aarch64"))
THIS_MACHINE = Target(_THIS_PYTHON, platform.machine())

# Without these files pyarrow still reads CSV, and reads and writes Parquet. Substrait is needed: pyarrow.dataset is
# linked to it. boto3 talks to S3, so Arrow's S3 client is removed with the other file systems. Of three copies of each
# shared library (a wheel has no links) only the one that is loaded is kept.
_TRIMMINGS = {
    ThirdPartyLayer.DEPENDENCIES: ("bin",),
    ThirdPartyLayer.WEB: ("bin",),
    ThirdPartyLayer.ARROW: (
        "bin",
        "pyarrow/include",
        "pyarrow/includes",
        "pyarrow/src",
        "pyarrow/tests",
        "pyarrow/*.pxd",
        "pyarrow/*.pxi",
        "pyarrow/*.pyx",
        "pyarrow/_azurefs.*",
        "pyarrow/_flight.*",
        "pyarrow/_gcsfs.*",
        "pyarrow/_hdfs.*",
        "pyarrow/_orc.*",
        "pyarrow/_dataset_orc.*",
        "pyarrow/_s3fs.*",
        "pyarrow/_pyarrow_cpp_tests.*",
        "pyarrow/_parquet_encryption.*",
        "pyarrow/_dataset_parquet_encryption.*",
        "pyarrow/libarrow_flight.*",
        "pyarrow/libarrow_s3.*",
        "pyarrow/libarrow_python_flight.*",
        "pyarrow/libarrow_python_parquet_encryption.*",
        "pyarrow/libarrow_python.so",
        "pyarrow/libarrow_python.so.*.*.*",
    ),
}
_BYTE_CODE = "unchecked-hash 1"

AWS_SERVICES = ("athena", "dynamodb", "s3", "secretsmanager")
"""The services that the pipeline's functions call (wiring/connections.py). botocore describes 400 more, in 25 MB."""


def build_layers(
    target: Target,
    build: Path = BUILD,
    layers: Iterable[ThirdPartyLayer] = OF_THE_PIPELINE,
    services: tuple[str, ...] = AWS_SERVICES,
) -> dict[ThirdPartyLayer, Path]:
    """The folders of these third-party layers, built unless they already exist; LayerBuildError if pip fails."""
    requirements = {layer: PROJECT / "layers" / layer / "requirements.txt" for layer in layers}
    return {layer: build_layer(layer, path, target, build, services) for layer, path in requirements.items()}


def build_layer(
    layer: ThirdPartyLayer,
    requirements: Path,
    target: Target,
    build: Path = BUILD,
    services: tuple[str, ...] = AWS_SERVICES,
) -> Path:
    """`<build>/<layer>-<identity>` with a `python` folder. A second build with the same identity reuses the existing
    folder.

    The folder appears atomically; of two simultaneous builders the first wins, and both get the right folder.
    """
    kept = services if layer is ThirdPartyLayer.DEPENDENCIES else ()
    built = build / f"{layer}-{_identity(requirements, target, (*_TRIMMINGS[layer], *kept))}"
    if built.is_dir():
        return built
    build.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build, prefix=f".{layer}-") as workshop:
        draft = Path(workshop) / "layer"
        _install(layer, requirements, target, draft / "python")
        _trim(draft / "python", _TRIMMINGS[layer], services)
        if python := interpreter(target.python_version):
            compile_folder(python, draft / "python")
        publish(draft, built)
    return built


def _identity(requirements: Path, target: Target, trimmings: Iterable[str]) -> str:
    byte_code = _BYTE_CODE if interpreter(target.python_version) else "source only"
    parts = (requirements.read_text(encoding="utf-8"), str(asdict(target)), *trimmings, byte_code)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _install(layer: ThirdPartyLayer, requirements: Path, target: Target, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--require-hashes", "--only-binary=:all:", "--target", str(folder), "--requirement", str(requirements)]
    for name in target.platforms:
        command += ["--platform", name]
    if target.platforms:
        command += ["--python-version", target.python_version, "--implementation", "cp"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if result.returncode:
        last = result.stderr.strip().splitlines()[-1:] or ["no output from pip"]
        raise LayerBuildError(
            f"pip could not build the layer '{layer}' ({last[0]}): "
            "check that the package index can be reached and that requirements.txt names versions with wheels."
        )


def _trim(folder: Path, trimmings: Iterable[str], services: Iterable[str]) -> None:
    for pattern in trimmings:
        for path in folder.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for service in folder.glob("botocore/data/*/"):
        if service.name not in services:
            shutil.rmtree(service)


def publish(draft: Path, built: Path) -> None:
    """Rename a finished folder to its final name, unless another builder was first."""
    try:
        os.rename(draft, built)
    except OSError:
        if not built.is_dir():
            raise


def _for_people() -> Iterator[str]:
    return (f"python/appstore_analytics/{path}" for path in FOR_PEOPLE)


class Layers(Construct):
    """`pipeline` is our package; `third_party` holds what pip built, boto3 too: the runtime's own comes after it."""

    def __init__(
        self, scope: Construct, id_: str, names: Names, folders: dict[ThirdPartyLayer, Path], target: Target
    ) -> None:
        super().__init__(scope, id_)
        code = lambda_.Code.from_asset(str(PIPELINE_LAYER), exclude=[*NOT_SHIPPED, *_for_people()])
        self.pipeline = layer_version(self, "pipeline", names.prefixed("pipeline"), code, target)
        self.third_party = {
            layer: layer_version(self, layer, names.prefixed(layer), packages_code(folders[layer]), target)
            for layer in OF_THE_PIPELINE
        }


def packages_code(folder: Path) -> lambda_.Code:
    """A layer's folder of packages as `<folder>.zip`, which is made once, so that each synth copies only one file.

    The CDK copies a folder file by file into each new cdk.out, and compresses it again for each deployment from there.
    """
    archive = folder.with_name(f"{folder.name}.zip")
    if not archive.exists():
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as workshop:
            os.replace(shutil.make_archive(f"{workshop}/layer", "zip", folder), archive)
    return _known_code(archive, folder.name)


def built_code(folder: Path) -> lambda_.Code:
    """A folder whose name is its identity."""
    return _known_code(folder, folder.name)


def _known_code(path: Path, identity: str) -> lambda_.Code:
    """Code with a known hash, so that the CDK does not hash 100 MB at every synth."""
    return lambda_.Code.from_asset(str(path), asset_hash=identity, asset_hash_type=AssetHashType.CUSTOM)


def layer_version(scope: Construct, id_: str, name: str, code: lambda_.Code, target: Target) -> lambda_.LayerVersion:
    """A layer for the Python version that all functions use."""
    return lambda_.LayerVersion(
        scope,
        id_.capitalize(),
        layer_version_name=name,
        code=code,
        compatible_runtimes=[RUNTIME],
        compatible_architectures=[target.architecture],
    )
