import pytest

from operations.arguments import arranged


@pytest.mark.parametrize(
    "given",
    [
        "--local --json status",
        "status --local --json",
        "--local status --json",
    ],
)
def test_options_of_all_commands_may_stand_anywhere(given: str) -> None:
    assert sorted(arranged(given.split())) == ["--json", "--local", "status"]
    assert arranged(given.split())[-1] == "status"


def test_an_option_takes_its_value_along_in_either_spelling() -> None:
    assert arranged(["runs", "--profile", "work", "--region=eu-west-1"]) == [
        "--profile",
        "work",
        "--region=eu-west-1",
        "runs",
    ]


def test_an_option_whose_value_is_missing_is_left_to_the_parser() -> None:
    assert arranged(["runs", "--profile"]) == ["--profile", "runs"]


@pytest.mark.parametrize(
    "apps", ["--apps 1 2", "--apps 1,2", "--apps=1,2", "--apps 1 --apps 2", "--apps=1 2", "--apps 1, ,2,"]
)
def test_a_list_may_be_written_as_one(apps: str) -> None:
    given = ["backfill", *apps.split(), "--from", "2026-01-01", "--yes"]
    assert arranged(given) == ["backfill", "--apps", "1", "--apps", "2", "--from", "2026-01-01", "--yes"]


def test_a_name_with_spaces_stays_one_value() -> None:
    assert arranged(["backfill", "--reports", "App Sessions Standard", "--yes"]) == [
        "backfill",
        "--reports",
        "App Sessions Standard",
        "--yes",
    ]


@pytest.mark.parametrize("given", [["backfill", "--apps"], ["backfill", "--apps", "--yes"]])
def test_a_list_without_a_value_is_left_to_the_parser(given: list[str]) -> None:
    assert arranged(given) == given


def test_what_follows_another_option_is_not_taken_for_the_list() -> None:
    assert arranged(["run", "--follow", "newest"]) == ["run", "--follow", "newest"]
