"""Opens App Store Connect for a function; separate, because functions that never call Apple must not load it."""

from collections.abc import Iterator
from contextlib import contextmanager

import requests

from appstore_analytics.apple.client import AppStoreConnect
from appstore_analytics.apple.keys import KeyRing
from appstore_analytics.apple.segments import SegmentStore
from appstore_analytics.contract.metrics import Metric
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.settings import AppleSettings, DownloadSegmentsSettings
from appstore_analytics.registry import Registry
from appstore_analytics.registry.reservation import Reservation
from appstore_analytics.wiring.clock import utc_now
from appstore_analytics.wiring.connections import open_secrets_manager
from appstore_analytics.wiring.telemetry import emit


class AppleConnections:
    """App Store Connect for every key, over one HTTP session, so that warm functions keep their connections."""

    def __init__(self, settings: AppleSettings) -> None:
        self._settings = settings
        self._session = requests.Session()
        self._session.trust_env = False  # a .netrc entry would replace the bearer token
        self._keys = KeyRing(open_secrets_manager(), settings.api_key_secret_prefix, utc_now)

    def open(self, key_name: str, calls: Reservation) -> AppStoreConnect:
        """App Store Connect with one key; every call is taken from `calls`."""
        return AppStoreConnect(self._session, self._settings.apple_base_url, self._keys.tokens(key_name), calls)


@contextmanager
def reserve_calls(
    registry: Registry, key_name: str, calls_per_hour: int, operation: Operation, expected_calls: int
) -> Iterator[Reservation]:
    """The calls of one step with one key: reserved at the first call, returned if left over.

    Emits the number of refusals, and whether the hour was used up, except for a backfill, which waits by design.
    """
    calls = Reservation(registry.call_budget(key_name), calls_per_hour, operation, expected_calls, registry.clock)
    try:
        with calls:
            yield calls
    finally:
        if calls.refusals:
            emit(Metric.APPLE_REFUSALS, calls.refusals)
        if calls.is_exhausted and operation.traits.share_of_hour == 1:
            emit(Metric.BUDGET_EXHAUSTED, 1)


def open_segment_store(settings: DownloadSegmentsSettings) -> SegmentStore:
    """The storage hosts of Apple's signed URLs, over a session that never sends an Authorization header."""
    return SegmentStore(requests.Session(), settings.segment_hosts, allow_loopback=settings.allow_loopback)
