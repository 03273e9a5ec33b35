import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date

from appstore_analytics.contract.catalogue.definition import AccessType
from local.apple import draw
from local.apple.model import WorldSettings
from local.apple.world import EntityExistsError, World


def test_two_threads_in_the_middle_of_creating_create_once(monkeypatch):
    world = World(WorldSettings(today=date(2026, 6, 1)))
    both = threading.Barrier(2)
    identifier = draw.identifier

    def identifier_when_both_are_here(*words: object) -> str:
        with suppress(threading.BrokenBarrierError):
            both.wait(timeout=0.05)
        return identifier(7, *words)

    def create(_: int) -> int:
        try:
            world.create_request("1000000001", AccessType.ONGOING)
        except EntityExistsError:
            return 0
        return 1

    monkeypatch.setattr(draw, "identifier", identifier_when_both_are_here)
    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(create, range(2))) == 1
