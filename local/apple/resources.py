"""The routes of `/v1`: JSON:API bodies of apps, report requests, reports, instances and segments."""

import base64
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from appstore_analytics.contract.catalogue import REPORTS
from appstore_analytics.contract.catalogue.definition import Category, Granularity, ReportDefinition
from appstore_analytics.contract.messages import AccessType
from local.apple.faults import FILE_KINDS, LINK_KINDS, LIST_KINDS, FaultKind, Target
from local.apple.http import Answer, ApiError, Call, Json, json_answer
from local.apple.model import App, Instance, ReportRequest
from local.apple.segments import SegmentStore
from local.apple.world import EntityExistsError, GoneError, World

DEFAULT_LIMIT = 50
HIGHEST_LIMIT = 200
HIGHEST_INCLUDED = 50

Member = TypeVar("Member", AccessType, Category, Granularity)

_REQUESTS = "analyticsReportRequests"
_REPORTS = "analyticsReports"
_INSTANCES = "analyticsReportInstances"


@dataclass(frozen=True, slots=True)
class Visit:
    """A call on its way through a route: the world it asks and the id in its path."""

    world: World
    segments: SegmentStore
    call: Call
    id: str


@dataclass(frozen=True, slots=True)
class Route:
    """A path of the API, the query parameters that it knows, and what answers."""

    method: str
    path: str
    parameters: frozenset[str]
    handler: Callable[[Visit], Answer]

    @property
    def name(self) -> str:
        """How statistics call it."""
        return f"{self.method} {self.path}"

    @property
    def pattern(self) -> str:
        """The path as a regular expression with one group for the id."""
        return self.path.replace("{id}", "([^/]+)")

    def answer(self, visit: Visit) -> Answer:
        """The handler's answer. Raises ApiError."""
        for name in visit.call.query:
            if name not in self.parameters and not name.startswith("fields["):
                detail = f"The parameter '{name}' can not be used with this request"
                raise ApiError(400, "PARAMETER_ERROR.ILLEGAL", "A parameter has an invalid value", detail, name)
        try:
            return self.handler(visit)
        except GoneError:
            raise _not_found(visit.id) from None


def no_such_path(call: Call) -> ApiError:
    """The answer to a path or method that Apple does not have, such as a list of all report requests."""
    detail = f"The path '{call.path}' does not exist for {call.method}"
    return ApiError(404, "NOT_FOUND", "The specified resource does not exist", detail)


def forbidden(detail: str) -> ApiError:
    """The wrong role, or an app that the key must not see: asking again never helps."""
    return ApiError(403, "FORBIDDEN_ERROR", "This request is forbidden for security reasons", detail)


def target_of(visit: Visit) -> Target:
    """What the call is about, for faults that are meant for one app, report or processing date."""
    route = f"{visit.call.method} {visit.call.path}"
    if visit.call.method == "POST":
        return Target(route, app_id=_app_id_in_body(visit.call))
    if visit.id in visit.world.apps:
        return Target(route, app_id=visit.id)
    instance = visit.world.known_instance(visit.id)
    if instance is not None:
        series, day = instance.series, instance.processing_date.isoformat()
        return Target(route, series.app_id, series.report_name, day)
    try:
        return _target_of_request(visit, route)
    except GoneError:
        return Target(route)


def _app_id_in_body(call: Call) -> str:
    """The app that a new report request is for; "" when the body does not say it."""
    try:
        return str(_body_value(call, "relationships", "app", "data", "id"))
    except ApiError:
        return ""


def _target_of_request(visit: Visit, route: str) -> Target:
    if f"/{_REPORTS}/" in visit.call.path:
        request, report = visit.world.report(visit.id)
        return Target(route, request.app_id, report.name)
    return Target(route, visit.world.request(visit.id).app_id)


# Apps


def _list_apps(visit: Visit) -> Answer:
    call, world = visit.call, visit.world
    ids, bundle_ids = call.values("filter[id]"), call.values("filter[bundleId]")
    apps = [
        app
        for app in world.apps.values()
        if app.id in (ids or (app.id,)) and app.bundle_id in (bundle_ids or (app.bundle_id,))
    ]
    return _page(visit, [_app(call, app) for app in _sorted(apps, call.query.get("sort", ""))])


def _sorted(apps: list[App], sort: str) -> list[App]:
    keys: dict[str, Callable[[App], str]] = {
        "": lambda app: app.id,
        "name": lambda app: app.name,
        "bundleId": lambda app: app.bundle_id,
        "sku": lambda app: app.sku,
    }
    if sort.removeprefix("-") not in keys:
        raise _invalid("sort", f"'{sort}' is not a valid sort key")
    return sorted(apps, key=keys[sort.removeprefix("-")], reverse=sort.startswith("-"))


def _app(call: Call, app: App) -> Json:
    attributes = {"name": app.name, "bundleId": app.bundle_id, "sku": app.sku, "primaryLocale": "en-US"}
    return _resource(call, "apps", app.id, attributes, _REQUESTS)


# Report requests


def _create_request(visit: Visit) -> Answer:
    app_id = _body_value(visit.call, "relationships", "app", "data", "id")
    access_type = _body_value(visit.call, "attributes", "accessType")
    if _body_value(visit.call, "type") != _REQUESTS:
        raise _unprocessable("data.type must be 'analyticsReportRequests'")
    if access_type not in tuple(AccessType):
        raise _unprocessable("data.attributes.accessType must be ONE_TIME_SNAPSHOT or ONGOING")
    app = _permitted_app(visit, str(app_id))
    try:
        request = visit.world.create_request(app.id, AccessType(str(access_type)))
    except EntityExistsError:
        title = "The request cannot be fulfilled because of the state of another resource."
        raise ApiError(409, "STATE_ERROR", title, "You already have such an entity") from None
    resource = _request(visit, request)
    return json_answer({"data": resource, "links": {"self": resource["links"]["self"]}}, 201)


def _body_value(call: Call, *names: str) -> object:
    """A value below `data` of the body; None where it is missing. Raises ApiError 400 when the body is not JSON."""
    try:
        value: object = call.json().get("data")
    except ValueError:
        raise ApiError(
            400, "ENTITY_INVALID", "JSON processing failed", "The request entity is not valid JSON"
        ) from None
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _permitted_app(visit: Visit, app_id: str) -> App:
    """The app. An unknown one is 404 by its path and, as elsewhere at Apple, a bad relationship (409) in a body."""
    app = visit.world.apps.get(app_id)
    if app is None and visit.call.method == "POST":
        title = "The provided entity includes a relationship with an invalid value"
        raise ApiError(409, "ENTITY_ERROR.RELATIONSHIP.INVALID", title, f"There is no app with id '{app_id}'")
    if app is None:
        raise _not_found(app_id)
    _permit(visit.world, app_id)
    return app


def _permit(world: World, app_id: str) -> None:
    if app_id in world.forbidden_app_ids:
        raise forbidden("The API key in use has no access to this app")


def _get_request(visit: Visit) -> Answer:
    request = visit.world.request(visit.id)
    _permit(visit.world, request.app_id)
    body: Json = {"data": _request(visit, request), "links": {"self": visit.call.url()}}
    return json_answer(body | _included(visit, [request]))


def _delete_request(visit: Visit) -> Answer:
    _permit(visit.world, visit.world.request(visit.id).app_id)
    visit.world.delete_request(visit.id)
    return Answer(204)


def _list_requests(visit: Visit) -> Answer:
    app = _permitted_app(visit, visit.id)
    access_types = _members(AccessType, visit.call, "filter[accessType]")
    requests = [each for each in visit.world.requests_of(app.id) if each.access_type in access_types]
    return _page(visit, [_request(visit, each) for each in requests], _included(visit, requests))


def _request(visit: Visit, request: ReportRequest) -> Json:
    attributes = {"accessType": request.access_type, "stoppedDueToInactivity": request.stopped_on is not None}
    resource = _resource(visit.call, _REQUESTS, request.id, attributes, "reports")
    if _includes_reports(visit.call):
        reports = _first_reports(visit)
        linkage = [{"type": _REPORTS, "id": visit.world.report_id(request, report)} for report in reports]
        paging = {"paging": {"total": len(REPORTS), "limit": len(reports)}}
        resource["relationships"]["reports"] |= {"data": linkage, "meta": paging}
    return resource


def _includes_reports(call: Call) -> bool:
    unknown = set(call.values("include")) - {"reports"}
    if unknown:
        raise _invalid("include", f"'{unknown.pop()}' is not a valid relationship name")
    return bool(call.values("include"))


def _first_reports(visit: Visit) -> tuple[ReportDefinition, ...]:
    return REPORTS[: _number(visit.call, "limit[reports]", HIGHEST_INCLUDED, HIGHEST_INCLUDED)]


def _included(visit: Visit, requests: Iterable[ReportRequest]) -> Json:
    """The first reports of each request beside `data`, at most 50 of each; nothing unless asked for."""
    if not _includes_reports(visit.call):
        return {}
    return {"included": [_report(visit, each, report) for each in requests for report in _first_reports(visit)]}


# Reports, instances, segments


def _list_reports(visit: Visit) -> Answer:
    request = visit.world.request(visit.id)
    _permit(visit.world, request.app_id)
    names = visit.call.values("filter[name]")
    categories = _members(Category, visit.call, "filter[category]")
    reports = [each for each in REPORTS if each.category in categories and each.name in (names or (each.name,))]
    return _page(visit, [_report(visit, request, report) for report in reports])


def _report(visit: Visit, request: ReportRequest, report: ReportDefinition) -> Json:
    attributes = {"name": report.name, "category": report.category}
    return _resource(visit.call, _REPORTS, visit.world.report_id(request, report), attributes, "instances")


def _list_instances(visit: Visit) -> Answer:
    request, report = visit.world.report(visit.id)
    _permit(visit.world, request.app_id)
    granularities = _members(Granularity, visit.call, "filter[granularity]")
    processing_dates = [_date(each) for each in visit.call.values("filter[processingDate]")]
    instances = [
        each
        for each in visit.world.listed_instances(request, report)
        if each.series.granularity in granularities
        and each.processing_date in (processing_dates or (each.processing_date,))
    ]
    return _page(visit, [_instance(visit, each) for each in instances])


def _instance(visit: Visit, instance: Instance) -> Json:
    attributes = {
        "granularity": instance.series.granularity,
        "processingDate": instance.processing_date.isoformat(),
    }
    return _resource(visit.call, _INSTANCES, instance.id, attributes, "segments")


def _list_segments(visit: Visit) -> Answer:
    instance = visit.world.instance(visit.id)
    _permit(visit.world, instance.series.app_id)
    faults = visit.world.faults.take(target_of(visit), FILE_KINDS | LINK_KINDS)
    return _page(visit, visit.segments.entries(instance, visit.call.base_url, faults))


# What all of them share


def _resource(call: Call, type_: str, id_: str, attributes: Json, related: str) -> Json:
    """A JSON:API resource with one relationship, its attributes cut to `fields[<type>]` where the call has it."""
    address = f"{call.base_url}/v1/{type_}/{id_}"
    wanted = call.values(f"fields[{type_}]") or [*attributes, related]
    link = {"self": f"{address}/relationships/{related}", "related": f"{address}/{related}"}
    return {
        "type": type_,
        "id": id_,
        "attributes": {name: value for name, value in attributes.items() if name in wanted},
        "relationships": {related: {"links": link}},
        "links": {"self": address},
    }


def _page(visit: Visit, resources: list[Json], more: Json | None = None) -> Answer:
    """One page of a list: by id, because Apple promises no order; apps as they were sorted."""
    call = visit.call
    limit = _number(call, "limit", DEFAULT_LIMIT, HIGHEST_LIMIT)
    start = _offset(call)
    if not call.path.endswith("/apps"):
        resources = sorted(resources, key=lambda resource: str(resource["id"]))
    data = resources[start : start + limit]
    links = {"self": call.url()}
    if start + limit < len(resources):
        links["next"] = call.url(cursor=_cursor(start + limit))
    kinds = {fault.kind for fault in visit.world.faults.take(target_of(visit), LIST_KINDS)}
    if FaultKind.SELF_LINK in kinds:
        links["next"] = links["self"]
    if FaultKind.DUPLICATE in kinds:
        data = data[:1] + data
    body = {"data": data, "links": links, "meta": {"paging": {"total": len(resources), "limit": limit}}}
    return json_answer(body | (more or {}))


def _cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"offset": offset}).encode()).decode().rstrip("=")


def _offset(call: Call) -> int:
    text = call.query.get("cursor")
    if text is None:
        return 0
    try:
        return int(json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))["offset"])
    except (ValueError, KeyError, TypeError):
        raise _invalid("cursor", "The cursor is not one of this list") from None


def _number(call: Call, name: str, default: int, highest: int) -> int:
    text = call.query.get(name, str(default))
    if not text.isdigit() or not 1 <= int(text) <= highest:
        raise _invalid(name, f"'{text}' is not between 1 and {highest}")
    return int(text)


def _members(kind: type[Member], call: Call, name: str) -> list[Member]:
    """The members that a filter names, all without it. Raises ApiError 400 for a word that is none."""
    try:
        return [kind(value) for value in call.values(name)] or list(kind)
    except ValueError:
        raise _invalid(name, f"'{call.query[name]}' is not a valid value") from None


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _invalid("filter[processingDate]", f"'{text}' is not a date like 2026-01-31") from None


def _invalid(parameter: str, detail: str) -> ApiError:
    return ApiError(400, "PARAMETER_ERROR.INVALID", "A parameter has an invalid value", detail, parameter)


def _unprocessable(detail: str) -> ApiError:
    return ApiError(422, "ENTITY_UNPROCESSABLE", "The provided entity can not be processed", detail)


def _not_found(id_: str) -> ApiError:
    return ApiError(404, "NOT_FOUND", "The specified resource does not exist", f"There is no resource with id '{id_}'")


_PAGED = frozenset({"limit", "cursor"})

ROUTES: tuple[Route, ...] = (
    Route("GET", "/v1/apps", _PAGED | {"filter[id]", "filter[bundleId]", "sort"}, _list_apps),
    Route("POST", f"/v1/{_REQUESTS}", frozenset(), _create_request),
    Route("GET", f"/v1/{_REQUESTS}/{{id}}", frozenset({"include", "limit[reports]"}), _get_request),
    Route("DELETE", f"/v1/{_REQUESTS}/{{id}}", frozenset(), _delete_request),
    Route(
        "GET",
        f"/v1/apps/{{id}}/{_REQUESTS}",
        _PAGED | {"filter[accessType]", "include", "limit[reports]"},
        _list_requests,
    ),
    Route("GET", f"/v1/{_REQUESTS}/{{id}}/reports", _PAGED | {"filter[name]", "filter[category]"}, _list_reports),
    Route(
        "GET",
        f"/v1/{_REPORTS}/{{id}}/instances",
        _PAGED | {"filter[granularity]", "filter[processingDate]"},
        _list_instances,
    ),
    Route("GET", f"/v1/{_INSTANCES}/{{id}}/segments", _PAGED, _list_segments),
)
