"""notify_slack: what an alarm says, as a message of three lines."""

import json
from collections.abc import Callable, Mapping
from typing import Any

_WORDS = {"ALARM": "is ringing", "OK": "is quiet again", "INSUFFICIENT_DATA": "has no data"}


def notify_slack(event: Mapping[str, Any], post: Callable[[str], None]) -> None:
    """Post a message for every notification of the alarm topic in the event. A second run posts again."""
    for record in event["Records"]:
        post(_text(record["Sns"]))


def _text(notification: Mapping[str, Any]) -> str:
    """Name and state, meaning and page, measurement; what is no alarm is passed on as it is."""
    try:
        alarm = json.loads(notification["Message"])
        state = _WORDS[alarm["NewStateValue"]]
        return f"*{alarm['AlarmName']}* {state}\n{alarm['AlarmDescription']}\n{alarm['NewStateReason']}"
    except (ValueError, LookupError, TypeError):
        return f"{notification.get('Subject') or 'Notification'}\n{notification['Message']}"
