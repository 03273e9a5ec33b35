"""DynamoDB: an expression is parsed once for all items of a query, and a table can be restored to any instant."""

import functools
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.aws.ministack import module, original, replace

PATCH = "dynamodb"
_DISTINCT_EXPRESSIONS = 1024


def patch() -> None:
    """Cache the results of the expression parser's four pure functions, and keep each item's earlier versions."""
    service = module("services.dynamodb")
    _remember_answers(service)
    _remember_items(service)


def _remember_answers(service: Any) -> None:
    replace(service, "_tokenize", _remembered_list, patch=PATCH)
    replace(service, "_condition_syntax_error", functools.lru_cache(_DISTINCT_EXPRESSIONS), patch=PATCH)
    replace(service, "_check_redundant_parens", _remembered_by_tokens, patch=PATCH)
    replace(service, "_check_reserved_keyword_usage", _remembered_by_tokens, patch=PATCH)


def _remembered_list(tokenize: Callable[[str], list[Any]]) -> Callable[[str], list[Any]]:
    remembered = functools.lru_cache(_DISTINCT_EXPRESSIONS)(tokenize)

    def tokens(expression: str) -> list[Any]:
        return list(remembered(expression))  # the caller may change its list

    return tokens


def _remembered_by_tokens(check: Callable[..., Any]) -> Callable[..., Any]:
    remembered = functools.lru_cache(_DISTINCT_EXPRESSIONS)(lambda tokens, *slot: check(list(tokens), *slot))

    def checked(tokens: list[Any], *slot: str) -> Any:
        return remembered(tuple(tokens), *slot)

    return checked


@dataclass(frozen=True, slots=True)
class _Change:
    """The version of an item until this instant; None if there was none."""

    at: float
    partition: str
    sort: str
    item: dict[str, Any] | None


def _remember_items(service: Any) -> None:
    """ministack restores the table's current contents, whatever instant is requested, and even without point-in-time
    recovery."""
    changes: dict[str, list[_Change]] = defaultdict(list)
    recovers = original(service, "_pitr_settings", patch=PATCH)
    for name in ("_set_item", "_remove_item"):
        replace(service, name, lambda change: _noted(change, changes, recovers), patch=PATCH)
    for name in ("_tables", "_items_replaced", "error_response_json"):
        original(service, name, patch=PATCH)
    replace(
        service, "_restore_table_to_point_in_time", lambda restore: _to_instant(restore, changes, service), patch=PATCH
    )


def _noted(change: Callable[..., Any], changes: dict[str, list[_Change]], recovers: Mapping[str, bool]) -> Any:
    def changed(table: dict[str, Any], partition: str, sort: str, *item: Any) -> Any:
        before = change(table, partition, sort, *item)
        if recovers.get(table["TableName"], False):
            changes[table["TableId"]].append(_Change(time.time(), partition, sort, before))
        return before

    return changed


def _to_instant(restore: Callable[[Any], Any], changes: dict[str, list[_Change]], service: Any) -> Any:
    def restore_to_instant(request: dict[str, Any]) -> Any:
        source = service._tables.get(request.get("SourceTableName"))
        instant = request.get("RestoreDateTime")
        if source is None or (instant is None and not request.get("UseLatestRestorableTime")):
            return restore(request)  # which refuses it
        if not service._pitr_settings.get(source["TableName"], False):
            refusal = "Point in time recovery is not enabled for table"
            return service.error_response_json("PointInTimeRecoveryUnavailableException", refusal, 400)
        answer = restore(request)
        if instant is not None and answer[0] == 200:
            table = service._tables[request["TargetTableName"]]
            _take_back(table["items"], changes[source["TableId"]], float(instant))
            service._items_replaced(table)
        return answer

    return restore_to_instant


def _take_back(items: dict[str, dict[str, Any]], changes: list[_Change], instant: float) -> None:
    for change in reversed(changes):
        if change.at <= instant:
            return
        if change.item is None:
            items[change.partition].pop(change.sort, None)
        else:
            items[change.partition][change.sort] = change.item
