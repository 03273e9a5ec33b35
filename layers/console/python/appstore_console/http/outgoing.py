"""The response: JSON or CSV with its version, or 304 if it has not changed."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from appstore_analytics.answers.facts import to_json
from appstore_console.http.asked import Asked
from appstore_console.http.problems import Problem

JSON, CSV = "application/json", "text/csv; charset=utf-8"
_KEEP = {"Cache-Control": "private, no-cache", "Vary": "Accept, Accept-Encoding"}
_KEEP_NOT = {"Cache-Control": "no-store"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Characters that start a formula in a spreadsheet. Source: OWASP, "CSV Injection"."""


def answer(asked: Asked, arguments: Mapping[str, Any]) -> Response[Any]:
    """The answer of the route's function. An unchanged one is not sent, and if it has a version not even computed."""
    endpoint = asked.endpoint
    if endpoint.is_action:
        facts = endpoint.function(asked, **arguments)
        body = None if facts is None else _json(asked, to_json(facts))
        return Response(endpoint.status, JSON if body else None, body, _KEEP_NOT)
    as_csv = _wants_csv(asked)
    version = endpoint.version(asked, **arguments) if endpoint.version else ""
    if not version:
        text = _made(asked, arguments, as_csv=as_csv)
        return _kept(asked, _tag(asked, text, as_csv), text, as_csv=as_csv)
    tag = _tag(asked, version, as_csv)
    if asked.has(tag):
        return _unchanged(tag)
    text = asked.console.answers.get(tag, lambda: _made(asked, arguments, as_csv=as_csv))
    return _kept(asked, tag, text, as_csv=as_csv)


def _made(asked: Asked, arguments: Mapping[str, Any], *, as_csv: bool) -> str:
    """The answer of the route's function, without the time of the answer."""
    facts = asked.endpoint.function(asked, **arguments)
    if as_csv and asked.endpoint.csv:
        return csv_text(asked.endpoint.csv(facts))
    return json.dumps(to_json(facts), separators=(",", ":"))


def _kept(asked: Asked, tag: str, text: str, *, as_csv: bool) -> Response[Any]:
    """An answer that the browser may cache, and has to revalidate."""
    if asked.has(tag):
        return _unchanged(tag)
    body = text if as_csv else f'{text[:-1]},"as_of":"{asked.now.isoformat(timespec="seconds")}"}}'
    return Response(asked.endpoint.status, CSV if as_csv else JSON, body, {**_KEEP, "ETag": tag})


def csv_text(rows: Iterable[Iterable[Any]]) -> str:
    """Rows as CSV (RFC 4180). A null is an empty cell, and no text can become a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return text.getvalue()


def _cell(value: Any) -> Any:
    """Numbers and dates cannot be formulas; text that could gets an apostrophe in front."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value


def _json(asked: Asked, plain: Mapping[str, Any]) -> str:
    return json.dumps({**plain, "as_of": asked.now.isoformat(timespec="seconds")}, separators=(",", ":"))


def _tag(asked: Asked, version: str, as_csv: bool) -> str:
    """A weak ETag, because `as_of` always differs. It depends on the person's rights, so people never share one."""
    parts = (asked.scope, str(as_csv), asked.incoming.path, asked.query_text, version)
    return f'W/"{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:32]}"'


def _unchanged(tag: str) -> Response[Any]:
    return Response(HTTPStatus.NOT_MODIFIED.value, None, None, {**_KEEP, "ETag": tag})


def _wants_csv(asked: Asked) -> bool:
    """Whether the client wants CSV; Problem if it accepts only CSV, and the answer is not a table."""
    kinds = [each.partition(";")[0].strip().lower() for each in asked.incoming.headers.get("accept", "").split(",")]
    if "text/csv" not in kinds:
        return False
    if asked.endpoint.csv:
        return JSON not in kinds or kinds.index("text/csv") < kinds.index(JSON)
    if JSON in kinds or "*/*" in kinds:
        return False
    raise Problem(HTTPStatus.NOT_ACCEPTABLE, f"This answer is not a table: request {JSON}.", "Accept")
