"""CloudFormation: a secret's Ref is its ARN."""

from collections.abc import Callable
from typing import Any

from local.aws.ministack import PatchDoesNotFitError, module, original

PATCH = "cloudformation"
_SECRET_TYPE = "AWS::SecretsManager::Secret"  # noqa: S105 (a resource type)


def patch() -> None:
    """Replace the secret's create, update and delete handlers, which go by its name."""
    provisioners = module("services.cloudformation.provisioners")
    secrets = module("services.secretsmanager")
    handlers = original(provisioners, "_RESOURCE_HANDLERS", patch=PATCH)
    secret = handlers.get(_SECRET_TYPE, {})
    if not {"create", "update", "delete"} <= secret.keys():
        raise PatchDoesNotFitError(
            f"The patch {PATCH!r} of the embedded AWS no longer finds the handlers of {_SECRET_TYPE}."
        )
    resolve = original(secrets, "_resolve", patch=PATCH)
    handlers[_SECRET_TYPE] = {**secret, **_by_arn(secret, resolve)}


def _by_arn(secret: dict[str, Callable[..., Any]], resolve: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
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
