"""The files for GitHub, git and editors: they parse, and the names in them exist."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = [path for path in sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml")) if path.name != "config.yml"]
FIELD_TYPES = {"checkboxes", "dropdown", "input", "markdown", "textarea"}


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _steps(workflow: Path) -> Iterator[dict[str, Any]]:
    for job in _yaml(workflow)["jobs"].values():
        assert job["timeout-minutes"] <= 45
        yield from job["steps"]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_pins_every_action_and_may_read_the_code_only(workflow: Path) -> None:
    used = [step["uses"] for step in _steps(workflow) if "uses" in step]
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action)] == []
    assert _yaml(workflow)["permissions"]["contents"] == "read"
    assert "${{ secrets" not in workflow.read_text(encoding="utf-8")


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_what_is_there(workflow: Path) -> None:
    commands = [shlex.split(step["run"]) for step in _steps(workflow) if "run" in step]
    assert commands
    for program, *arguments in commands:
        if program == "python3":
            assert arguments == ["-m", "workshop.setup"]
        else:
            assert (ROOT / program).stat().st_mode & 0o100, program


def test_ci_runs_all_checks_on_every_pull_request() -> None:
    workflow = _yaml(GITHUB / "workflows" / "ci.yml")
    assert set(workflow[True]) == {"push", "pull_request"}  # YAML 1.1 reads the key `on` as true
    assert [step["run"] for step in _steps(GITHUB / "workflows" / "ci.yml") if "run" in step] == [".ci/run"]
    assert "run_tests.sh" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_a_deployment_takes_a_role_from_a_variable_by_oidc() -> None:
    path = GITHUB / "workflows" / "deploy.yml"
    assert _yaml(path)["permissions"]["id-token"] == "write"
    (given,) = [step["with"] for step in _steps(path) if "configure-aws-credentials" in step.get("uses", "")]
    assert given == {"role-to-assume": "${{ vars.AWS_DEPLOY_ROLE_ARN }}", "aws-region": "${{ vars.AWS_REGION }}"}


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.name)
def test_an_issue_form_is_one_that_github_accepts(form: Path) -> None:
    found = _yaml(form)
    assert {"name", "description", "body"} <= found.keys() <= {"name", "description", "body", "labels", "title"}
    fields = [field for field in found["body"] if field["type"] != "markdown"]
    assert {field["type"] for field in found["body"]} <= FIELD_TYPES
    assert all(field["attributes"]["label"] for field in fields)
    ids = [field["id"] for field in fields]
    assert len(set(ids)) == len(ids) > 0


def test_every_review_has_an_owner() -> None:
    rules = [line for line in (GITHUB / "CODEOWNERS").read_text().splitlines() if not line.startswith("#")]
    assert [re.fullmatch(r"\S+( @[\w-]+/[\w-]+)+", rule) is not None for rule in rules] == [True] * len(rules)
    assert rules[0].startswith("* ")


def test_every_hook_runs_a_tool_of_the_project() -> None:
    configuration = _yaml(ROOT / ".pre-commit-config.yaml")
    (local,) = configuration["repos"]
    assert local["repo"] == "local"
    for hook in local["hooks"]:
        program, *arguments = shlex.split(hook["entry"])
        assert hook["language"] == "system"
        assert (ROOT / program).exists(), program
        assert all((ROOT / word).exists() for word in arguments if word.endswith(".py"))
    stages = {stage for hook in local["hooks"] for stage in hook.get("stages", ["pre-commit"])}
    assert stages == set(configuration["default_install_hook_types"])


def test_license_and_python_are_those_of_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["license"] == "Apache-2.0"
    assert [(ROOT / name).is_file() for name in project["license-files"]] == [True]
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License\n" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert project["requires-python"] == f">={(ROOT / '.python-version').read_text().strip()}"
