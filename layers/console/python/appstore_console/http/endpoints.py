"""The route table: each route's answer and the right that it requires. A route without a right cannot be declared."""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from appstore_console.rights import Right
from appstore_console.schemas.requests import Body, Parameters

if TYPE_CHECKING:
    pass

Handler = TypeVar("Handler", bound=Callable[..., Any])
CsvRows = Callable[[Any], Iterable[Iterable[Any]]]
Version = Callable[..., str]

_PLACE = re.compile(r"<(\w+)>")


@dataclass(frozen=True)
class Endpoint:
    """One route. `function` takes an `Asked`, the variable parts of the path, and a model of `Parameters` or a `Body`.

    `right` is required; None means no login, and a test names the routes that have it. `csv` turns the answer into
    rows. `version` identifies the data behind the answer, so that an unchanged answer is not computed again.
    """

    method: str
    path: str
    right: Right | None
    function: Callable[..., Any]
    tag: str
    status: int = 200
    csv: CsvRows | None = None
    version: Version | None = None

    @property
    def name(self) -> str:
        """Its name in the OpenAPI document and in the audit log."""
        return self.function.__name__

    @property
    def is_action(self) -> bool:
        """Whether it changes something."""
        return self.method != "GET"

    @property
    def is_audited(self) -> bool:
        """Whether it is audited: changes are, but not a ticket for data that the person can read anyway."""
        return self.is_action and self.right is not Right.READ

    @cached_property
    def places(self) -> tuple[str, ...]:
        """The names of the variable parts of the path."""
        return tuple(_PLACE.findall(self.path))

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The values of the variable parts."""
        return re.compile(_PLACE.sub(r"(?P<\1>[A-Za-z0-9_-]+)", self.path), re.ASCII)

    @cached_property
    def hints(self) -> dict[str, Any]:
        """The types of the function's parameters and of its answer."""
        return get_type_hints(self.function, include_extras=True)

    @property
    def answer(self) -> type:
        """The dataclass of the answer; NoneType without an answer."""
        kind: type = self.hints["return"]
        return kind

    @cached_property
    def parameters(self) -> tuple[str, type[Parameters]] | None:
        """The argument for the query parameters."""
        return next(self._arguments(Parameters), None)

    @cached_property
    def body(self) -> tuple[str, type[Body]] | None:
        """The argument for the body."""
        return next(self._arguments(Body), None)

    def _arguments(self, base: type) -> Iterator[tuple[str, Any]]:
        for name in inspect.signature(self.function).parameters:
            kind = self.hints.get(name)
            if isinstance(kind, type) and issubclass(kind, base):
                yield name, kind


class Endpoints:
    """The routes of one group, declared in its module."""

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self._all: list[Endpoint] = []

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(self._all)

    def get(
        self, path: str, right: Right | None, *, csv: CsvRows | None = None, version: Version | None = None
    ) -> Callable[[Handler], Handler]:
        """Declare a GET route."""
        return self._add("GET", path, right, 200, csv, version)

    def post(self, path: str, right: Right | None, *, status: int = 201) -> Callable[[Handler], Handler]:
        """Declare a POST route."""
        return self._add("POST", path, right, status)

    def patch(self, path: str, right: Right) -> Callable[[Handler], Handler]:
        """Declare a PATCH route."""
        return self._add("PATCH", path, right, 200)

    def delete(self, path: str, right: Right) -> Callable[[Handler], Handler]:
        """Declare a DELETE route."""
        return self._add("DELETE", path, right, 204)

    def _add(
        self,
        method: str,
        path: str,
        right: Right | None,
        status: int,
        csv: CsvRows | None = None,
        version: Version | None = None,
    ) -> Callable[[Handler], Handler]:
        def added(function: Handler) -> Handler:
            self._all.append(Endpoint(method, path, right, function, self._tag, status, csv, version))
            return function

        return added
