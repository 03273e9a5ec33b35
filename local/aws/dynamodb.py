"""DynamoDB: an expression is parsed once, and not again for every item of a query."""

import functools
from collections.abc import Callable
from typing import Any

from local.aws.ministack import module, replace

PATCH = "dynamodb"
_DISTINCT_EXPRESSIONS = 1024


def patch() -> None:
    """Remember what the four pure functions of ministack's expression parser answered."""
    service = module("services.dynamodb")
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
