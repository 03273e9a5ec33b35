"""A sample of the long runs of `python -m tests.integration.crash`, like the other modules here."""

from tests.integration.concurrency.races import Claims, run_race


def test_executions_that_register_one_app_at_once_and_die_anywhere_leave_one_request() -> None:
    run_race(Claims, 20, derandomize=True)
