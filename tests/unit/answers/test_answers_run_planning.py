from appstore_analytics.answers.run_planning import PLANNERS
from appstore_analytics.contract.operations import Operation


def test_every_operation_can_be_planned() -> None:
    assert set(PLANNERS) == set(Operation)
