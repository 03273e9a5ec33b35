"""register_request: makes sure that each app has one live report request per access type, even with concurrent runs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from appstore_analytics.apple.client import AppStoreConnect
from appstore_analytics.apple.entries import Conflict, ReportRequest
from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.errors import AppleRefused, GhostRequest, PipelineError, RoleMissing
from appstore_analytics.contract.facts import RegisterFacts
from appstore_analytics.contract.maps import Outcome, step_result
from appstore_analytics.model.items import RegisterItem
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.model.requests import Asked, Claim, KnownRequest
from appstore_analytics.registry import Registry
from appstore_analytics.registry.reservation import Reservation
from appstore_analytics.rules.due import must_look, outdated
from appstore_analytics.steps.waiting import waits_when_not_ready


@dataclass(frozen=True, slots=True)
class _Live:
    """The live request, whether this call created it, and whether it replaces a request that Apple had stopped."""

    request: ReportRequest
    is_new: bool = False
    replaces_stopped: bool = False


@waits_when_not_ready
def register_request(
    item: RegisterItem, plan: RunPlan, registry: Registry, apple: AppStoreConnect, calls: Reservation
) -> dict[str, str]:
    """Make sure that the app has a live report request of the plan's access type.

    A known request that was checked recently costs no call. Otherwise: claim, look, create only what Apple does not
    list; a backfill replaces a snapshot whose instances have expired. A second run finds the request and counts a
    duplicate prevented; after a crash between creating and recording, the next run finds and adopts the created
    request. GhostRequest: Apple says "exists" and lists nothing. AppleRefused: it has another reason. RoleMissing says
    why.
    """
    if plan.operation.traits.waits_for_snapshot:
        registry.report_requests.ask(item.app_id, _wishes(plan))
    known = registry.report_requests.get(item.app_id, plan.access_type)
    if known.request_id is None or must_look(known, plan.as_of) or _is_outdated(known, plan):
        with registry.runs.calls_of_a_failure(item, calls):
            known = _register(item, plan, registry, apple)
    _record(item, plan, registry, known, calls)
    return step_result(Outcome.NEXT)


def _register(item: RegisterItem, plan: RunPlan, registry: Registry, apple: AppStoreConnect) -> KnownRequest:
    claim = registry.report_requests.claim(item.app_id, plan.access_type, registry.clock())
    try:
        to_replace = claim.known.request_id if _is_outdated(claim.known, plan) else None
        live = _find_or_create(item.app_id, plan.access_type, to_replace, apple)
    except PipelineError:
        registry.report_requests.release(claim)
        raise
    _remember(claim, live, plan, registry)
    return registry.report_requests.get(item.app_id, plan.access_type)


def _is_outdated(known: KnownRequest, plan: RunPlan) -> bool:
    return plan.operation.traits.waits_for_snapshot and outdated(known, plan.as_of)


def _find_or_create(app_id: str, access_type: AccessType, to_replace: str | None, apple: AppStoreConnect) -> _Live:
    """The request that lives afterwards. The one `to_replace` makes room for a new one."""
    listed = apple.report_requests(app_id, access_type)
    if to_replace in {request.id for request in listed}:
        with _explained(
            f"The instances of the snapshot of app {app_id} have expired, so it has to be requested again."
        ):
            apple.delete_report_request(str(to_replace))
        listed = tuple(request for request in listed if request.id != to_replace)
    if live := _live(listed):
        return _Live(live)
    with _explained(_why_now(app_id, access_type, listed)):
        made = apple.create_report_request(app_id, access_type)
        if isinstance(made, Conflict):
            return _after_conflict(app_id, access_type, made, apple)
    return _Live(made, is_new=True, replaces_stopped=bool(listed))


def _after_conflict(app_id: str, access_type: AccessType, conflict: Conflict, apple: AppStoreConnect) -> _Live:
    """Handles Apple's answer that a request exists: someone has just created one, or a stopped one blocks it."""
    listed = apple.report_requests(app_id, access_type)
    if live := _live(listed):
        return _Live(live)
    if conflict.says_it_exists and listed:
        for stopped in listed:
            apple.delete_report_request(stopped.id)
        made = apple.create_report_request(app_id, access_type)
        if isinstance(made, ReportRequest):
            return _Live(made, is_new=True, replaces_stopped=True)
        conflict = made
    raise _unresolved(app_id, access_type, conflict)


def _unresolved(app_id: str, access_type: AccessType, conflict: Conflict) -> PipelineError:
    if not conflict.says_it_exists:
        return AppleRefused(
            f"Apple refuses to create the report request ({access_type}) of app {app_id}: 409 {conflict.code}."
        )
    quota = ""
    if access_type is AccessType.ONE_TIME_SNAPSHOT:
        quota = "Apple grants one snapshot in about 31 days, even if an earlier one was deleted: try again then, or "
    return GhostRequest(
        f"Apple says that app {app_id} has a report request ({access_type}) but lists none (409 {conflict.code}): "
        f"{quota}ask Apple's developer support."
    )


@contextmanager
def _explained(why: str) -> Iterator[None]:
    """Adds to RoleMissing why the key needs the role now."""
    try:
        yield
    except RoleMissing as missing:
        raise RoleMissing(f"{why} {missing}") from None


def _why_now(app_id: str, access_type: AccessType, listed: Sequence[ReportRequest]) -> str:
    if not listed:
        return f"App {app_id} has no report request ({access_type}) yet."
    return (
        f"Apple has stopped the report request ({access_type}) of app {app_id}, because its reports were not fetched "
        "for a long time, so it has to be created again."
    )


def _live(listed: tuple[ReportRequest, ...]) -> ReportRequest | None:
    """The live request; if Apple lists several, the one with the smallest id, so that all functions choose the same."""
    return min((request for request in listed if not request.is_stopped), key=lambda request: request.id, default=None)


def _remember(claim: Claim, live: _Live, plan: RunPlan, registry: Registry) -> None:
    registry.report_requests.write_back(
        claim,
        live.request.id,
        requested_on=plan.as_of if live.is_new else None,
        run_id=plan.run_id if live.is_new else None,
        looked_on=plan.as_of,
        replaces_stopped=live.replaces_stopped,
    )
    if live.is_new:
        registry.statistics.add(requests_created=1)


def _record(item: RegisterItem, plan: RunPlan, registry: Registry, known: KnownRequest, calls: Reservation) -> None:
    created = known.created_in_run == plan.run_id
    if not created:
        registry.statistics.add(duplicates_prevented=1)
    facts = RegisterFacts(
        request_id=known.request_id,
        requested_on=known.requested_on.isoformat() if known.requested_on else None,
        requests_created=int(created),
        duplicates_prevented=int(not created),
    )
    registry.runs.note(item, calls.made, **facts.to_record())


def _wishes(plan: RunPlan) -> tuple[Asked, ...]:
    if plan.start_date is None or plan.end_date is None:
        return ()
    return tuple(Asked(report, plan.start_date, plan.end_date, plan.as_of) for report in plan.reports)
