"""What a run can wait for. Nothing is wrong then: it goes on at the time that it has told."""

from enum import StrEnum


class WaitFor(StrEnum):
    """Completes the sentence "waits for … until …"."""

    APPLES_HOUR = "Apple's hour"
    APPLES_THROTTLING = "the end of Apple's throttling"
    OTHER_EXECUTION = "another execution that registers the app"
    SNAPSHOT = "Apple to build the snapshot"
    NOTHING = "nothing"
