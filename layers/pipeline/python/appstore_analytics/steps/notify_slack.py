"""notify_slack: posts an alarm as a message of three lines."""

import json
from collections.abc import Callable, Mapping
from typing import Any

_WORDS = {"ALARM": "is in ALARM", "OK": "has recovered", "INSUFFICIENT_DATA": "has no data"}


def notify_slack(event: Mapping[str, Any], post: Callable[[str], None]) -> None:
    """Post a message for every notification of the alarm topic in the event. A second run posts again."""
    for record in event["Records"]:
        post(_text(record["Sns"]))


def _text(notification: Mapping[str, Any]) -> str:
    """Name and state, meaning and link, measurement; any other notification is passed on unchanged."""
    try:
        alarm = json.loads(notification["Message"])
        state = _WORDS[alarm["NewStateValue"]]
        return f"*{alarm['AlarmName']}* {state}\n{alarm['AlarmDescription']}\n{alarm['NewStateReason']}"
    except (ValueError, LookupError, TypeError):
        return f"{notification.get('Subject') or 'Notification'}\n{notification['Message']}"
