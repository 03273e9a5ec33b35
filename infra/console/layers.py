"""The layers of the console's functions: third-party packages built by pip, and our two packages in one folder.

The pipeline's functions do not need the packages for HTTP and people, so the console's functions have their own layer.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from constructs import Construct

from appstore_analytics.contract.names import Names
from infra.layers import (
    OF_THE_CONSOLE,
    PROJECT,
    Target,
    ThirdPartyLayer,
    built_code,
    layer_version,
    packages_code,
    publish,
)

BUILD = PROJECT / ".build" / "console"
_PACKAGES = ("layers/pipeline/python/appstore_analytics", "layers/console/python/appstore_console")

AWS_SERVICES = (
    "apigatewaymanagementapi",
    "athena",
    "cognito-idp",
    "dsql",
    "dynamodb",
    "glue",
    "lambda",
    "s3",
    "secretsmanager",
    "sesv2",
    "stepfunctions",
    "sts",
)
"""The services that the console's functions call (appstore_console/connections.py)."""


class ConsoleLayers(Construct):
    """`package` is our code, identified by `version`; `third_party` is what pip built."""

    def __init__(
        self, scope: Construct, id_: str, names: Names, folders: Mapping[ThirdPartyLayer, Path], target: Target
    ) -> None:
        super().__init__(scope, id_)
        code = stage_package()
        self.version = code.name
        self.package = layer_version(self, "package", names.prefixed("console-package"), built_code(code), target)
        self.third_party = {
            layer: layer_version(self, layer, names.prefixed(f"console-{layer}"), packages_code(folders[layer]), target)
            for layer in OF_THE_CONSOLE
        }


def stage_package(build: Path = BUILD) -> Path:
    """`<build>/package-<digest>` with a `python` folder. A second call for the same code only looks it up."""
    roots = [PROJECT / package for package in _PACKAGES]
    files = {f"python/{root.name}/{path.relative_to(root)}": path for root in roots for path in _sources(root)}
    return stage("package", {name: path.read_bytes() for name, path in files.items()}, build)


def stage(name: str, files: Mapping[str, bytes], build: Path = BUILD) -> Path:
    """`<build>/<name>-<digest of the files>` with these files. It appears atomically."""
    digest = hashlib.sha256()
    for path, content in sorted(files.items()):
        digest.update(f"{path}\0{len(content)}\0".encode() + content)
    staged = build / f"{name}-{digest.hexdigest()[:16]}"
    if staged.is_dir():
        return staged
    build.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build, prefix=f".{name}-") as workshop:
        draft = Path(workshop) / "draft"
        for path, content in files.items():
            target = draft / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        _forget_others(name, staged, build)
        publish(draft, staged)
    return staged


def _forget_others(name: str, staged: Path, build: Path) -> None:
    """Staged folders of earlier code; the CDK has copied what it deploys."""
    for other in build.glob(f"{name}-*"):
        if other != staged:
            shutil.rmtree(other, ignore_errors=True)


def _sources(root: Path) -> Iterator[Path]:
    return (path for path in sorted(root.rglob("*")) if path.is_file() and path.suffix != ".pyc")
