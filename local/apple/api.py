"""App Store Connect as one WSGI application: authentication, faults, routes."""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial

from local.apple.control import answer_control
from local.apple.faults import ARRIVING_KINDS, ENDING_KINDS, Fault, FaultKind, ResetError, Target
from local.apple.http import Answer, ApiError, Call, Environ, StartResponse, read_call, send
from local.apple.keys import ApiKey, NotAuthorizedError, ScopeError
from local.apple.routes import ROUTES, Route
from local.apple.segments import FOREIGN_HOST, PREFIX, ROUTE, SegmentStore, xml_error
from local.apple.visits import Visit, forbidden, no_such_path, target_of
from local.apple.world import World

_CODES = {
    400: "PARAMETER_ERROR.INVALID",
    401: "NOT_AUTHORIZED",
    403: "FORBIDDEN_ERROR",
    404: "NOT_FOUND",
    409: "STATE_ERROR",
    422: "ENTITY_UNPROCESSABLE",
    429: "RATE_LIMIT_EXCEEDED",
}


@dataclass
class AppStoreConnect:
    """The application of a world: `/v1/…` is Apple's API, `/segments/…` its S3, `/_control/…` controls the simulation.

    `wall_seconds` is the clock of tokens, links and hourly calls.
    """

    world: World
    wall_seconds: Callable[[], float] = time.time
    _segments: SegmentStore = field(init=False)

    def __post_init__(self) -> None:
        self._segments = SegmentStore(self.world, self.wall_seconds)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """WSGI. Raises ResetError when the connection is to end without an answer."""
        call = read_call(environ)
        if call.path.startswith("/_control/"):
            return send(answer_control(self.world, call), start_response)
        route, answer = self._apple(call)
        try:
            done = answer()
        except ResetError:
            self.world.statistics.count(route, "reset")
            raise
        self.world.statistics.count(route, str(done.status))
        return send(done, start_response)

    def _apple(self, call: Call) -> tuple[str, Callable[[], Answer]]:
        """The name of the route, and the function that answers."""
        if call.path.startswith(PREFIX):
            return ROUTE, lambda: self._segment(call)
        for route in ROUTES:
            match = re.fullmatch(route.pattern, call.path)
            if match and route.method == call.method:
                visit = Visit(self.world, self._segments, call, (match.groups() or ("",))[0])
                return route.name, partial(self._api, route, visit)
        return f"{call.method} (no such path)", lambda: no_such_path(call).answer()

    def _segment(self, call: Call) -> Answer:
        instance = self.world.known_instance(call.path.removeprefix(PREFIX).partition("/")[0])
        target = Target(f"{call.method} {call.path}")
        if instance is not None:
            series, day = instance.series, instance.processing_date.isoformat()
            target = Target(target.route, series.app_id, series.report_name, day)
        self._arrive(call, target)
        return self._with_faults(call, target, lambda: self._segments.answer(call), _s3_failure)

    def _api(self, route: Route, visit: Visit) -> Answer:
        """Token, hourly calls, role, route. Every caller with a key gets its remaining calls of the hour."""
        target = target_of(visit)
        self._arrive(visit.call, target)
        try:
            key = self._authenticate(visit.call)
        except ApiError as error:
            return error.answer()
        limit = self.world.calls.limit
        remaining = self.world.calls.take(key.key_id, self.wall_seconds())
        headers = {"X-Rate-Limit": f"user-hour-lim:{limit};user-hour-rem:{remaining or 0};"}
        if remaining is None or not self.world.resting_calls.take(key.key_id, self.wall_seconds()):
            answer = _api_failure(Fault(FaultKind.STATUS, status=429))
            return replace(answer, headers={**answer.headers, **headers})
        answer = self._with_faults(visit.call, target, lambda: self._routed(route, visit, key), _api_failure)
        return replace(answer, headers={**headers, **answer.headers})

    def _authenticate(self, call: Call) -> ApiKey:
        try:
            return self.world.keys.authenticate(call.authorization or "", call.method, self.wall_seconds())
        except NotAuthorizedError as error:
            title = "Authentication credentials are missing or invalid."
            raise ApiError(401, "NOT_AUTHORIZED", title, f"Provide a properly configured token: {error}") from None
        except ScopeError as error:
            raise ApiError(405, "METHOD_NOT_ALLOWED", "The method is not allowed", str(error)) from None

    def _routed(self, route: Route, visit: Visit, key: ApiKey) -> Answer:
        if key.role not in route.roles:
            return forbidden("The API key in use does not allow this request").answer()
        try:
            return route.answer(visit)
        except ApiError as error:
            return error.answer()

    def _arrive(self, call: Call, target: Target) -> None:
        """The checks before a request is answered."""
        for fault in self.world.faults.take(target, ARRIVING_KINDS):
            if fault.kind is FaultKind.DELAY:
                call.sleep(fault.seconds)
            else:
                self.world.keys.expire(call.authorization or "")

    def _with_faults(
        self, call: Call, target: Target, work: Callable[[], Answer], failure: Callable[[Fault], Answer]
    ) -> Answer:
        """The answer of `work`, changed by the simulated faults. `failure` writes an error answer."""
        endings = self.world.faults.take(target, ENDING_KINDS, at_most=1)
        return _ended(endings[0], call, work, failure) if endings else work()


def _ended(ending: Fault, call: Call, work: Callable[[], Answer], failure: Callable[[Fault], Answer]) -> Answer:
    if ending.kind is FaultKind.TRUNCATED_BODY:
        return replace(work(), cut=True)
    if ending.after_effect:
        work()
    if ending.kind is FaultKind.RESET:
        raise ResetError
    if ending.kind is FaultKind.REDIRECT:
        return Answer(302, b"", {"Location": FOREIGN_HOST + call.path})
    return failure(ending)


def _api_failure(fault: Fault) -> Answer:
    """The answer of a status fault. A ghost is the 409 of a report request that no list shows."""
    title = "The request cannot be fulfilled"
    if fault.kind is FaultKind.GHOST:
        return ApiError(409, "STATE_ERROR", title, "You already have such an entity").answer()
    headers = {} if fault.retry_after_seconds is None else {"Retry-After": str(fault.retry_after_seconds)}
    if fault.minute_header:
        headers["X-Rate-Limit"] = "user-minute-lim:350;user-minute-rem:0;"
    code = fault.code or _CODES.get(fault.status, "UNEXPECTED_ERROR")
    return ApiError(fault.status, code, title, f"An error occurred ({fault.status})").answer(headers)


def _s3_failure(fault: Fault) -> Answer:
    return xml_error(fault.status, "SlowDown" if fault.status == 503 else "InternalError", "An error occurred")
