"""Each fault on each call of the client, simulated by the simulated Apple: the error says what to do next."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import requests

from appstore_analytics.apple.segments import SegmentStore
from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.contract.errors import (
    AppleRefused,
    AppleUnavailable,
    CallsUnavailable,
    DownloadBroken,
    KeyDoubted,
    NotFound,
    RoleMissing,
    SegmentUrlExpired,
)
from local.apple import Fault, FaultKind, mount
from tests.unit.apple.apple_in_process import APP, LATEST, STORAGE_URL, Apple, report_id

OTHER = "1000000002"

CALLS: dict[str, Callable[["Seen"], object]] = {
    "GET /v1/apps$": lambda seen: seen.client.app_names(),
    "GET /v1/apps/.*/analyticsReportRequests": lambda seen: seen.client.report_requests(APP, AccessType.ONGOING),
    "GET /v1/apps/.*/appStoreVersions": lambda seen: seen.client.versions(APP),
    "POST /v1/analyticsReportRequests$": lambda seen: seen.client.create_report_request(OTHER, AccessType.ONGOING),
    "DELETE /v1/analyticsReportRequests/": lambda seen: seen.client.delete_report_request(seen.request_id),
    "GET /v1/analyticsReportRequests/.*/reports": lambda seen: seen.client.reports(seen.request_id),
    "GET /v1/analyticsReports/.*/instances": lambda seen: seen.client.instances(
        seen.report_id, Granularity.DAILY, LATEST
    ),
    "GET /v1/analyticsReportInstances/.*/segments": lambda seen: seen.client.segments(seen.instance_id),
    "GET /segments/": lambda seen: b"".join(seen.store.chunks(seen.segment)),
}
POST, DELETE, FILE = "POST /v1/analyticsReportRequests$", "DELETE /v1/analyticsReportRequests/", "GET /segments/"

FAULTS = [
    (Fault(FaultKind.STATUS, status=401, times=None), KeyDoubted),
    (Fault(FaultKind.STATUS, status=403), RoleMissing),
    (Fault(FaultKind.STATUS, status=404), NotFound),
    (Fault(FaultKind.STATUS, status=409), AppleRefused),
    (Fault(FaultKind.STATUS, status=422), AppleRefused),
    (Fault(FaultKind.STATUS, status=429), CallsUnavailable),
    (Fault(FaultKind.STATUS, status=429, retry_after_seconds=30), CallsUnavailable),
    (Fault(FaultKind.STATUS, status=429, minute_header=True), CallsUnavailable),
    (Fault(FaultKind.STATUS, status=500), AppleUnavailable),
    (Fault(FaultKind.STATUS, status=503, after_effect=True), AppleUnavailable),
    (Fault(FaultKind.RESET), AppleUnavailable),
    (Fault(FaultKind.DELAY, seconds=120), AppleUnavailable),
    (Fault(FaultKind.TRUNCATED_BODY), AppleUnavailable),
    (Fault(FaultKind.REDIRECT), AppleRefused),
    (Fault(FaultKind.TOKEN_EXPIRED), None),
]
ANSWERS = {(POST, 409), (DELETE, 404), (DELETE, FaultKind.TRUNCATED_BODY)}  # 204 has no body that could be cut off
OF_A_FILE: dict[int | FaultKind, type[Exception]] = {
    403: SegmentUrlExpired,
    404: SegmentUrlExpired,
    401: AppleRefused,
    429: AppleRefused,
    FaultKind.RESET: DownloadBroken,
    FaultKind.DELAY: DownloadBroken,
    FaultKind.TRUNCATED_BODY: DownloadBroken,
}


class Seen(Apple):
    """An app with a request, its reports, an instance and a segment, and the store of its file."""

    def __init__(self) -> None:
        super().__init__()
        self.request_id = self.world.create_request(APP, AccessType.ONGOING).id
        self.world.advance(1)
        self.report_id = report_id(self.client, self.request_id)
        (instance,) = self.client.instances(self.report_id, Granularity.DAILY, LATEST).listed
        self.instance_id = instance.id
        self.segment = self.client.segments(instance.id)[0]
        session = requests.Session()
        mount(session, self.wire, STORAGE_URL)
        self.store = SegmentStore(session, (".amazonaws.com",), allow_loopback=False)


def expected(fault: Fault, route: str, error: type[Exception] | None) -> type[Exception] | None:
    shown = fault.status if fault.kind is FaultKind.STATUS else fault.kind
    if (route, shown) in ANSWERS:
        return None
    return OF_A_FILE.get(shown, error) if route == FILE else error


@pytest.mark.parametrize("route", CALLS)
def test_a_call_without_a_fault_is_answered(route: str) -> None:
    CALLS[route](Seen())


@pytest.mark.parametrize("route", CALLS)
@pytest.mark.parametrize(
    ("fault", "error"), FAULTS, ids=lambda each: f"{each.kind}-{each.status}" if isinstance(each, Fault) else ""
)
def test_a_fault_is_the_error_that_says_what_to_do_next(
    route: str, fault: Fault, error: type[Exception] | None
) -> None:
    seen = Seen()
    seen.world.faults.order(replace(fault, route=route))
    wanted = expected(fault, route, error)
    if wanted is None:
        CALLS[route](seen)
    else:
        with pytest.raises(wanted) as raised:
            CALLS[route](seen)
        assert raised.type is wanted
    ((_, times),) = seen.world.faults.ordered()
    assert times > 0
