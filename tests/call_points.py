"""Makes every call to AWS and Apple in this process a point at which a test can interfere."""

import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol
from unittest.mock import patch
from urllib.parse import unquote, urlsplit

import requests
from moto.core.botocore_stubber import BotocoreStubber

from appstore_analytics.lake import parts
from local.apple import adapter


class DiedError(BaseException):
    """The function's process is gone. No code of the project catches this, and cleanup code cannot make calls."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call: `service` and `operation` as in its API, `target` is the resource."""

    service: str
    operation: str
    target: str

    def __str__(self) -> str:
        return f"{self.service} {self.operation} {self.target}"


class Observer(Protocol):
    """An observer of the calls; its exceptions reach the caller."""

    def before(self, call: Call) -> None:
        """Before the call: after an exception the call is not made."""

    def after(self, call: Call) -> None:
        """After the call was applied: with an exception its answer is lost."""


@contextmanager
def every_call_seen_by(observer: Observer) -> Iterator[None]:
    """Inside `aws_in_process`. One thread of a function makes all its calls, so their order is always the same."""
    aws, apple = BotocoreStubber.__call__, adapter._Adapter.send

    def call_aws(stubber: BotocoreStubber, event_name: str, request: Any, **named: Any) -> Any:
        return _seen(observer, _aws_call(event_name, request), lambda: aws(stubber, event_name, request, **named))

    def call_apple(transport: adapter._Adapter, request: requests.PreparedRequest, **named: Any) -> requests.Response:
        return _seen(observer, _apple_call(request), lambda: apple(transport, request, **named))

    with ExitStack() as stack:
        stack.enter_context(patch.object(BotocoreStubber, "__call__", call_aws))
        stack.enter_context(patch.object(adapter._Adapter, "send", call_apple))
        for module in _with_a_thread_pool():
            stack.enter_context(patch.object(module, "ThreadPoolExecutor", _InTheCallersThread))
        stack.enter_context(patch.object(parts, "_CALLS", _InTheCallersThread()))
        yield


def _with_a_thread_pool() -> list[ModuleType]:
    modules = [module for name, module in sys.modules.items() if name.startswith("appstore_analytics.")]
    return [module for module in modules if hasattr(module, "ThreadPoolExecutor")]


def _seen(observer: Observer, call: Call, make: Callable[[], Any]) -> Any:
    observer.before(call)
    answer = make()
    observer.after(call)
    return answer


def _aws_call(event_name: str, request: Any) -> Call:
    _, service, operation = event_name.split(".")
    if service == "s3":
        return Call(service, operation, unquote(urlsplit(request.url).path))
    body = json.loads(request.body)
    batch = [put["PutRequest"]["Item"] for puts in body.get("RequestItems", {}).values() for put in puts]
    keys = batch or [body.get("Key") or body.get("Item") or body.get("ExpressionAttributeValues", {})]
    parts_of_keys = [key[name] for key in keys for name in ("pk", "sk", ":v0", ":n0") if name in key]
    return Call(service, operation, " ".join(str(*part.values()) for part in parts_of_keys))


def _apple_call(request: requests.PreparedRequest) -> Call:
    return Call("apple", str(request.method), urlsplit(request.url or "").path)


class _InTheCallersThread(Executor):
    def __init__(self, _workers: int = 1) -> None:
        """Takes the place of a thread pool, but needs no threads."""

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(work(*arguments, **named))
        return future
