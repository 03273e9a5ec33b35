from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.console.imitation.server import ConsoleServer, World, serve
from tests.e2e.console.visits import Visit, context_of, started

Visiting = Callable[..., Visit]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for the tests of a module, each in a window of its own. Open and idle it takes a third of a core."""
    with sync_playwright() as playwright, started(playwright) as browser:
        yield browser


@pytest.fixture(scope="session")
def shared_server() -> Iterator[ConsoleServer]:
    with serve(World()) as server:
        yield server


@pytest.fixture
def server(shared_server: ConsoleServer) -> ConsoleServer:
    """The server with a world as it is at first."""
    shared_server.world = World()
    return shared_server


@pytest.fixture
def visiting(browser: Browser, server: ConsoleServer) -> Iterator[Visiting]:
    """Opens a window onto a world; at the end nothing may have gone wrong in it."""
    visits: list[Visit] = []

    def visit(world: World | None = None, **options: Any) -> Visit:
        if world is not None:
            server.world = world
        context = context_of(browser, server.world, **options)
        found = Visit(context.new_page(), server.url, server=server)
        found.listen()
        visits.append(found)
        return found

    yield visit
    for each in visits:
        each.page.context.close()
    assert [fault for each in visits for fault in each.faults] == []


@pytest.fixture
def visit(visiting: Visiting) -> Visit:
    """A window of an operator, before anything was opened."""
    return visiting()
