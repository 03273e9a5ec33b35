import json
from typing import Any

import pytest

from appstore_analytics.steps.notify_slack import notify_slack

ALARM = {
    "AlarmName": "appstore-analytics-StaleData",
    "AlarmDescription": "Data that is due is missing. docs/operations.md#appstore-analytics-staledata",
    "NewStateValue": "ALARM",
    "NewStateReason": "Threshold crossed.",
}


def posted(*notifications: dict[str, Any]) -> list[str]:
    texts: list[str] = []
    notify_slack({"Records": [{"Sns": each} for each in notifications]}, texts.append)
    return texts


@pytest.mark.parametrize(("state", "words"), [("ALARM", "is in ALARM"), ("OK", "has recovered")])
def test_an_alarm_says_what_it_means_and_where_to_read_on(state: str, words: str) -> None:
    (text,) = posted({"Message": json.dumps(ALARM | {"NewStateValue": state})})
    assert text.splitlines() == [
        f"*appstore-analytics-StaleData* {words}",
        "Data that is due is missing. docs/operations.md#appstore-analytics-staledata",
        "Threshold crossed.",
    ]


@pytest.mark.parametrize("message", ["Hello.", "[]", "{}", '{"NewStateValue": "UNHEARD_OF"}'])
def test_what_is_no_alarm_is_passed_on_as_it_is(message: str) -> None:
    assert posted({"Message": message, "Subject": "From a person"}) == [f"From a person\n{message}"]


def test_every_notification_becomes_a_message() -> None:
    assert len(posted({"Message": "one"}, {"Message": "two", "Subject": None})) == 2
