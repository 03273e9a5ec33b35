from tests.integration.crash.day import EverywhereOnce, Sequel, live_through, losses, morning


def test_a_run_whose_functions_die_after_each_of_their_calls_in_turn_ends_well() -> None:
    day, dies = morning(), EverywhereOnce()
    undisturbed = live_through(day)
    assert losses(undisturbed, live_through(day, dies), Sequel.RETRIED) == []
    assert len(dies.died) > len(undisturbed.calls) / 2
