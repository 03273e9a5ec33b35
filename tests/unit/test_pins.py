"""Every package is pinned with the hash of each of its files, in one closure that includes every other file."""

import importlib.metadata
import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from workshop.pins import EVERYTHING, PARTS

ROOT = Path(__file__).resolve().parents[2]
ASKED = re.compile(r"(?P<name>[\w.-]+)(\[[\w,-]+])?==(?P<version>[\w.]+) +# \S.*")
PINNED = re.compile(r"(?P<name>[\w.-]+)(\[[\w,-]+])?==(?P<version>[\w.]+)(?P<marker> ; .+?)?(?P<hashes>( --hash=\S+)*)")
HASH = re.compile(r" --hash=(sha256:[0-9a-f]{64})")
MADE_BY_VENV = ("pip", "setuptools")
AWAY_FROM_LINUX_AND_MACOS = ("sys_platform == 'win32'", "sys_platform == 'emscripten'")


@dataclass(frozen=True)
class Pin:
    version: str
    marker: str
    hashes: frozenset[str]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _asked(name: str) -> dict[str, str]:
    """The requirements of a .in file, and the files that it includes."""
    found = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            found |= _asked(line.removeprefix("-r "))
        elif line and not line.startswith("#"):
            requirement = ASKED.fullmatch(line)
            assert requirement, f"{name}: '{line}' does not say its version and why it is there"
            found[_normal(requirement["name"])] = requirement["version"]
    return found


def _pins(name: str) -> dict[str, Pin]:
    """The pins of a .txt file. It contains nothing else: no index, no URL, no option."""
    text = (ROOT / name).read_text(encoding="utf-8").replace(" \\\n    ", " ")
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            pin = PINNED.fullmatch(line)
            assert pin, f"{name}: '{line}' is not a pin"
            found[_normal(pin["name"])] = Pin(
                pin["version"], pin["marker"] or "", frozenset(HASH.findall(pin["hashes"]))
            )
    return found


@pytest.mark.parametrize("name", [EVERYTHING, *PARTS])
def test_every_package_is_pinned_with_the_hashes_of_its_files(name: str) -> None:
    pins = _pins(name)
    assert pins
    assert [package for package, pin in pins.items() if not pin.hashes] == []


@pytest.mark.parametrize("name", [EVERYTHING, *PARTS])
def test_what_is_asked_for_is_what_is_pinned(name: str) -> None:
    asked, pins = _asked(name.replace(".txt", ".in")), _pins(name)
    assert asked
    assert {package: pins[package].version for package in asked} == asked


@pytest.mark.parametrize("name", PARTS)
def test_what_is_deployed_is_what_was_tested(name: str) -> None:
    closure = _pins(EVERYTHING)
    assert {package: closure.get(package) for package in _pins(name)} == _pins(name)


def test_the_closure_is_what_this_environment_runs() -> None:
    installed = {_normal(package.name): package.version for package in importlib.metadata.distributions()}
    pinned = {
        name: pin.version
        for name, pin in _pins(EVERYTHING).items()
        if not pin.marker.endswith(AWAY_FROM_LINUX_AND_MACOS)
    }
    assert {name: version for name, version in installed.items() if name not in MADE_BY_VENV} == pinned


def test_the_cdk_command_line_is_pinned_by_content_and_names_no_registry() -> None:
    lock = json.loads((ROOT / "workshop/cdk/package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not any("resolved" in package for package in packages.values())
