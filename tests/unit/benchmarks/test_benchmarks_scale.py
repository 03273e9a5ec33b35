"""The steps whose memory is measured run on the answers that are made for them, and read all of them."""

import pytest

from benchmarks.scale.aws import DATES, Day
from benchmarks.scale.job import WORK

APPS, REPORTS = 3, 2


@pytest.mark.parametrize("step", [step for step in WORK if step != "nothing"])
def test_a_step_reads_a_whole_day(step: str) -> None:
    answer = WORK[step](Day(APPS, REPORTS, is_open=step == "plan_items"))
    match step:
        case "plan_items":
            assert sum(answer) == APPS * REPORTS
        case "summarize_run":
            assert answer["bytes_written"] > APPS * REPORTS * DATES * 100
        case "check_freshness":
            assert answer["bytes_written"] > APPS * REPORTS * 10
