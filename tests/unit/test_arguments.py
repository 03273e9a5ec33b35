import ast
from pathlib import Path

import pytest

from local.apple import __main__ as simulated_apple
from local.arguments import Arguments, parse_arguments

ROOT = Path(__file__).resolve().parents[2]
OURS = ("benchmarks", "docs", "functions", "infra", "layers/pipeline", "local", "operations", "tests", "workshop")


def test_without_arguments_the_demo_has_seventy_apps_and_tidies_up() -> None:
    assert parse_arguments([]) == Arguments(apps=70, seed=1, keep=False)


def test_every_argument_arrives() -> None:
    assert parse_arguments(["--apps", "3", "--seed", "7", "--keep"]) == Arguments(apps=3, seed=7, keep=True)


@pytest.mark.parametrize("apps", ["0", "-1", "many", "1.5", "٣", "+3", "1_0", ""])
def test_a_number_of_apps_that_makes_no_sense_is_refused(apps: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments([f"--apps={apps}"])
    assert f"--apps: {apps!r} is not a whole number above 0" in capsys.readouterr().err


@pytest.mark.parametrize("seed", ["x", "1.5", ""])
def test_a_seed_that_is_no_number_is_refused(seed: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments([f"--seed={seed}"])
    assert f"--seed: {seed!r} is not a whole number" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("--port=65536", "'65536' is not a port, 0 to 65535"),
        ("--port=-1", "'-1' is not a port"),
        ("--apps=0", "'0' is not a whole number above 0"),
        ("--seed=x", "'x' is not a whole number"),
        ("--rows-per-date=-1", "'-1' is not a whole number above 0"),
        ("--requested-days-ago=36", "must be 0 to 35 days"),
        ("--key-file=/no/such/folder/key.p8", "--key-file: there is no folder /no/such/folder"),
    ],
)
def test_what_makes_no_sense_to_the_simulated_apple_is_one_sentence(
    given: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        simulated_apple._options([given])
    assert end.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--clea", "--kee", "--app=3", "--cleaner", "--clean=yes", "clean", "-k", "--"])
def test_an_option_that_is_not_there_is_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parse_arguments([option, "x"])
    assert end.value.code == 2
    assert option.partition("=")[0] in capsys.readouterr().err


def test_no_program_of_this_project_guesses_what_an_abbreviated_option_means() -> None:
    parsers = [
        (path, call)
        for folder in OURS
        for path in (ROOT / folder).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("ArgumentParser")
    ]
    assert len(parsers) > 5
    for path, call in parsers:
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        assert given.get("allow_abbrev") == "False", f"{path.relative_to(ROOT)}:{call.lineno}"
