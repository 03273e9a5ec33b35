"""Apple's OpenAPI document of App Store Connect, and validation against it.

Apple publishes it as the App Store Connect API specification. This project has no copy: `OPENAPI=FILE` names one.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = Any


@dataclass(frozen=True)
class OpenApi:
    """An OpenAPI 3.0 document, read as far as Apple's uses the format."""

    document: dict[str, Json]

    @classmethod
    def read(cls, path: Path) -> "OpenApi":
        return cls(json.loads(path.read_text(encoding="utf-8")))

    @property
    def paths(self) -> dict[str, dict[str, Json]]:
        return self.document["paths"]

    def path_of(self, address: str) -> str | None:
        """The path of the document that matches a URL; a literal segment is preferred to an id."""
        fitting = [path for path in self.paths if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", path), address)]
        return min(fitting, key=lambda path: path.count("{"), default=None)

    def parameters(self, method: str, path: str) -> dict[str, Json]:
        """The query parameters of an operation, by name, with their schemas."""
        declared = self.paths[path][method.lower()].get("parameters", [])
        return {each["name"]: each["schema"] for each in declared if each["in"] == "query"}

    def wrong_query(self, method: str, path: str, query: dict[str, str]) -> list[str]:
        """Parts of a query that the document does not allow; `cursor` is part of Apple's links."""
        known = self.parameters(method, path)
        known = {"cursor": {"type": "string"}} | known
        unknown = [f"{name} is not declared" for name in query if name not in known]
        return unknown + [f"{name}: {why}" for name in query for why in _in_query(known.get(name, {}), query[name])]

    def wrong_body(self, schema: Json, value: Json, place: str = "body") -> Iterator[str]:
        """Parts of a JSON value that a schema does not allow."""
        schema = self._resolved(schema)
        for kind in ("oneOf", "anyOf"):
            if kind in schema and all([*self.wrong_body(each, value, place)] for each in schema[kind]):
                yield f"{place} is none of {kind}"
        if "enum" in schema and value not in schema["enum"]:
            yield f"{place} is {value!r}"
        if "type" in schema and not _is_of_type(schema["type"], value):
            yield f"{place} is no {schema['type']}"
        elif isinstance(value, dict):
            yield from self._wrong_object(schema, value, place)
        elif isinstance(value, list):
            for number, each in enumerate(value):
                yield from self.wrong_body(schema.get("items", {}), each, f"{place}[{number}]")

    def _wrong_object(self, schema: Json, value: dict[str, Json], place: str) -> Iterator[str]:
        yield from (f"{place}.{name} is missing" for name in schema.get("required", ()) if name not in value)
        known = schema.get("properties", {name: {} for name in value})
        for name, each in value.items():
            if name in known:
                yield from self.wrong_body(known[name], each, f"{place}.{name}")
            else:
                yield f"{place}.{name} is not declared"

    def answer_schema(self, method: str, path: str, status: int) -> Json | None:
        """The schema of an answer; None if it has no body. KeyError for an undeclared status."""
        content = self.paths[path][method.lower()]["responses"][str(status)].get("content", {})
        return content.get("application/json", {}).get("schema")

    def request_schema(self, method: str, path: str) -> Json:
        return self.paths[path][method.lower()]["requestBody"]["content"]["application/json"]["schema"]

    def _resolved(self, schema: Json) -> Json:
        while "$ref" in schema:
            found: Json = self.document
            for name in schema["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            schema = found
        return schema


def _in_query(schema: Json, value: str) -> Iterator[str]:
    if schema.get("type") == "array":
        allowed = schema["items"].get("enum")
        yield from (f"{word!r} is not allowed" for word in value.split(",") if allowed and word not in allowed)
    elif schema.get("type") == "integer":
        if not value.isdigit() or int(value) > schema.get("maximum", int(value)):
            yield f"{value!r} is no such number"
    elif schema.get("type") == "boolean" and value not in ("true", "false"):
        yield f"{value!r} is neither true nor false"


_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def _is_of_type(name: str, value: Json) -> bool:
    return isinstance(value, _TYPES[name]) and (name == "boolean" or not isinstance(value, bool))
