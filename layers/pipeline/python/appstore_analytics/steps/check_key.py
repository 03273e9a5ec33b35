"""check_key: checks whether Apple accepts an API key and whether its role is Admin. No run calls it."""

from collections.abc import Callable

from appstore_analytics.apple.client import AppStoreConnect
from appstore_analytics.contract.errors import (
    ConfigurationRefused,
    KeyDoubted,
    KeyRejected,
    NotReady,
    PipelineError,
    RoleMissing,
)
from appstore_analytics.contract.verdicts import KeyVerdict

_FORBIDDEN = (
    "Apple accepts the key but does not let it list users: its role is not Admin, or an agreement is missing or has "
    "expired."
)


def check_key(connect: Callable[[], AppStoreConnect]) -> dict[str, str]:
    """The verdict on one key, with a sentence. Makes one call to Apple, which changes nothing there.

    Listing users needs the role Admin or one close to it ("Users", App Store Connect API), so 200 means "Admin or
    similar": only a registration shows whether Apple accepts a report request. A second run asks again.
    """
    try:
        connect().list_one_user()
    except ConfigurationRefused as error:
        return _answer(KeyVerdict.UNUSABLE, str(error))
    except RoleMissing:
        return _answer(KeyVerdict.NOT_ADMIN, _FORBIDDEN)
    except (KeyRejected, KeyDoubted) as error:
        return _answer(KeyVerdict.REJECTED, str(error))
    except NotReady as error:
        return _answer(KeyVerdict.UNKNOWN, f"{error} It has calls again at {error.available_at:%H:%M} UTC.")
    except PipelineError as error:
        return _answer(KeyVerdict.UNKNOWN, str(error))
    return _answer(KeyVerdict.ADMIN, "Apple accepts the key; its role is Admin or similar.")


def _answer(verdict: KeyVerdict, sentence: str) -> dict[str, str]:
    return {"verdict": verdict, "sentence": sentence}
