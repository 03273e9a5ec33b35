"""Types and style of the console's source, by the pinned tools."""

import subprocess

import pytest

from infra.console.browser_files import CONSOLE

TOOLS = CONSOLE / "node_modules" / ".bin"
MOST_LINES = 400
WORDS = CONSOLE / "words" / "en.js"
"""All texts are in one file, so that a translation is one file."""


@pytest.mark.parametrize("command", [("tsc", "--project", "."), ("biome", "check", "--error-on-warnings", ".")])
def test_a_tool_finds_nothing(command: tuple[str, ...]) -> None:
    done = subprocess.run([TOOLS / command[0], *command[1:]], cwd=CONSOLE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"


def test_no_file_is_long() -> None:
    sources = [path for kind in ("*.js", "*.css") for path in CONSOLE.rglob(kind) if "node_modules" not in path.parts]
    long = {
        str(path.relative_to(CONSOLE)) for path in sources if len(path.read_text("utf-8").splitlines()) > MOST_LINES
    }
    assert long - {str(WORDS.relative_to(CONSOLE))} == set()


def test_packages_are_pinned_with_hashes_and_without_a_registry() -> None:
    lock = (CONSOLE / "package-lock.json").read_text(encoding="utf-8")
    assert "resolved" not in lock
    assert lock.count('"version"') == lock.count('"integrity"'), "each package that is fetched"
    assert "https://registry" not in lock
