"""Makes the peers' environments in .build/benchmarks: `python -m benchmarks.setup`. Each benchmark does this by itself
when needed."""

import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent / ".build" / "benchmarks"
ENVIRONMENTS = {"peers": "conversion/requirements.txt", "awswrangler": "conversion/requirements-awswrangler.txt"}


def python_of(environment: str) -> Path:
    """The Python of one of `ENVIRONMENTS`, made on first use and again when its requirements have changed."""
    requirements = HERE / ENVIRONMENTS[environment]
    folder = BUILD / environment
    stamp = folder / "complete"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != requirements.read_text(encoding="utf-8"):
        sys.stderr.write(f"Making the environment {folder.relative_to(HERE.parent)} …\n")
        venv.create(folder, clear=True, symlinks=True, with_pip=True)
        pip = (folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        subprocess.run([*pip, "--no-deps", "-r", requirements], check=True)  # noqa: S603
        stamp.write_text(requirements.read_text(encoding="utf-8"), encoding="utf-8")
    return folder / "bin" / "python"


if __name__ == "__main__":
    for name in ENVIRONMENTS:
        python_of(name)
