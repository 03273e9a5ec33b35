from tests.scheduling import scope_of


def test_files_with_the_shared_stack_go_to_one_worker() -> None:
    scopes = {scope_of(f"tests/e2e/test_{name}.py::test_it") for name in ("backfill", "console", "three_days")}
    assert scopes == {"the shared stack"}


def test_any_other_file_is_a_scope_of_its_own() -> None:
    for file in ("tests/e2e/test_load.py", "tests/e2e/console/test_console_truth.py", "tests/unit/test_sizes.py"):
        assert scope_of(f"{file}::test_it[a::b]") == file
