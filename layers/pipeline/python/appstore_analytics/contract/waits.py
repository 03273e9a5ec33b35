"""The reasons for which a run can wait. This is not an error: the run continues at the announced time."""

from enum import StrEnum


class WaitFor(StrEnum):
    """Completes the sentence "waits for … until …"."""

    APPLES_HOUR = "Apple's hour"
    APPLES_THROTTLING = "the end of Apple's throttling"
    OTHER_EXECUTION = "another execution that registers the app"
    SNAPSHOT = "Apple to build the snapshot"
    NOTHING = "nothing"
