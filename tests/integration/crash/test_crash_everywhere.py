from unittest.mock import patch

from appstore_analytics.steps import convert_instance
from tests.integration.crash.day import EverywhereOnce, Sequel, live_through, losses, morning


def test_a_run_whose_functions_die_after_each_of_their_calls_in_turn_ends_well() -> None:
    day, dies = morning(), EverywhereOnce()
    undisturbed = live_through(day)
    # Two deaths on one instance are blamed on its file: tests/integration/steps/test_converter_that_dies.py.
    with patch.object(convert_instance, "died_too_often", return_value=False):
        assert losses(undisturbed, live_through(day, dies), Sequel.RETRIED) == []
    assert len(dies.died) > len(undisturbed.calls) / 2
