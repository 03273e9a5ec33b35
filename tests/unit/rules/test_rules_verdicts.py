import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.contract.errors import PermanentError, leaves
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.model.items import ItemRecord
from appstore_analytics.rules.verdicts import app_verdict, error_sentence, item_reason, item_verdict

FAILURES = [verdict for verdict in Verdict if verdict.is_failure]
DATA_CAME = [Verdict.VERIFIED, Verdict.PUBLISHED, Verdict.CONVERTED]


def record(verdict: Verdict | None = None, reason: str = "", error: str = "") -> ItemRecord:
    return ItemRecord("LAND#1000000001#x", {}, verdict, reason, error)


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_is_ranked(verdict: Verdict) -> None:
    assert app_verdict([verdict]) is verdict


def hides(shown: Verdict, *hidden: Verdict) -> bool:
    return all(app_verdict([one, shown]) is app_verdict([shown, one]) is shown for one in hidden)


def test_a_failure_that_nobody_expected_hides_every_other_failure() -> None:
    assert hides(Verdict.FAILED, *(verdict for verdict in FAILURES if verdict is not Verdict.FAILED))


def test_a_number_that_is_wrong_in_the_tables_hides_files_that_did_not_get_there() -> None:
    assert hides(Verdict.MISMATCH, Verdict.QUARANTINED, *DATA_CAME)


def test_a_file_for_a_person_to_look_at_hides_what_the_key_was_refused() -> None:
    assert hides(Verdict.QUARANTINED, Verdict.KEY_REJECTED, Verdict.FORBIDDEN, Verdict.CONFLICT)
    assert hides(Verdict.KEY_REJECTED, Verdict.FORBIDDEN, Verdict.CONFLICT)  # an invalid key has no permissions at all


def test_of_a_rollback_it_is_told_first_what_it_had_to_leave_then_what_it_took_back() -> None:
    assert hides(Verdict.SUPERSEDED, Verdict.ROLLED_BACK, *DATA_CAME)
    assert hides(Verdict.ROLLED_BACK, *DATA_CAME)


@pytest.mark.parametrize(
    ("farther", "less_far"), [*pairwise([*DATA_CAME, Verdict.UNCHANGED, Verdict.NOT_READY, Verdict.READY])]
)
def test_an_app_is_where_the_farthest_of_its_data_came(farther: Verdict, less_far: Verdict) -> None:
    assert hides(farther, less_far)


def test_a_lost_instance_is_told_where_no_data_came() -> None:
    assert hides(Verdict.EXPIRED, Verdict.UNCHANGED, Verdict.NOT_READY)
    assert hides(Verdict.CONVERTED, Verdict.EXPIRED)


@given(st.sets(st.sampled_from(Verdict), min_size=1), st.sets(st.sampled_from(Verdict), min_size=1))
def test_the_verdict_is_the_same_however_the_items_are_put_together(some: set[Verdict], others: set[Verdict]) -> None:
    assert app_verdict(some | others) is app_verdict([app_verdict(others), app_verdict(some)])


@given(st.sets(st.sampled_from(Verdict)))
def test_an_app_has_failed_exactly_if_anything_of_it_has(verdicts: set[Verdict]) -> None:
    assert app_verdict(verdicts).is_failure is any(verdict.is_failure for verdict in verdicts)


def test_an_app_without_items_was_not_ready() -> None:
    assert app_verdict([]) is Verdict.NOT_READY
    assert app_verdict([], without_items=Verdict.UNCHANGED) is Verdict.UNCHANGED


@pytest.mark.parametrize("error", [*leaves(PermanentError), "Lambda.Unknown", "States.Timeout"])
def test_a_caught_error_fails_its_item_whatever_the_step_had_noted(error: str) -> None:
    expected = {
        "RoleMissing": Verdict.FORBIDDEN,
        "KeyRejected": Verdict.KEY_REJECTED,
        "GhostRequest": Verdict.CONFLICT,
        "InstanceQuarantined": Verdict.QUARANTINED,
    }
    verdict = item_verdict(record(Verdict.CONVERTED, error=error))
    assert verdict is expected.get(error, Verdict.FAILED)
    assert verdict.is_failure


def test_an_item_without_an_end_has_failed_and_says_so() -> None:
    assert item_verdict(record()) is Verdict.FAILED
    assert "without a record" in item_reason(record())


def test_an_item_that_ended_keeps_its_verdict_and_reason() -> None:
    assert item_verdict(record(Verdict.EXPIRED, "too old")) is Verdict.EXPIRED
    assert item_reason(record(Verdict.EXPIRED, "too old")) == "too old"


def test_the_reason_of_a_caught_error_is_its_sentence_without_the_stack_trace() -> None:
    cause = json.dumps({"errorMessage": "The key is revoked.", "errorType": "KeyRejected", "stackTrace": ["File x"]})
    assert item_reason(record(reason=cause, error="KeyRejected")) == "The key is revoked."


@pytest.mark.parametrize(
    ("cause", "sentence"),
    [
        ('{"errorMessage": ""}', "E"),
        ('{"errorMessage": null}', "E"),
        ("{}", "E: {}"),
        ("[]", "E: []"),
        ("null", "E: null"),
        ("7", "E: 7"),
        ("", "E: "),
        ("The function timed out.", "E: The function timed out."),
        ('{"errorMessage": 7}', "7"),
    ],
)
def test_a_cause_that_lambda_did_not_write_is_told_as_it_is(cause: str, sentence: str) -> None:
    assert error_sentence("E", cause) == sentence


@pytest.mark.parametrize("cause", ["x" * 5000, json.dumps({"errorMessage": "x" * 5000})])
def test_a_sentence_has_at_most_500_characters(cause: str) -> None:
    assert len(error_sentence("E", cause)) == 500
