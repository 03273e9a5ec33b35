import dataclasses
import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from local.apple import World, WorldSettings
from local.apple import faults as module
from local.apple.control import _FAULT_FIELDS, answer_control
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
    drawn = str(module.__doc__).split("What each kind affects:")[1]
    assert [kind for kind in FaultKind if not re.search(rf"\b{kind}\b", drawn)] == []


def test_an_unreadable_route_is_refused_when_it_is_ordered():
    with pytest.raises(re.error):
        Faults(seed=7).order(Fault(FaultKind.STATUS, route="("))


def test_the_control_endpoints_answer_on_loopback_only():
    call = Call("GET", "/_control/state", {}, b"", None, "http://simulated", "10.0.0.9")
    assert answer_control(None, call).status == 403  # type: ignore[arg-type]


def asked(path: str, body: object) -> tuple[int, str]:
    world = World(WorldSettings(today=date(2026, 11, 23)))
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = answer_control(world, Call("POST", f"/_control/{path}", {}, content, None, "", "127.0.0.1"))
    return answer.status, json.loads(answer.body).get("error", "")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("kind", value) for value in ("nope", "STATUS", None, 7, ["status"])),
        *(("times", value) for value in (0, -1, "2", 1.5, True)),
        *(("probability", value) for value in (0, -1, 1.1, "0.2", True, None)),
        *(("app_id", value) for value in (1000000001, "7", "1000000001 ", None)),
        *(("report", value) for value in ("nope", "downloads", 7)),
        *(("processing_date", value) for value in ("20261120", "2026-11-31", 7, "yesterday")),
        *(("status", value) for value in (99, 200, 600, "429", 429.0)),
        *(("retry_after_seconds", value) for value in (-1, "30", 1.5)),
        *(("seconds", value) for value in (-1, "30", 1e9)),
        *(("minute_header", value) for value in ("true", 1)),
        *(("route", value) for value in ("(", 7, None)),
        ("statu", 429),
        ("Kind", "status"),
    ],
)
def test_a_fault_that_could_never_happen_is_refused_by_its_field(field: str, value: object) -> None:
    status, sentence = asked("faults", {"kind": "status", field: value})
    assert status == 400
    assert sentence.startswith(f"{field}: ")


@pytest.mark.parametrize("body", [b"not json", b"", [], None, 7, {}, "status"])
def test_an_order_that_is_none_is_refused(body: object) -> None:
    assert asked("faults", body)[0] == 400


def test_every_field_of_a_fault_can_be_ordered_with_its_default() -> None:
    fault = dataclasses.asdict(Fault(FaultKind.STATUS))
    assert fault.keys() == _FAULT_FIELDS.keys()
    assert asked("faults", fault) == (200, "")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("clock", {"advance_days": "1"}, "advance_days"),
        ("clock", {"advance_days": -1}, "advance_days"),
        ("clock", {"advance_days": 1.5}, "advance_days"),
        ("clock", {"advance_days": 10**10}, "advance_days"),
        ("clock", {"today": "20261201"}, "today"),
        ("clock", {"today": 7}, "today"),
        ("clock", {"today": "2020-01-01"}, "today"),
        ("clock", {}, "today"),
        ("stopped_requests", {"app_id": "1000000001"}, "app_id"),
        ("restatements", {"app_id": "1000000001", "report": "App Downloads Standard", "date": "x"}, "date"),
    ],
)
def test_what_cannot_be_steered_is_refused_by_its_field(path: str, body: object, field: str) -> None:
    status, sentence = asked(path, body)
    assert status == 400
    assert sentence.startswith(f"{field}: ")
