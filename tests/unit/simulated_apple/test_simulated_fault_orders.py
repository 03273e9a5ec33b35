import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.apple import faults as module
from local.apple.control import answer_control
from local.apple.faults import (
    ARRIVING_KINDS,
    ENDING_KINDS,
    FILE_KINDS,
    LINK_KINDS,
    LIST_KINDS,
    Fault,
    FaultKind,
    Faults,
    Target,
)
from local.apple.http import Call

ROUTES = (
    "GET /v1/apps/1000000001/analyticsReportRequests",
    "POST /v1/analyticsReportRequests",
    "DELETE /v1/analyticsReportRequests/1",
    "GET /v1/analyticsReportRequests/1/reports",
    "GET /v1/analyticsReports/r1-1/instances",
    "GET /v1/analyticsReportInstances/1/segments",
    "GET /segments/1/0.txt.gz",
)


def test_a_fault_happens_exactly_as_often_as_ordered_whoever_asks():
    faults = Faults(seed=7)
    faults.order(Fault(FaultKind.STATUS, times=10))
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: faults.take(Target("GET /v1/apps"), ENDING_KINDS), range(100)))
    assert sum(map(len, taken)) == 10
    assert faults.ordered()[0][1] == 10


def test_a_fault_waits_for_its_kind_of_call():
    faults = Faults(seed=7)
    faults.order(Fault(FaultKind.SHORT_ROW))
    assert faults.take(Target("GET /v1/apps"), ENDING_KINDS) == []
    assert len(faults.take(Target("GET /v1/apps"), FILE_KINDS)) == 1


@pytest.mark.parametrize("kind", FaultKind)
def test_every_kind_can_be_ordered_for_a_route_by_probability(kind):
    for route in ROUTES:
        faults = Faults(seed=7)
        faults.order(Fault(kind, re.escape(route), times=None, probability=0.5))
        met = [len(faults.take(Target(asked), FaultKind)) for _ in range(100) for asked in ROUTES]
        assert 30 < sum(met) < 70, route
        assert {asked for asked, times in zip(ROUTES * 100, met, strict=True) if times} == {route}


def test_every_kind_belongs_to_one_place():
    places = (ARRIVING_KINDS, ENDING_KINDS, LIST_KINDS, LINK_KINDS, FILE_KINDS)
    assert sorted(kind for place in places for kind in place) == sorted(FaultKind)


def test_every_kind_is_listed_for_people():
    drawn = str(module.__doc__).split("How each kind shows:")[1]
    assert [kind for kind in FaultKind if not re.search(rf"\b{kind}\b", drawn)] == []


def test_an_unreadable_route_is_refused_when_it_is_ordered():
    with pytest.raises(re.error):
        Faults(seed=7).order(Fault(FaultKind.STATUS, route="("))


def test_the_control_endpoints_answer_on_loopback_only():
    call = Call("GET", "/_control/state", {}, b"", None, "http://simulated", "10.0.0.9")
    assert answer_control(None, call).status == 403  # type: ignore[arg-type]
