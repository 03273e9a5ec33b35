"""CloudFormation: secrets by ARN and their import, a table with its backups and TTL, the resources of a deleted
stack."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from local.aws.ministack import PatchDoesNotFitError, module, original

PATCH = "cloudformation"
_SECRET_TYPE = "AWS::SecretsManager::Secret"  # noqa: S105 (a resource type)
_TABLE_TYPE = "AWS::DynamoDB::Table"
_LIST = "ListStackResources"

Handler = Callable[..., Any]


def patch() -> None:
    """Replace the secret's create, update and delete handlers, which identify it by its name, and add what is
    missing."""
    resolve = original(module("services.secretsmanager"), "_resolve", patch=PATCH)
    handlers = original(module("services.cloudformation.provisioners"), "_RESOURCE_HANDLERS", patch=PATCH)
    secret, table = (_known(handlers, kind) for kind in (_SECRET_TYPE, _TABLE_TYPE))
    handlers[_SECRET_TYPE] = {**secret, **_by_arn(secret, resolve), "import": _import}
    handlers[_TABLE_TYPE] = {**table, **_with_settings(table)}
    changes = module("services.cloudformation.changesets")
    lookups = original(changes, "_IMPORT_LOOKUPS", patch=PATCH)
    lookups[_SECRET_TYPE] = (("Id",), _problem(resolve, original(changes, "_IMPORT_NOT_FOUND", patch=PATCH)))
    actions = original(module("services.cloudformation.handlers"), "_ACTION_HANDLERS", patch=PATCH)
    if _LIST not in actions:
        raise PatchDoesNotFitError(f"The patch {PATCH!r} of the embedded AWS no longer finds the action {_LIST}.")
    actions[_LIST] = _remembering(actions[_LIST])


def _known(handlers: Mapping[str, dict[str, Handler]], kind: str) -> dict[str, Handler]:
    found = handlers.get(kind, {})
    if not {"create", "update", "delete"} <= found.keys():
        raise PatchDoesNotFitError(f"The patch {PATCH!r} of the embedded AWS no longer finds the handlers of {kind}.")
    return found


def _with_settings(table: Mapping[str, Handler]) -> dict[str, Handler]:
    """Sets point-in-time recovery and TTL, which ministack ignores in a template; a change of the template changes
    them."""
    service = module("services.dynamodb")
    settings = {
        "PointInTimeRecoverySpecification": original(service, "_update_continuous_backups", patch=PATCH),
        "TimeToLiveSpecification": original(service, "_update_ttl", patch=PATCH),
    }

    def change(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        for property_, apply in settings.items():
            if property_ in new and new[property_] != old.get(property_):
                apply({"TableName": name, property_: new[property_]})

    def create(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
        name, attributes = table["create"](logical_id, properties, stack)
        change(name, {}, properties)
        return name, attributes

    def update(
        physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str, logical_id: str | None = None
    ) -> tuple[str, dict[str, str]]:
        name, attributes = table["update"](physical_id, old, new, stack, logical_id)
        change(name, old if name == physical_id else {}, new)
        return name, attributes

    return {"create": create, "update": update}


def _by_arn(secret: Mapping[str, Handler], resolve: Handler) -> dict[str, Handler]:
    def name(physical_id: str) -> str:
        return str(resolve(physical_id)[0] or physical_id)

    def create(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
        _, attributes = secret["create"](logical_id, properties, stack)
        return attributes["Arn"], attributes

    def update(
        physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str, logical_id: str | None = None
    ) -> tuple[str, dict[str, str]]:
        _, attributes = secret["update"](name(physical_id), old, new, stack, logical_id)
        return attributes["Arn"], attributes

    def delete(physical_id: str, properties: dict[str, Any]) -> None:
        secret["delete"](name(physical_id), properties)

    return {"create": create, "update": update, "delete": delete}


def _import(identifier: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    return identifier["Id"], {"Id": identifier["Id"], "Arn": identifier["Id"]}


def _problem(resolve: Handler, sentence: str) -> Callable[[str], str | None]:
    """The reason why a secret cannot be imported; None if it can."""

    def problem(arn: str) -> str | None:
        return None if resolve(arn)[0] else sentence.format(type=_SECRET_TYPE, value=arn)

    return problem


def _remembering(list_resources: Handler) -> Handler:
    """AWS lists the resources of a deleted stack for 90 days, each with its last status; ministack lists none."""
    resolve = original(module("services.cloudformation.handlers"), "_resolve_stack", patch=PATCH)
    events = original(module("services.cloudformation"), "_stack_events", patch=PATCH)

    def listed(parameters: Mapping[str, Any]) -> Any:
        name = parameters.get("StackName", "")
        stack = resolve(name[0] if isinstance(name, list) else name)
        if stack is None or stack["StackStatus"] != "DELETE_COMPLETE":
            return list_resources(parameters)
        living, stack["_resources"] = stack["_resources"], _last_of_each(events.get(stack["StackId"], ()), stack)
        try:
            return list_resources(parameters)
        finally:
            stack["_resources"] = living

    return listed


def _last_of_each(events: Iterable[Mapping[str, str]], stack: Mapping[str, Any]) -> dict[str, Mapping[str, str]]:
    """The last event of each resource, which has the fields of a resource; not those of the stack itself."""
    return {one["LogicalResourceId"]: one for one in events if one["PhysicalResourceId"] != stack["StackId"]}
