import pytest

from local.arguments import Arguments, parse_arguments


def test_without_arguments_the_demo_has_seventy_apps_and_tidies_up() -> None:
    assert parse_arguments([]) == Arguments(apps=70, seed=1, keep=False)


def test_every_argument_arrives() -> None:
    assert parse_arguments(["--apps", "3", "--seed", "7", "--keep"]) == Arguments(apps=3, seed=7, keep=True)


@pytest.mark.parametrize("apps", ["0", "-1", "many", "1.5"])
def test_a_number_of_apps_that_makes_no_sense_is_refused(apps: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments([f"--apps={apps}"])
    assert f"--apps: {apps!r} is not a whole number from 1 up" in capsys.readouterr().err
