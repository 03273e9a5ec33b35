from tests.integration.concurrency.races import Executions, run_race


def test_two_executions_of_a_day_at_once_leave_what_one_alone_leaves() -> None:
    run_race(Executions, 4, derandomize=True)
