"""Pydantic models of the answers, generated from their dataclasses, so that each answer is described once.

A model has every field, because an answer always has all of them, in the JSON types that `facts.to_json` writes. Models
are used for the API's description and tests, never to build an answer.
"""

import inspect
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

_STRICT = ConfigDict(extra="forbid")


@cache
def answer_model(facts: type) -> type[BaseModel]:
    """The model of a whole answer: `is_good` and `sentence`, the facts, and `as_of`."""
    around: dict[str, Any] = {
        "is_good": Annotated[bool, Field(description="Whether there is no problem")],
        "sentence": Annotated[str, Field(description="The answer in one line")],
        "as_of": Annotated[datetime, Field(description="The instant of the answer, UTC")],
    }
    return create_model(f"{facts.__name__}Answer", __config__=_STRICT, __doc__=_doc(facts), **_fields(facts), **around)


@cache
def plain_model(kind: type) -> type[BaseModel]:
    """The model of a dataclass that is part of an answer."""
    return create_model(kind.__name__, __config__=_STRICT, __doc__=_doc(kind), **_fields(kind))


def _fields(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {each.name: _json_type(hints[each.name]) for each in fields(kind)}


def _doc(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "")


def _json_type(kind: Any) -> Any:
    """The type of a value in JSON."""
    if kind is Decimal:
        return float
    if is_dataclass(kind):
        return plain_model(kind)  # type: ignore[arg-type]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return Union[tuple(dict.fromkeys(map(_json_type, arguments)))]  # noqa: UP007 (of a tuple)
    if origin in (tuple, list):
        return list[_json_type(arguments[0])]  # type: ignore[misc]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return dict[str, _json_type(arguments[1])]  # type: ignore[misc]
    return kind
