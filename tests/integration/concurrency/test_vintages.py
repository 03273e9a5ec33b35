from tests.integration.concurrency.races import Vintages, run_race
from tests.integration.concurrency.rounds import rounds


def test_converters_and_publishers_in_any_order_leave_the_bytes_of_a_sequential_run() -> None:
    run_race(Vintages, 6, derandomize=True)


def test_two_vintages_of_a_date_at_the_same_moment_end_as_one_after_the_other() -> None:
    ended = list(rounds(30))
    assert [found for found, _, _ in ended] == [alone for _, alone, _ in ended]
    assert sum(deaths for _, _, deaths in ended) > 10
