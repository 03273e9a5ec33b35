"""Shared by all routes of `/v1`: the current call, JSON:API resources, pages of a list, and errors."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from appstore_analytics.contract.catalogue.definition import AccessType, Category, Granularity
from local.apple.faults import LIST_KINDS, FaultKind, Target
from local.apple.http import Answer, ApiError, Call, Json, json_answer
from local.apple.model import App, Instance
from local.apple.parameters import invalid
from local.apple.segments import SegmentStore
from local.apple.world import GoneError, World

DEFAULT_LIMIT = 50

Member = TypeVar("Member", AccessType, Category, Granularity)

REQUESTS = "analyticsReportRequests"
REPORTS = "analyticsReports"
INSTANCES = "analyticsReportInstances"
SEGMENTS = "analyticsReportSegments"


@dataclass(frozen=True, slots=True)
class Visit:
    """A call while a route handles it: the simulated world and the id in its path."""

    world: World
    segments: SegmentStore
    call: Call
    id: str


Handler = Callable[[Visit], Answer]


def no_such_path(call: Call) -> ApiError:
    """The answer to a path or method that Apple does not have, such as a list of all report requests."""
    detail = f"The path '{call.path}' does not exist for {call.method}"
    return ApiError(404, "NOT_FOUND", "The specified resource does not exist", detail)


def forbidden(detail: str) -> ApiError:
    """The wrong role, or an app that the key must not see: repeating the call never helps."""
    return ApiError(403, "FORBIDDEN_ERROR", "This request is forbidden for security reasons", detail)


def target_of(visit: Visit) -> Target:
    """The subject of the call, for faults of one app, report or processing date."""
    route = f"{visit.call.method} {visit.call.path}"
    if visit.call.method == "POST":
        return Target(route, app_id=_app_id_in_body(visit.call))
    if visit.id in visit.world.apps:
        return Target(route, app_id=visit.id)
    instance = visit.world.known_instance(visit.id)
    if instance is not None:
        return _target_of_instance(instance, route)
    try:
        if f"/{SEGMENTS}/" in visit.call.path:
            return _target_of_instance(visit.segments.named(visit.id)[0], route)
        return _target_of_request(visit, route)
    except GoneError:
        return Target(route)


def _target_of_instance(instance: Instance, route: str) -> Target:
    series, day = instance.series, instance.processing_date.isoformat()
    return Target(route, series.app_id, series.report_name, day)


def _app_id_in_body(call: Call) -> str:
    """The app that a new report request is for; "" when the body does not say it."""
    try:
        return str(body_value(call, "relationships", "app", "data", "id"))
    except ApiError:
        return ""


def _target_of_request(visit: Visit, route: str) -> Target:
    if f"/{REPORTS}/" in visit.call.path:
        request, report = visit.world.report(visit.id)
        return Target(route, request.app_id, report.name)
    return Target(route, visit.world.request(visit.id).app_id)


def body_value(call: Call, *names: str) -> object:
    """A value below `data` of the body; None if it is missing. Raises ApiError 400 when the body is not JSON."""
    try:
        value: object = call.json().get("data")
    except ValueError:
        raise ApiError(
            400, "ENTITY_INVALID", "JSON processing failed", "The request entity is not valid JSON"
        ) from None
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def permitted_app(visit: Visit, app_id: str) -> App:
    """The app. An unknown one is 404 by its path and, as elsewhere at Apple, a bad relationship (409) in a body."""
    app = visit.world.apps.get(app_id)
    if app is None and visit.call.method == "POST":
        title = "The provided entity includes a relationship with an invalid value"
        raise ApiError(409, "ENTITY_ERROR.RELATIONSHIP.INVALID", title, f"There is no app with id '{app_id}'")
    if app is None:
        raise not_found(app_id)
    permit(visit.world, app_id)
    return app


def permit(world: World, app_id: str) -> None:
    """ApiError 403 for an app that the key must not see."""
    if app_id in world.forbidden_app_ids:
        raise forbidden("The API key in use has no access to this app")


def resource(call: Call, type_: str, id_: str, attributes: Json, *related: str) -> Json:
    """A JSON:API resource, reduced to `fields[<type>]` if the call has it."""
    address = f"{call.base_url}/v1/{type_}/{id_}"
    wanted = call.values(f"fields[{type_}]") or [*attributes, *related]
    return {
        "type": type_,
        "id": id_,
        "attributes": {name: value for name, value in attributes.items() if name in wanted},
        "relationships": {
            name: {"links": {"self": f"{address}/relationships/{name}", "related": f"{address}/{name}"}}
            for name in related
            if name in wanted
        },
        "links": {"self": address},
    }


def one(visit: Visit, found: Json, more: Json | None = None) -> Answer:
    """The answer that is one resource."""
    return json_answer({"data": found, "links": {"self": visit.call.url()}} | (more or {}))


def page(visit: Visit, resources: list[Json], more: Json | None = None) -> Answer:
    """One page of a list, sorted by id, because Apple promises no order; apps keep their requested order."""
    call = visit.call
    limit = number(call, "limit", DEFAULT_LIMIT)
    start = _offset(call)
    if "sort" not in call.query:
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
        raise invalid("cursor", "The cursor is not one of this list") from None


def number(call: Call, name: str, default: int) -> int:
    """A number in the query, whose value has been checked; `default` without it."""
    return int(call.query.get(name, default))


def members(kind: type[Member], call: Call, name: str) -> list[Member]:
    """The members that a filter names; without a filter, all."""
    return [kind(value) for value in call.values(name)] or list(kind)


def as_linkages(handler: Handler) -> Handler:
    """A list of related resources as their types and ids only."""

    def linkages(visit: Visit) -> Answer:
        body = json.loads(handler(visit).body)
        body["data"] = [{"type": each["type"], "id": each["id"]} for each in body["data"]]
        return json_answer(body)

    return linkages


def unprocessable(detail: str) -> ApiError:
    """A body that lacks something, or has an invalid value (422)."""
    return ApiError(422, "ENTITY_UNPROCESSABLE", "The provided entity can not be processed", detail)


def not_found(id_: str) -> ApiError:
    """There is nothing with this id (404)."""
    return ApiError(404, "NOT_FOUND", "The specified resource does not exist", f"There is no resource with id '{id_}'")
