"""Threads that take turns: exactly one runs, and each waits before every call to AWS and Apple for its turn.

An interleaving is therefore a list of names, which can be repeated, and which hypothesis can shorten.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from tests.call_points import Call, DiedError


class Order(StrEnum):
    """The fate of an actor at the call before which it waits."""

    GO_ON = "go on"
    DIE_BEFORE = "die before it"
    DIE_AFTER = "die after it"


class _Actor:
    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.may_go, self.has_paused = threading.Semaphore(0), threading.Semaphore(0)
        self.order = Order.GO_ON
        self.is_dead, self.has_ended = False, False
        self.answer: Any = None
        self.failure: BaseException | None = None
        self.thread = threading.Thread(target=self._live, daemon=True)

    def _live(self) -> None:
        self.may_go.acquire()
        try:
            self.answer = self.work()
        except DiedError:
            self.is_dead = True
        except BaseException as failure:  # noqa: BLE001 (raised again in the thread that looks)
            self.failure = failure
        self.has_ended = True
        self.has_paused.release()


class Turns:
    """Observes the calls (`every_call_seen_by`) of the actors that it started; other callers are not held up."""

    def __init__(self) -> None:
        self._actors: dict[str, _Actor] = {}
        self._by_thread: dict[threading.Thread, _Actor] = {}  # an ended thread's number is used again
        self.deaths = 0

    @property
    def waiting(self) -> list[str]:
        """The names of the actors that have not ended, in the order of their start."""
        return [name for name, actor in self._actors.items() if not actor.has_ended]

    def begin(self, name: str, work: Callable[[], Any]) -> None:
        """Start an actor, which runs up to its first call."""
        actor = self._actors[name] = _Actor(work)
        self._by_thread[actor.thread] = actor
        actor.thread.start()
        self._let(actor, Order.GO_ON)

    def go_on(self, name: str, calls: int = 1) -> None:
        """Let an actor make a number of calls, or fewer if it ends."""
        actor = self._actors[name]
        while calls and not actor.has_ended:
            self._let(actor, Order.GO_ON)
            calls -= 1

    def die(self, name: str, order: Order) -> None:
        """Kill the actor at the call before which it waits."""
        self.deaths += 1
        self._let(self._actors[name], order)

    @contextmanager
    def of_function(self, step: str, item: str) -> Iterator[None]:
        """A death in here ends a function; its actor, an execution, continues."""
        del step, item
        try:
            yield
        finally:
            actor = self._by_thread.get(threading.current_thread())
            if actor is not None:
                actor.is_dead, actor.order = False, Order.GO_ON

    def to_the_end(self) -> None:
        """Let all actors continue in turn until each has ended."""
        while waiting := self.waiting:
            for name in waiting:
                self.go_on(name)

    def has_died(self, name: str) -> bool:
        """Whether an actor died."""
        return self._actors[name].is_dead

    def answer(self, name: str) -> Any:
        """The result of an actor's work."""
        return self._actors[name].answer

    def _let(self, actor: _Actor, order: Order) -> None:
        if actor.has_ended:
            return
        actor.order = order
        actor.may_go.release()
        actor.has_paused.acquire()
        if actor.failure is not None:
            raise actor.failure

    # Observer of calls

    def before(self, call: Call) -> None:
        """Wait for permission, in the actor's own thread."""
        del call
        actor = self._by_thread.get(threading.current_thread())
        if actor is None:
            return
        if not actor.is_dead:
            actor.has_paused.release()
            actor.may_go.acquire()
            actor.is_dead = actor.order is Order.DIE_BEFORE
        if actor.is_dead:
            raise DiedError

    def after(self, call: Call) -> None:
        """The call was applied; the actor can lose its answer."""
        del call
        actor = self._by_thread.get(threading.current_thread())
        if actor is not None and actor.order is Order.DIE_AFTER:
            actor.is_dead = True
            raise DiedError
