"""A run in two steps: a plan, which starts nothing, and its confirmation, which starts one run even if it is repeated.

    POST /plans ─► rights, input, plan ─► item, ten minutes ─► plan id
    POST /runs  ─► own, not expired ─► rights, plan again: the same? ─► StartExecution "console-<plan id>"

The execution's name is derived from the plan's id, so Step Functions starts only one: two simultaneous confirmations
get the same run. A condition on the plan's item decides which of them reports the run as new.
"""

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr
from botocore.exceptions import ClientError

from appstore_analytics.answers.executions import Pipeline, Started
from appstore_analytics.answers.facts import plain
from appstore_analytics.answers.run_planning import deeds_of, plan_of
from appstore_analytics.answers.run_plans import PlannedRun
from appstore_analytics.contract.errors import InputRefused
from appstore_analytics.contract.operations import STARTED_BY, Operation
from appstore_analytics.registry.conditions import is_condition_failure
from appstore_analytics.rules.execution_input import ExecutionInput, parse_execution_input
from appstore_console.console_table import plan_key
from appstore_console.facts import PlanOffer, StartedRun
from appstore_console.http.asked import Asked
from appstore_console.http.problems import Problem, conflict, invalid, not_there
from appstore_console.rights import Person
from appstore_console.schemas.requests import PlanBody

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

LIFETIME = timedelta(minutes=10)
_BYTES = 12
_EXPIRED = "This plan is older than ten minutes: make a new plan and review it."
_CHANGED = "By now the run would do something else than planned: make a new plan and review it."
_ALREADY = "ExecutionAlreadyExists"


@dataclass(frozen=True, slots=True)
class _Kept:
    """A stored plan. `deeds` describes what its run does, as JSON; `was_started` is true after a confirmation."""

    plan_id: str
    payload: dict[str, Any]
    deeds: str
    expires_at: datetime
    was_started: bool

    @property
    def execution_name(self) -> str:
        """The name of its only execution."""
        return f"console-{self.plan_id}"


def offer(asked: Asked, body: PlanBody) -> PlanOffer:
    """Plan a run without starting it. Two requests make two plans, and each can be started."""
    payload = {"operation": str(body.operation), **body.arguments.model_dump(mode="json", exclude_none=True)}
    plan = _planned(asked, payload)
    expires_at = asked.now.replace(microsecond=0) + LIFETIME
    plan_id = secrets.token_hex(_BYTES)
    asked.desk.table.put_item(
        Item={
            **plan_key(plan_id),
            "user_id": asked.person.user_id,
            "payload": json.dumps(payload),
            "deeds": _text(plan),
            "expires_at": int(expires_at.timestamp()),
        }
    )
    return PlanOffer(plan_id, expires_at, plan)


def confirm(asked: Asked, plan_id: str) -> StartedRun:
    """The run of a plan. A second confirmation returns the same run, even after the plan has expired.

    Problem if the plan belongs to another person (as if it did not exist), has expired, or would do something else now.
    """
    kept = _kept(asked, plan_id)
    pipeline = asked.console.installation.pipeline
    if kept.was_started:
        return _run(kept, _described(pipeline, kept), is_new=False)
    if reason := _reason_against(asked, kept):
        # A simultaneous confirmation may be the reason, because it has started this very run.
        known = _find(pipeline, kept)
        if known is None:
            raise conflict(reason)
        return _run(kept, known, is_new=False)
    started, is_new = _start(pipeline, kept, _name_of(asked.person))
    return _run(kept, started, is_new=_claim(asked.desk.table, plan_id) and is_new)


def _name_of(person: Person) -> str:
    """The name under which a run is started: the address, which people recognize; an input can have only printable
    ASCII."""
    return person.email if person.email and person.email.isascii() else person.user_id


def _reason_against(asked: Asked, kept: _Kept) -> str:
    """The reason why this plan can no longer be started; empty if it can."""
    if kept.expires_at <= asked.now:
        return _EXPIRED
    return "" if _text(_planned(asked, kept.payload)) == kept.deeds else _CHANGED


def _planned(asked: Asked, payload: dict[str, Any]) -> PlannedRun:
    wanted = _wanted(payload, asked.now.astimezone(UTC).date())
    _refuse_others(asked, wanted)
    return plan_of(payload, wanted, asked.console.installation, asked.accounts)


def _wanted(payload: dict[str, Any], today: date) -> ExecutionInput:
    """The request as an execution reads it; Problem with its sentence and the field that the sentence names."""
    try:
        return parse_execution_input(payload, today)
    except InputRefused as error:
        raise invalid(str(error), _field_in(str(error), payload)) from None


def _field_in(sentence: str, payload: Mapping[str, Any]) -> str:
    """The first field that the sentence names; empty if it names none."""
    fields = {*payload, *Operation(payload["operation"]).traits.fields} - {"operation"}
    found = re.search(rf"\b({'|'.join(sorted(fields))})\b", sentence)
    return f"arguments.{found[1]}" if found else ""


def _refuse_others(asked: Asked, wanted: ExecutionInput) -> None:
    """Problem if a limited person would start a run for apps that are not granted to them."""
    if asked.app_ids is None:
        return
    if not wanted.app_ids:
        raise Problem(
            HTTPStatus.FORBIDDEN,
            f"A {wanted.operation} without app_ids is about all apps, and you see only some: "
            f"{_alternative(wanted.operation)}.",
            "arguments.app_ids",
        )
    asked.refuse_unseen(*wanted.app_ids)


def _alternative(operation: Operation) -> str:
    takes = "app_ids" in operation.traits.fields
    return "list the apps that you see" if takes else "ask a person who sees all apps"


def _kept(asked: Asked, plan_id: str) -> _Kept:
    """The person's own plan. The answer does not reveal plans of others."""
    item = asked.desk.table.get_item(Key=plan_key(plan_id), ConsistentRead=True).get("Item")
    if item is None or item["user_id"] != asked.person.user_id:
        raise not_there("such plan")
    return _Kept(
        plan_id=plan_id,
        payload=json.loads(str(item["payload"])),
        deeds=str(item["deeds"]),
        expires_at=datetime.fromtimestamp(int(str(item["expires_at"])), UTC),
        was_started="started" in item,
    )


def _start(pipeline: Pipeline, kept: _Kept, who: str) -> tuple[Started, bool]:
    """The execution, and whether it is new. Step Functions returns an existing execution as long as it is running."""
    try:
        return pipeline.start(kept.execution_name, {**kept.payload, STARTED_BY: who}), True
    except ClientError as error:
        if error.response["Error"]["Code"] != _ALREADY:
            raise
        return _described(pipeline, kept), False


def _described(pipeline: Pipeline, kept: _Kept) -> Started:
    return pipeline.describe(pipeline.execution_arn(kept.execution_name))


def _find(pipeline: Pipeline, kept: _Kept) -> Started | None:
    """The plan's execution; None if it does not exist."""
    try:
        return _described(pipeline, kept)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
            raise
        return None


def _claim(table: "Table", plan_id: str) -> bool:
    """Mark the plan as started. Returns whether this was the first confirmation."""
    try:
        table.update_item(
            Key=plan_key(plan_id),
            UpdateExpression="SET started = :yes",
            ConditionExpression=Attr("pk").exists() & Attr("started").not_exists(),
            ExpressionAttributeValues={":yes": True},
        )
    except ClientError as error:
        if is_condition_failure(error):
            return False
        raise
    return True


def _run(kept: _Kept, started: Started, *, is_new: bool) -> StartedRun:
    return StartedRun(started.run_id, str(kept.payload["operation"]), started.started_at, is_new)


def _text(plan: PlannedRun) -> str:
    return json.dumps(plain(deeds_of(plan)), sort_keys=True)
