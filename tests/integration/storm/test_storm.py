"""Random histories: whatever Apple, machines and the registry do, the tables equal Apple's data, row by row."""

import pytest

from tests.aws_in_process import aws_in_process
from tests.integration.storm.history import History


@pytest.mark.parametrize("seed", [3])
def test_after_a_random_history_the_tables_hold_what_apple_says_row_by_row(seed: int) -> None:
    with aws_in_process():
        history = History(seed, days=4)
        assert history.play() == []
    assert len(history.converted) > 10
    assert len(history.happened) > 4
