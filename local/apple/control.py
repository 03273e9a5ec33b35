"""`/_control/…`: controls for a demo or an end-to-end test. JSON, loopback only, no keys, no secrets.

    GET    /_control/state                          business date, apps, key ids
    POST   /_control/clock                          {"today": "2026-06-03"} or {"advance_days": 1}
    POST   /_control/restatements                   series, "date"
    POST   /_control/skipped_dates                  series, "date"
    POST   /_control/late_instances                 series, "processing_date", optional "dates": [...]
    POST   /_control/delayed_instances              series, "processing_date", "published_on"
    POST   /_control/repeated_instances             series, "processing_date"
    POST   /_control/stopped_requests               {"app_id": ..., "access_type": "ONGOING"}
    POST   /_control/forbidden_apps                 {"app_id": ..., "forbidden": true}
    POST   /_control/released_versions              {"app_id": ..., "version": the number that goes on sale now}
    POST   /_control/renamed_reports                {"report": ..., "name": the one that Apple offers from now on}
    GET, POST, DELETE /_control/faults              the fields of `Fault`; "kind" is required
    GET, DELETE       /_control/statistics          calls by route and status
    GET    /_control/truth?report=…&granularity=…   the contents of a correct lake; &vintages=all for every vintage

A series is {"app_id": ..., "report": ..., "granularity": "DAILY"}.
"""

import dataclasses
import re
from collections.abc import Callable
from datetime import date
from typing import Any

from appstore_analytics.contract.catalogue import REPORTS_BY_NAME
from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.rules.times import iso_date
from local.apple.faults import Fault, FaultKind
from local.apple.http import Answer, Call, Json, json_answer
from local.apple.model import Series
from local.apple.truth import Batch, every_vintage, newest_vintages
from local.apple.world import GoneError, World

LOOPBACK = ("127.0.0.1", "::1")


def answer_control(world: World, call: Call) -> Answer:
    """The answer of a control endpoint: 400 with one sentence for bad input, 403 from another machine."""
    if call.remote_address not in LOOPBACK:
        return json_answer({"error": "the control endpoints answer on loopback only"}, 403)
    handler = _HANDLERS.get((call.method, call.path.removeprefix("/_control/")))
    if handler is None:
        return json_answer({"error": f"there is no {call.method} {call.path}"}, 404)
    try:
        return json_answer(handler(world, call))
    except KeyError as error:
        return json_answer({"error": f"{error.args[0]}: missing or unknown"}, 400)
    except GoneError as error:
        return json_answer({"error": f"app_id: {error} has no such report request"}, 400)
    except (ValueError, TypeError) as error:
        return json_answer({"error": str(error)}, 400)


def _state(world: World, _call: Call) -> Json:
    apps = [{"id": app.id, "name": app.name, "bundle_id": app.bundle_id} for app in world.apps.values()]
    return {"today": world.today.isoformat(), "apps": apps, "key_id": world.admin_key.key_id}


def _clock(world: World, call: Call) -> Json:
    body = call.json()
    if "advance_days" in body:
        if not _is_whole(body["advance_days"], 0, _MOST_DAYS):
            raise ValueError(f"advance_days: must be a whole number from 0 to {_MOST_DAYS}")
        world.advance(body["advance_days"])
    else:
        world.move_to(_date(body, "today"))
    return {"today": world.today.isoformat()}


def _restate(world: World, call: Call) -> Json:
    world.restate(_series(world, call.json()), _date(call.json(), "date"))
    return {}


def _skip(world: World, call: Call) -> Json:
    world.skip_date(_series(world, call.json()), _date(call.json(), "date"))
    return {}


def _late(world: World, call: Call) -> Json:
    body = call.json()
    dates = tuple(map(date.fromisoformat, body.get("dates", ())))
    world.add_late_instance(_series(world, body), _date(body, "processing_date"), dates)
    return {}


def _delay(world: World, call: Call) -> Json:
    body = call.json()
    world.delay_instance(_series(world, body), _date(body, "processing_date"), _date(body, "published_on"))
    return {}


def _repeat(world: World, call: Call) -> Json:
    world.repeat_instance(_series(world, call.json()), _date(call.json(), "processing_date"))
    return {}


def _rename(world: World, call: Call) -> Json:
    world.rename_report(REPORTS_BY_NAME[call.json()["report"]].name, str(call.json()["name"]))
    return {}


def _release(world: World, call: Call) -> Json:
    world.release_version(call.json()["app_id"], str(call.json()["version"]))
    return {}


def _stop(world: World, call: Call) -> Json:
    body = call.json()
    world.stop_request(body["app_id"], AccessType(body.get("access_type", AccessType.ONGOING)))
    return {}


def _forbid(world: World, call: Call) -> Json:
    body = call.json()
    app_ids = {world.apps[body["app_id"]].id}
    if body.get("forbidden", True):
        world.forbidden_app_ids |= app_ids
    else:
        world.forbidden_app_ids -= app_ids
    return {}


def _order_fault(world: World, call: Call) -> Json:
    body = call.json()
    for name, value in body.items():
        if name not in _FAULT_FIELDS:
            raise ValueError(f"{name}: unknown; a fault has {', '.join(_FAULT_FIELDS)}")
        is_right, words = _FAULT_FIELDS[name]
        if not is_right(world, value):
            raise ValueError(f"{name}: must be {words}")
    world.faults.order(Fault(**{**body, "kind": FaultKind(body["kind"])}))
    return {}


def _list_faults(world: World, _call: Call) -> Json:
    return {"faults": [{**dataclasses.asdict(fault), "happened": met} for fault, met in world.faults.ordered()]}


def _clear_faults(world: World, _call: Call) -> Json:
    world.faults.clear()
    return {}


def _statistics(world: World, _call: Call) -> Json:
    return {"calls": world.statistics.by_route()}


def _reset_statistics(world: World, _call: Call) -> Json:
    world.statistics.reset()
    return {}


def _truth(world: World, call: Call) -> Json:
    report = REPORTS_BY_NAME[call.query["report"]].name
    vintages = every_vintage if call.query.get("vintages") == "all" else newest_vintages
    batches = vintages(world, report, Granularity(call.query.get("granularity", Granularity.DAILY)))
    return {"batches": [_batch(batch) for batch in batches]}


def _batch(batch: Batch) -> Json:
    days = {"date": batch.date.isoformat(), "processing_date": batch.processing_date.isoformat()}
    return {**dataclasses.asdict(batch), **days}


def _series(world: World, body: Json) -> Series:
    report = REPORTS_BY_NAME[body["report"]].name
    return Series(world.apps[body["app_id"]].id, report, Granularity(body.get("granularity", Granularity.DAILY)))


def _date(body: Json, name: str) -> date:
    try:
        return iso_date(body[name])
    except (TypeError, ValueError):
        raise ValueError(f"{name}: must be a day such as 2026-11-20") from None


def _is_whole(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _is_text(_world: World, value: Any) -> bool:
    return isinstance(value, str)


def _is_pattern(_world: World, value: Any) -> bool:
    try:
        return bool(re.compile(value))
    except (TypeError, re.error):
        return False


def _is_truth(_world: World, value: Any) -> bool:
    return isinstance(value, bool)


def _is_day(_world: World, value: Any) -> bool:
    try:
        return bool(value == "" or iso_date(value))
    except (TypeError, ValueError):
        return False


_MOST_DAYS = 3650
_FAULT_FIELDS: dict[str, tuple[Callable[[World, Any], bool], str]] = {
    "kind": (lambda _, value: value in [*FaultKind], f"one of {', '.join(FaultKind)}"),
    "route": (_is_pattern, "a regular expression in quotes"),
    "times": (
        lambda _, value: value is None or _is_whole(value, 1, 1_000_000),
        "a whole number from 1, or null: always",
    ),
    "probability": (
        lambda _, value: type(value) in (int, float) and 0 < value <= 1,
        "a number above 0 and at most 1",
    ),
    "app_id": (lambda world, value: value == "" or value in [*world.apps], "the id of an app, in quotes"),
    "report": (lambda _, value: value == "" or value in [*REPORTS_BY_NAME], "Apple's name of a report"),
    "processing_date": (_is_day, "a day such as 2026-11-20"),
    "status": (lambda _, value: _is_whole(value, 300, 599), "an HTTP status from 300 to 599"),
    "code": (_is_text, "text"),
    "retry_after_seconds": (lambda _, value: value is None or _is_whole(value, 0, 1_000_000), "a whole number or null"),
    "minute_header": (_is_truth, "true or false"),
    "after_effect": (_is_truth, "true or false"),
    "seconds": (lambda _, value: type(value) in (int, float) and 0 <= value <= 3600, "seconds, an hour at most"),
    "column": (_is_text, "a header in quotes"),
}
"""The possible values of each field of a fault: impossible ones are refused at once."""


_HANDLERS: dict[tuple[str, str], Callable[[World, Call], Json]] = {
    ("GET", "state"): _state,
    ("POST", "clock"): _clock,
    ("POST", "restatements"): _restate,
    ("POST", "skipped_dates"): _skip,
    ("POST", "late_instances"): _late,
    ("POST", "delayed_instances"): _delay,
    ("POST", "repeated_instances"): _repeat,
    ("POST", "released_versions"): _release,
    ("POST", "renamed_reports"): _rename,
    ("POST", "stopped_requests"): _stop,
    ("POST", "forbidden_apps"): _forbid,
    ("GET", "faults"): _list_faults,
    ("POST", "faults"): _order_fault,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "statistics"): _statistics,
    ("DELETE", "statistics"): _reset_statistics,
    ("GET", "truth"): _truth,
}
