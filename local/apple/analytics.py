"""Report requests, reports, instances and segments: the Analytics Reports API itself."""

from collections.abc import Iterable

from appstore_analytics.contract.catalogue import REPORTS as EVERY_REPORT
from appstore_analytics.contract.catalogue.definition import AccessType, Category, Granularity, ReportDefinition
from local.apple.faults import FILE_KINDS, LINK_KINDS
from local.apple.http import Answer, ApiError, Json, json_answer
from local.apple.model import Instance, ReportRequest
from local.apple.parameters import HIGHEST_INCLUDED
from local.apple.visits import (
    INSTANCES,
    REPORTS,
    REQUESTS,
    Visit,
    body_value,
    members,
    number,
    one,
    page,
    permit,
    permitted_app,
    resource,
    target_of,
    unprocessable,
)
from local.apple.world import EntityExistsError

# Report requests


def create_request(visit: Visit) -> Answer:
    """POST /v1/analyticsReportRequests."""
    if body_value(visit.call, "type") != REQUESTS:
        raise unprocessable("data.type must be 'analyticsReportRequests'")
    access_type = body_value(visit.call, "attributes", "accessType")
    if access_type not in tuple(AccessType):
        raise unprocessable("data.attributes.accessType must be ONE_TIME_SNAPSHOT or ONGOING")
    if body_value(visit.call, "relationships", "app", "data", "type") != "apps":
        raise unprocessable("data.relationships.app.data.type must be 'apps'")
    app_id = body_value(visit.call, "relationships", "app", "data", "id")
    if not isinstance(app_id, str):
        raise unprocessable("data.relationships.app.data.id must be the id of an app, as text")
    app = permitted_app(visit, app_id)
    try:
        request = visit.world.create_request(app.id, AccessType(str(access_type)))
    except EntityExistsError:
        title = "The request cannot be fulfilled because of the state of another resource."
        raise ApiError(409, "STATE_ERROR", title, "You already have such an entity") from None
    made = _request(visit, request)
    return json_answer({"data": made, "links": {"self": made["links"]["self"]}}, 201)


def get_request(visit: Visit) -> Answer:
    """GET /v1/analyticsReportRequests/{id}."""
    request = visit.world.request(visit.id)
    permit(visit.world, request.app_id)
    return one(visit, _request(visit, request), _included(visit, [request]))


def delete_request(visit: Visit) -> Answer:
    """DELETE /v1/analyticsReportRequests/{id}."""
    permit(visit.world, visit.world.request(visit.id).app_id)
    visit.world.delete_request(visit.id)
    return Answer(204)


def list_requests(visit: Visit) -> Answer:
    """GET /v1/apps/{id}/analyticsReportRequests."""
    app = permitted_app(visit, visit.id)
    access_types = members(AccessType, visit.call, "filter[accessType]")
    requests = [each for each in visit.world.requests_of(app.id) if each.access_type in access_types]
    return page(visit, [_request(visit, each) for each in requests], _included(visit, requests))


def _request(visit: Visit, request: ReportRequest) -> Json:
    attributes = {"accessType": request.access_type, "stoppedDueToInactivity": request.stopped_on is not None}
    found = resource(visit.call, REQUESTS, request.id, attributes, "reports")
    if visit.call.values("include") and "reports" in found["relationships"]:
        reports = _first_reports(visit)
        linkage = [{"type": REPORTS, "id": visit.world.report_id(request, report)} for report in reports]
        paging = {"paging": {"total": len(EVERY_REPORT), "limit": len(reports)}}
        found["relationships"]["reports"] |= {"data": linkage, "meta": paging}
    return found


def _first_reports(visit: Visit) -> tuple[ReportDefinition, ...]:
    return EVERY_REPORT[: number(visit.call, "limit[reports]", HIGHEST_INCLUDED)]


def _included(visit: Visit, requests: Iterable[ReportRequest]) -> Json:
    """The first reports of each request next to `data`, at most 50 of each; only on request."""
    if not visit.call.values("include"):
        return {}
    return {"included": [_report(visit, each, report) for each in requests for report in _first_reports(visit)]}


# Reports


def list_reports(visit: Visit) -> Answer:
    """GET /v1/analyticsReportRequests/{id}/reports."""
    request = visit.world.request(visit.id)
    permit(visit.world, request.app_id)
    names = visit.call.values("filter[name]")
    categories = members(Category, visit.call, "filter[category]")
    found = [_report(visit, request, each) for each in EVERY_REPORT if each.category in categories]
    named = [each for each in found if not names or visit.world.offered_name_of(each["id"]) in names]
    return page(visit, named)


def get_report(visit: Visit) -> Answer:
    """GET /v1/analyticsReports/{id}."""
    request, report = visit.world.report(visit.id)
    permit(visit.world, request.app_id)
    return one(visit, _report(visit, request, report))


def _report(visit: Visit, request: ReportRequest, report: ReportDefinition) -> Json:
    report_id = visit.world.report_id(request, report)
    attributes = {"name": visit.world.offered_name(report.name), "category": report.category}
    return resource(visit.call, REPORTS, report_id, attributes, "instances")


# Instances and segments


def list_instances(visit: Visit) -> Answer:
    """GET /v1/analyticsReports/{id}/instances."""
    request, report = visit.world.report(visit.id)
    permit(visit.world, request.app_id)
    granularities = members(Granularity, visit.call, "filter[granularity]")
    days = visit.call.values("filter[processingDate]")
    listed = [
        each for each in visit.world.listed_instances(request, report) if each.series.granularity in granularities
    ]
    found = [each for each in listed if not days or each.processing_date.isoformat() in days]
    return page(visit, [_instance(visit, each) for each in found])


def get_instance(visit: Visit) -> Answer:
    """GET /v1/analyticsReportInstances/{id}."""
    instance = visit.world.instance(visit.id)
    permit(visit.world, instance.series.app_id)
    return one(visit, _instance(visit, instance))


def _instance(visit: Visit, instance: Instance) -> Json:
    attributes = {
        "granularity": instance.series.granularity,
        "processingDate": instance.processing_date.isoformat(),
    }
    return resource(visit.call, INSTANCES, instance.id, attributes, "segments")


def list_segments(visit: Visit) -> Answer:
    """GET /v1/analyticsReportInstances/{id}/segments."""
    instance = visit.world.instance(visit.id)
    permit(visit.world, instance.series.app_id)
    faults = visit.world.faults.take(target_of(visit), FILE_KINDS | LINK_KINDS)
    return page(visit, visit.segments.entries(instance, visit.call, faults))


def get_segment(visit: Visit) -> Answer:
    """GET /v1/analyticsReportSegments/{id}."""
    instance, index = visit.segments.named(visit.id)
    permit(visit.world, visit.world.instance(instance.id).series.app_id)
    return one(visit, visit.segments.entries(instance, visit.call, ())[index])
