"""The routes of `/v1`: the function that answers each path, its query parameters, and the keys that can call it."""

from dataclasses import dataclass, field

from local.apple import account, analytics, parameters
from local.apple.http import Answer
from local.apple.keys import MAY_READ, MAY_WRITE, ApiRole
from local.apple.parameters import Parameters, check_query
from local.apple.visits import INSTANCES, REPORTS, REQUESTS, SEGMENTS, Handler, Visit, as_linkages, not_found
from local.apple.world import GoneError


@dataclass(frozen=True, slots=True)
class Route:
    """A path of the API with its query parameters, its function, and the roles that can use it."""

    method: str
    path: str
    parameters: Parameters
    handler: Handler
    roles: frozenset[ApiRole] = field(default=MAY_READ)

    @property
    def name(self) -> str:
        """Its name in the statistics."""
        return f"{self.method} {self.path}"

    @property
    def pattern(self) -> str:
        """The path as a regular expression with one group for the id."""
        return self.path.replace("{id}", "([^/]+)")

    def answer(self, visit: Visit) -> Answer:
        """The handler's answer. Raises ApiError."""
        check_query(visit.call, self.parameters)
        try:
            return self.handler(visit)
        except GoneError:
            raise not_found(visit.id) from None


def _get(path: str, known: Parameters, handler: Handler, roles: frozenset[ApiRole] = MAY_READ) -> Route:
    return Route("GET", path, known, handler, roles)


def _linkages(path: str, handler: Handler) -> Route:
    return Route("GET", path, parameters.LINKAGES, as_linkages(handler))


ROUTES: tuple[Route, ...] = (
    _get("/v1/apps", parameters.APPS, account.list_apps),
    _get("/v1/apps/{id}", parameters.APP, account.get_app),
    _get("/v1/apps/{id}/appStoreVersions", parameters.VERSIONS_OF_APP, account.list_versions),
    _get("/v1/users", parameters.USERS, account.list_users, MAY_WRITE),
    Route("POST", f"/v1/{REQUESTS}", parameters.NONE, analytics.create_request, MAY_WRITE),
    _get(f"/v1/{REQUESTS}/{{id}}", parameters.REQUEST, analytics.get_request),
    Route("DELETE", f"/v1/{REQUESTS}/{{id}}", parameters.NONE, analytics.delete_request, MAY_WRITE),
    _get(f"/v1/apps/{{id}}/{REQUESTS}", parameters.REQUESTS_OF_APP, analytics.list_requests),
    _linkages(f"/v1/apps/{{id}}/relationships/{REQUESTS}", analytics.list_requests),
    _get(f"/v1/{REQUESTS}/{{id}}/reports", parameters.REPORTS_OF_REQUEST, analytics.list_reports),
    _linkages(f"/v1/{REQUESTS}/{{id}}/relationships/reports", analytics.list_reports),
    _get(f"/v1/{REPORTS}/{{id}}", parameters.REPORT, analytics.get_report),
    _get(f"/v1/{REPORTS}/{{id}}/instances", parameters.INSTANCES_OF_REPORT, analytics.list_instances),
    _linkages(f"/v1/{REPORTS}/{{id}}/relationships/instances", analytics.list_instances),
    _get(f"/v1/{INSTANCES}/{{id}}", parameters.INSTANCE, analytics.get_instance),
    _get(f"/v1/{INSTANCES}/{{id}}/segments", parameters.SEGMENTS_OF_INSTANCE, analytics.list_segments),
    _linkages(f"/v1/{INSTANCES}/{{id}}/relationships/segments", analytics.list_segments),
    _get(f"/v1/{SEGMENTS}/{{id}}", parameters.SEGMENT, analytics.get_segment),
)
