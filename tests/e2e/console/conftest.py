from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.console.imitation.server import ConsoleServer, World, serve
from tests.e2e.console.visits import Visit, context_of, started

Visiting = Callable[..., Visit]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser per test module; each test has its own window. An open idle browser takes a third of a core."""
    with sync_playwright() as playwright, started(playwright) as browser:
        yield browser


@pytest.fixture(scope="session")
def shared_server() -> Iterator[ConsoleServer]:
    with serve(World()) as server:
        yield server


@pytest.fixture
def server(shared_server: ConsoleServer) -> ConsoleServer:
    """The server with the initial world."""
    shared_server.world = World()
    return shared_server


@pytest.fixture
def visiting(browser: Browser, server: ConsoleServer) -> Iterator[Visiting]:
    """Opens windows onto a world; fails at the end if a page reported an error."""
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
    """An operator's window before the first page."""
    return visiting()
