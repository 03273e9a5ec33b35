"""Report requests: created once, even by concurrent runs.

    register_request A   claim ──► look ──► create at Apple ──► write back (only with A's token)
    register_request B      └─ refused while A's lease lasts: ClaimHeld, comes back in a few seconds, finds A's request
    A dies after create        lease ends ─► B claims ─► looks ─► finds A's request at Apple ─► adopts it

The lease outlives the function's time-out, so a claim is never taken from a function that can still write.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from boto3.dynamodb.conditions import Attr
from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError

from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.errors import ClaimHeld, ObjectContended
from appstore_analytics.model.clock import Clock
from appstore_analytics.model.former_state import former_wish
from appstore_analytics.model.requests import Asked, Claim, KnownRequest
from appstore_analytics.registry.conditions import is_condition_failure, item_that_stood
from appstore_analytics.registry.keys import request_key
from appstore_analytics.registry.wishes import decoded, encoded, outlived

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

LEASE_SECONDS = 540
"""Longer than register_request can run; a test compares it with the function's time-out."""

_COME_BACK_SECONDS = 5
_ASKS = 20


class ReportRequests:
    """The report requests and their claims."""

    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def get(self, app_id: str, access_type: AccessType) -> KnownRequest:
        """The known request; an empty KnownRequest if there is none."""
        return _known(app_id, access_type, self._item(app_id, access_type))

    def claim(self, app_id: str, access_type: AccessType, now: datetime) -> Claim:
        """Claim an app for this caller; ClaimHeld while another caller's lease lasts."""
        token = uuid4().hex
        try:
            answer = self._table.update_item(
                Key=request_key(app_id, access_type),
                UpdateExpression="SET claim_token = :token, lease_until = :until",
                # free, or its owner is certainly dead
                ConditionExpression="attribute_not_exists(claim_token) OR lease_until < :now",
                ExpressionAttributeValues={
                    ":token": token,
                    ":until": int(now.timestamp()) + LEASE_SECONDS,
                    ":now": int(now.timestamp()),
                },
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if is_condition_failure(error):
                raise _held(app_id, error, now) from None
            raise
        return Claim(token, _known(app_id, access_type, answer["Attributes"]))

    def write_back(
        self,
        claim: Claim,
        request_id: str,
        *,
        requested_on: date | None,
        run_id: str | None,
        looked_on: date,
        replaces_stopped: bool = False,
    ) -> None:
        """Record the request and release the claim. ClaimHeld if the lease was lost: then nothing is written.

        Report ids belong to a request, so another request id removes them.
        """
        same = request_id == claim.known.request_id
        remembered = {
            "request_id": request_id,
            "requested_on": _text(claim.known.requested_on if same else requested_on),
            "known_since": _text(claim.known.known_since if same else looked_on),
            "created_in_run": claim.known.created_in_run if same else run_id,
            "replaces_stopped": claim.known.replaces_stopped if same else replaces_stopped,
            "report_ids": claim.known.report_ids if same else {},
            "unknown_reports": list(claim.known.unknown_reports) if same else [],
            "offer_read_on": _text(claim.known.offer_read_on if same else None),
            "looked_on": looked_on.isoformat(),
        }
        self._with_token(claim, remembered)

    def adopt(
        self, app_id: str, access_type: AccessType, request_id: str, requested_on: date | None, known_since: date
    ) -> bool:
        """Record a request of another tool if none is known and no function is registering the app; else False.

        The next run checks it with Apple and keeps it if it is live.
        """
        try:
            self._table.update_item(
                Key=request_key(app_id, access_type),
                UpdateExpression="SET request_id = :id, requested_on = :requested_on, known_since = :known_since",
                ConditionExpression="attribute_not_exists(request_id) AND attribute_not_exists(claim_token)",
                ExpressionAttributeValues={
                    ":id": request_id,
                    ":requested_on": _text(requested_on),
                    ":known_since": known_since.isoformat(),
                },
            )
        except ClientError as error:
            if is_condition_failure(error):
                return False
            raise
        return True

    def release(self, claim: Claim) -> None:
        """Release the claim without recording anything."""
        self._with_token(claim, {})

    def remember_offer(
        self, known: KnownRequest, report_ids: dict[str, str], unknown_reports: Iterable[str], read_on: date
    ) -> KnownRequest:
        """Cache a request's offer, unless the request was replaced in the meantime. Returns the request with it."""
        unknown = tuple(unknown_reports)
        self._set_if_same(
            known, report_ids=report_ids, unknown_reports=list(unknown), offer_read_on=read_on.isoformat()
        )
        return replace(known, report_ids=report_ids, unknown_reports=unknown, offer_read_on=read_on)

    def remember_newest_instance(self, known: KnownRequest, processing_date: date) -> None:
        """Record the newest listed instance, so that a request without new ones is checked."""
        self._set_if_same(known, newest_instance=processing_date.isoformat())

    def forget(self, known: KnownRequest) -> None:
        """Have the next run check with Apple, because Apple no longer knows this request or one of its reports."""
        self._set_if_same(known, looked_on=None)

    def ask(self, app_id: str, asked: tuple[Asked, ...]) -> None:
        """Record which Dates a backfill wants from the app's snapshot. A second call changes nothing.

        Wishes that no instance in the ledger can fulfil any longer are dropped; those of 0.1.0 are converted.
        ObjectContended: other backfills were always first.
        """
        for _ in range(_ASKS):
            item = self._item(app_id, AccessType.ONE_TIME_SNAPSHOT)
            former: set[str] = item.get("asked", set())
            wanted = {*asked, *map(former_wish, former)}
            reports: list[str] = item.get("asked_reports", [])
            named = reports + sorted({one.report for one in wanted} - set(reports))
            if self._ask(app_id, encoded(wanted, named), former, reports, named):
                self._drop(app_id, outlived(item.get("wishes", ()), max(one.asked_on for one in asked)))
                return
        raise ObjectContended(f"Other backfills keep changing the wishes for app {app_id}: try again in a moment.")

    def _ask(self, app_id: str, wishes: set[str], former: set[str], reports: list[str], named: list[str]) -> bool:
        """Add wishes, which refer to reports by their position in `named`; False if that list has changed meanwhile.

        `former` are wishes as 0.1.0 wrote them; they are now included in the others.
        """
        condition = Attr("asked_reports").eq(reports) if reports else Attr("asked_reports").not_exists()
        try:
            self._table.update_item(
                Key=request_key(app_id, AccessType.ONE_TIME_SNAPSHOT),
                UpdateExpression="SET asked_reports = :named ADD wishes :wishes"
                + (" DELETE asked :former" if former else ""),
                ConditionExpression=condition,
                ExpressionAttributeValues={
                    ":named": named,
                    ":wishes": wishes,
                    **({":former": former} if former else {}),
                },
            )
        except ClientError as error:
            if is_condition_failure(error):
                return False
            raise
        return True

    def _drop(self, app_id: str, wishes: set[str]) -> None:
        if wishes:
            self._table.update_item(
                Key=request_key(app_id, AccessType.ONE_TIME_SNAPSHOT),
                UpdateExpression="DELETE wishes :wishes",
                ExpressionAttributeValues={":wishes": wishes},
            )

    def _item(self, app_id: str, access_type: AccessType) -> dict[str, Any]:
        found = self._table.get_item(Key=request_key(app_id, access_type), ConsistentRead=True)
        item: dict[str, Any] = found.get("Item", {})
        return item

    def _with_token(self, claim: Claim, values: dict[str, Any]) -> None:
        sets = ", ".join(f"{name} = :{name}" for name in values)
        try:
            self._table.update_item(
                Key=request_key(claim.known.app_id, claim.known.access_type),
                UpdateExpression=(f"SET {sets} " if sets else "") + "REMOVE claim_token, lease_until",
                ConditionExpression="claim_token = :token",
                ExpressionAttributeValues={
                    ":token": claim.token,
                    **{f":{name}": value for name, value in values.items()},
                },
            )
        except ClientError as error:
            if is_condition_failure(error):
                raise ClaimHeld(
                    f"The claim on app {claim.known.app_id} was lost to another execution.",
                    self._clock() + timedelta(seconds=_COME_BACK_SECONDS),
                ) from None
            raise

    def _set_if_same(self, known: KnownRequest, **values: Any) -> None:
        try:
            self._table.update_item(
                Key=request_key(known.app_id, known.access_type),
                UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in values),
                ConditionExpression="request_id = :request_id",
                ExpressionAttributeValues={
                    ":request_id": known.request_id,
                    **{f":{name}": value for name, value in values.items()},
                },
            )
        except ClientError as error:
            if not is_condition_failure(error):
                raise


def _known(app_id: str, access_type: AccessType, item: dict[str, Any]) -> KnownRequest:
    return KnownRequest(
        app_id=app_id,
        access_type=access_type,
        request_id=item.get("request_id"),
        requested_on=_date(item.get("requested_on")),
        known_since=_date(item.get("known_since")),
        looked_on=_date(item.get("looked_on")),
        created_in_run=item.get("created_in_run"),
        replaces_stopped=item.get("replaces_stopped", False),
        report_ids=item.get("report_ids", {}),
        unknown_reports=tuple(item.get("unknown_reports", ())),
        offer_read_on=_date(item.get("offer_read_on")),
        newest_instance=_date(item.get("newest_instance")),
        asked=_asked(item),
    )


def _asked(item: dict[str, Any]) -> tuple[Asked, ...]:
    """Each wish once, sorted, including those that 0.1.0 wrote."""
    former = map(former_wish, item.get("asked", ()))
    return tuple(sorted({*decoded(item.get("wishes", ()), item.get("asked_reports", ())), *former}))


def _held(app_id: str, error: ClientError, now: datetime) -> ClaimHeld:
    item = item_that_stood(error)
    lease_until = TypeDeserializer().deserialize(item["lease_until"]) if "lease_until" in item else 0
    come_back = min(int(lease_until) + 1, int(now.timestamp()) + _COME_BACK_SECONDS)
    return ClaimHeld(f"Another execution registers app {app_id}.", datetime.fromtimestamp(come_back, UTC))


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None
