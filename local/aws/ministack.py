"""The only access to ministack's private names: if a name is gone, the error says which patch needs work."""

import importlib
import importlib.metadata
from collections.abc import Callable
from types import ModuleType
from typing import Any

VERSION = "1.5.33"


class PatchDoesNotFitError(RuntimeError):
    """The installed ministack is not the one that the patches were written for."""


def require_version() -> None:
    """Refuse any other ministack: the patches replace private names of exactly this one."""
    try:
        installed = importlib.metadata.version("ministack")
    except importlib.metadata.PackageNotFoundError:
        raise PatchDoesNotFitError(f"ministack is not installed: pip install ministack=={VERSION}.") from None
    if installed != VERSION:
        raise PatchDoesNotFitError(
            f"The embedded AWS patches ministack {VERSION} but {installed} is installed: "
            f"pip install ministack=={VERSION}."
        )


def module(name: str) -> ModuleType:
    """The module `ministack.<name>`, untyped on purpose: it publishes no types."""
    return importlib.import_module(f"ministack.{name}")


def original(owner: Any, name: str, *, patch: str) -> Any:
    """The attribute `name` of `owner`, or an error that names the patch that relies on it."""
    try:
        return getattr(owner, name)
    except AttributeError:
        raise PatchDoesNotFitError(
            f"The patch {patch!r} of the embedded AWS needs {owner.__name__}.{name}, which ministack no longer has."
        ) from None


def replace(owner: Any, name: str, make: Callable[[Any], Any], *, patch: str) -> None:
    """Replace `owner.name` by `make(original)`."""
    setattr(owner, name, make(original(owner, name, patch=patch)))


def rewrite(owner: Any, name: str, old: str, new: str, *, patch: str) -> None:
    """Replace the only occurrence of `old` in the text `owner.name`."""
    text = original(owner, name, patch=patch)
    if text.count(old) != 1:
        raise PatchDoesNotFitError(
            f"The patch {patch!r} of the embedded AWS no longer finds {old!r} in {owner.__name__}.{name}."
        )
    setattr(owner, name, text.replace(old, new))
