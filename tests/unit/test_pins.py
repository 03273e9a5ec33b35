import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENT_FILES = (
    "requirements.txt",
    "requirements-dev.txt",
    "layers/dependencies/requirements.txt",
    "layers/arrow/requirements.txt",
)
PIN = re.compile(r"(?P<name>[\w.-]+)(\[\w+])?==(?P<version>[\w.]+)")


def _requirements(name: str) -> list[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-"))]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _constraints() -> dict[str, str]:
    pins = [line.split("==") for line in _requirements("constraints.txt")]
    return {_normal(name): version for name, version in pins}


@pytest.mark.parametrize("name", REQUIREMENT_FILES)
def test_every_requirement_says_its_version_and_why_it_is_there(name: str) -> None:
    requirements = _requirements(name)
    assert requirements
    assert [line for line in requirements if not re.fullmatch(PIN.pattern + r" +# \S.*", line)] == []


@pytest.mark.parametrize("name", REQUIREMENT_FILES)
def test_every_requirement_is_in_the_tested_closure(name: str) -> None:
    pins = [match for line in _requirements(name) if (match := PIN.match(line))]
    closure = _constraints()
    assert {_normal(pin["name"]): pin["version"] for pin in pins} == {
        _normal(pin["name"]): closure.get(_normal(pin["name"])) for pin in pins
    }


@pytest.mark.parametrize("name", ["requirements.txt", *REQUIREMENT_FILES[2:]])
def test_what_is_deployed_is_constrained_to_the_tested_closure(name: str) -> None:
    constraint = re.search(r"^-c (.+)$", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
    assert constraint
    assert ((ROOT / name).parent / constraint[1]).resolve() == ROOT / "constraints.txt"


def test_the_cdk_command_line_is_pinned_by_content_and_names_no_registry() -> None:
    lock = json.loads((ROOT / "local/cdk/package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not any("resolved" in package for package in packages.values())
