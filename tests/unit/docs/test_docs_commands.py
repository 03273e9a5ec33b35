"""Every shell command of the documentation is known to this module, which checks or runs it."""

import contextlib
import functools
import io
import itertools
import json
import re
import runpy
import sys
from collections.abc import Callable
from datetime import date
from importlib.util import find_spec
from typing import Any
from urllib.parse import parse_qs, urlsplit

import botocore.session
import jmespath
import pytest
from botocore import xform_name
from typer.main import get_command

from appstore_analytics.contract.names import Names
from appstore_analytics.contract.operations import Operation
from appstore_analytics.rules.execution_input import parse_execution_input
from appstore_console.http.api import ROOT as ROOT_OF_THE_API
from appstore_console.routes.reading import READING
from infra.configuration import DeploymentConfiguration, parse_context
from local.apple import World, WorldSettings
from local.apple.control import answer_control
from local.apple.http import Call
from local.arguments import parse_arguments
from operations import commands as manage
from operations.arguments import arranged
from tests.unit.docs.reading_docs import README, ROOT, blocks, commands, rows
from workshop.pins import EVERYTHING

COMMANDS = [command for block in blocks("sh") for command in commands(block)]
AWS = [command for command in COMMANDS if command[0] == "aws"]
AWS_OUTSIDE_OF_BOTOCORE = {("s3", "ls"), ("s3", "sync")}
OPTIONS_OF_THE_AWS_CLI = {"--cli-binary-format", "--output", "--query"}


def _is_a_script(arguments: list[str]) -> None:
    assert arguments == []


def _is_the_test_script(arguments: list[str]) -> None:
    if arguments[:1] == ["--fast"]:
        assert '"$*" = --fast' in (ROOT / "run_tests.sh").read_text(encoding="utf-8")
    elif arguments:
        assert (ROOT / arguments[0]).exists()
        assert arguments[1:2] in ([], ["-k"])


def _is_activation(arguments: list[str]) -> None:
    assert arguments == [".venv/bin/activate"]


def _is_cdk(arguments: list[str]) -> None:
    command, *options = arguments
    assert command in ("bootstrap", "deploy", "destroy", "diff", "import")
    if options and not options[0].startswith("--"):
        assert options.pop(0) in (Names().stack, Names().console_stack)
    if command == "import":
        assert options == ["--resource-mapping", "adopt.json"]
        return
    assert options[::2] == ["--context"] * (len(options) // 2)
    assert parse_context(dict(option.split("=", 1) for option in options[1::2]))


def _is_git(arguments: list[str]) -> None:
    assert arguments in (["pull"], ["apply"])


def _is_manage(arguments: list[str]) -> None:
    """Parsed like the parser does: the options of all commands, then the command's own."""
    words = arranged(arguments)
    group = get_command(manage.app)
    name = next(word for word in words if word in group.commands)
    with group.make_context("manage.py", list(words)) as context:
        own = words[words.index(name) + 1 :]
        group.commands[name].make_context(name, own, parent=context).close()


def _is_python(arguments: list[str]) -> None:
    assert arguments[0] == "-m"
    module, options = arguments[1], [argument for argument in arguments[2:] if argument.startswith("--")]
    if module == "workshop.setup":  # takes a command, no options
        assert options == []
        return
    shown = _help_of(module)
    assert [option for option in options if option not in shown] == []


@functools.cache
def _help_of(module: str) -> str:
    """The output of `python -m module --help`, in this process, which imports pyarrow and aws-cdk-lib only once."""
    found = find_spec(f"{module}.__main__") if _is_a_package(module) else find_spec(module)
    assert found is not None, f"no module {module}"
    assert found.origin is not None, f"no file of {module}"
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed), pytest.raises(SystemExit) as end:
        patch.setattr(sys, "argv", [module, "--help"])
        runpy.run_path(found.origin, run_name="__main__")
    assert end.value.code == 0
    return printed.getvalue()


def _is_a_package(module: str) -> bool:
    found = find_spec(module)
    return found is not None and found.submodule_search_locations is not None


def _is_aws(arguments: list[str]) -> None:
    service, operation, *rest = arguments
    if (service, operation) in AWS_OUTSIDE_OF_BOTOCORE:
        return
    session = botocore.session.get_session()
    model = session.get_service_model(service)
    if operation == "wait":
        waiters = session.get_waiter_model(service)
        names = {xform_name(name, "-"): name for name in waiters.waiter_names}
        operation = xform_name(waiters.get_waiter(names[rest.pop(0)]).operation, "-")
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    shape = model.operation_model(operations[operation]).input_shape
    assert shape is not None
    members = {f"--{xform_name(name, '-')}": name for name in shape.members}
    given = {word for word in rest if word.startswith("--")} - OPTIONS_OF_THE_AWS_CLI
    assert given <= members.keys()
    assert {members[option] for option in given} >= set(shape.required_members)


def _is_curl(arguments: list[str]) -> None:
    """Paths of the console's API are routes, and paths of the simulated Apple exist there."""
    if arguments[-1].startswith("$console/"):
        path, _, query = arguments[-1].removeprefix(f"$console{ROOT_OF_THE_API}").partition("?")
        (route,) = [each for each in READING if each.pattern.fullmatch(path)]
        asked = {field.alias or name for name, field in route.parameters[1].model_fields.items()}  # type: ignore[index]
        assert set(parse_qs(query)) <= asked
        return
    options = dict(itertools.pairwise(arguments))
    (address,) = [urlsplit(word) for word in arguments if word.startswith("http")]
    body = options.get("--data", "").encode()
    method = options.get("--request", "POST" if body else "GET")
    world = World(WorldSettings(today=date(2026, 11, 23)))
    answer = answer_control(world, Call(method, address.path, {}, body, None, "", str(address.hostname)))
    assert answer.status == 200, answer.body


def _is_the_installation_of_hooks(arguments: list[str]) -> None:
    assert arguments == ["install"]
    assert (ROOT / ".pre-commit-config.yaml").is_file()


def _is_pipx(arguments: list[str]) -> None:
    if arguments == ["install", "pre-commit"]:
        return
    assert arguments[:2] == ["run", "pip-audit"]
    assert arguments[-2:] == ["-r", EVERYTHING]


def _is_the_audit_of_node_packages(arguments: list[str]) -> None:
    operation, option, folder = arguments
    assert (operation, option) == ("audit", "--prefix")
    assert (ROOT / folder / "package-lock.json").is_file()


MAY_FOLLOW: dict[str, Callable[[list[str]], None]] = {
    "./manage.py": _is_manage,
    "./quick_start.sh": _is_a_script,
    "./run_tests.sh": _is_the_test_script,
    ".": _is_activation,
    ".venv/bin/python": _is_python,
    "aws": _is_aws,
    "cdk": _is_cdk,
    "curl": _is_curl,
    "npm": _is_the_audit_of_node_packages,
    "pipx": _is_pipx,
    "pre-commit": _is_the_installation_of_hooks,
    "git": _is_git,
    "python3": _is_python,
}


def test_a_misspelt_aws_command_would_be_seen() -> None:
    with pytest.raises(AssertionError):
        _is_aws(["secretsmanager", "put-secret-value", "--secret", "main"])
    with pytest.raises(KeyError):
        _is_aws(["stepfunctions", "run-execution"])
    with pytest.raises(KeyError):
        _is_aws(["dynamodb", "wait", "table-is-there"])


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command)[:60])
def test_every_command_exists_and_takes_these_arguments(command: list[str]) -> None:
    MAY_FOLLOW[command[0]](command[1:])
    if "/" in command[0] and not command[0].startswith(".venv"):
        assert (ROOT / command[0]).stat().st_mode & 0o100


def test_the_options_of_quick_start_are_all_explained() -> None:
    explained = [row[0].split()[0] for row in rows(README, "option")]
    assert set(explained) == set(re.findall(r"^  (--\w+)", _help_of("local.arguments"), re.MULTILINE))
    assert parse_arguments([]).apps == 70  # the figures in the README are those of ./quick_start.sh without options


def test_execution_inputs_are_accepted() -> None:
    inputs = [json.loads(command[command.index("--input") + 1]) for command in AWS if command[2] == "start-execution"]
    assert {parse_execution_input(each, date(2026, 11, 23)).operation for each in inputs} == set(Operation)


def test_outputs_are_asked_for_by_names_that_the_stack_gives() -> None:
    given = set(re.findall(r'^            "(\w+)": self\.', (ROOT / "infra" / "stack.py").read_text(), re.MULTILINE))
    asked = {command[command.index("--query") + 1] for command in AWS if "--query" in command}
    queries = {query for query in asked if "Outputs" in query}
    assert len(queries) == 3
    for query in queries:
        (name,) = re.findall(r"OutputKey=='(\w+)'", query)
        assert name in given
        stack = {"Stacks": [{"Outputs": [{"OutputKey": name, "OutputValue": "wanted"}, {"OutputKey": "Other"}]}]}
        assert jmespath.search(query, stack) == ["wanted"]


def test_the_table_of_context_keys_is_cdk_json() -> None:
    shown = {key: json.loads(default) for key, default, _ in rows(ROOT / "docs" / "configuration.md", "key")}
    cdk_json = json.loads((ROOT / "cdk.json").read_text())["context"]
    assert shown == {key: value for key, value in cdk_json.items() if ":" not in key}
    assert parse_context(shown) == DeploymentConfiguration()


def test_the_context_for_another_server_is_accepted() -> None:
    command = next(command for command in COMMANDS if "local.deploy" in command)
    given = [command[place + 1] for place, word in enumerate(command) if word == "--context"]
    context: dict[str, Any] = dict(pair.split("=", 1) for pair in given)
    configuration = parse_context({**context, "local": True})
    assert configuration.segment_hosts == ("127.0.0.1",)
