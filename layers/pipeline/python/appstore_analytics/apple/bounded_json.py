"""External JSON, refused before parsing if its values would take far more memory than its bytes."""

import json
import re
from typing import Any

_MOST_LEVELS = 32
"""JSON:API needs seven."""

_MOST_VALUES = 500_000
"""A page of 200 entries has a few thousand; this many fit into the memory of the smallest function."""

_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


class UnreasonableJsonError(ValueError):
    """The JSON is nested too deeply or has too many values; the text completes "it is …"."""


def read_json(text: str | bytes, *, strict: bool = True) -> Any:
    """The value of a JSON text; bytes are UTF-8.

    UnreasonableJsonError if it is beyond these limits, another ValueError if it is not JSON. `strict` as in json.loads.
    """
    characters = text if isinstance(text, str) else text.decode("utf-8-sig")
    _check_structure(_STRING.sub("", characters))
    return json.loads(characters, strict=strict)


def _check_structure(without_strings: str) -> None:
    if sum(map(without_strings.count, ",[{")) > _MOST_VALUES:
        raise UnreasonableJsonError(f"JSON of more than {_MOST_VALUES:,} values")
    level = 0
    for bracket in re.finditer(r"[\[\]{}]", without_strings):
        level += 1 if bracket[0] in "[{" else -1
        if level > _MOST_LEVELS:
            raise UnreasonableJsonError(f"JSON nested deeper than {_MOST_LEVELS} levels")
