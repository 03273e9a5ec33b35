"""The live page: access, the contents of a nudge, and its receivers."""

import json
import logging
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.model.items import Item, LandItem, PublishItem, RegisterItem, VerifyItem
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.registry.keys import item_key, journal_key
from appstore_console import tickets
from appstore_console.live.connections import Connections
from appstore_console.live.events import Live
from appstore_console.live.nudges import Pages
from appstore_console.tickets import Holder
from tests.clock import Clock

RUN, OTHER_RUN = "20260602T100000123Z-daily", "20260602T110000123Z-backfill"
MINE, FOREIGN = "1000000001", "1000000002"
VINTAGE = Vintage(date(2026, 6, 1), AccessType.ONGOING, "instance-1")


class Gone(Exception):
    pass


@dataclass
class Gateway:
    """API Gateway's side of the connections: the messages sent to each."""

    sent: list[tuple[str, str]] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)

    class exceptions:  # noqa: N801 (as boto3 has it)
        GoneException = Gone

    def post_to_connection(self, ConnectionId: str, Data: bytes) -> None:  # noqa: N803
        if ConnectionId in self.gone:
            raise Gone
        self.sent.append((ConnectionId, json.loads(Data)["run"]))
        assert set(json.loads(Data)) == {"run"}

    def delete_connection(self, ConnectionId: str) -> None:  # noqa: N803
        if ConnectionId in self.gone:
            raise Gone
        self.closed.append(ConnectionId)


@dataclass
class Console:
    live: Live
    gateway: Gateway
    clock: Clock

    def connect(self, connection_id: str, protocols: str) -> dict[str, Any]:
        context = {"connectionId": connection_id, "eventType": "CONNECT", "routeKey": "$connect"}
        return self.live.handle({"requestContext": context, "headers": {"Sec-WebSocket-Protocol": protocols}})

    def listen(self, connection_id: str, app_ids: tuple[str, ...] | None = None) -> None:
        ticket = tickets.issue(self.live.table, self.clock, Holder(f"user of {connection_id}", app_ids))
        assert self.connect(connection_id, f"console, {ticket}")["statusCode"] == 200

    def leave(self, connection_id: str) -> None:
        self.live.handle({"requestContext": {"connectionId": connection_id, "eventType": "DISCONNECT"}})

    def change(self, *keys: dict[str, str]) -> None:
        typed = [{name: {"S": value} for name, value in key.items()} for key in keys]
        self.live.handle({"Records": [{"eventName": "MODIFY", "dynamodb": {"Keys": each}} for each in typed]})

    def sent(self) -> list[tuple[str, str]]:
        sent, self.gateway.sent = sorted(self.gateway.sent), []
        return sent


@pytest.fixture
def console(table: Any) -> Console:
    gateway, clock = Gateway(), Clock()
    connections = Connections(table, clock)
    return Console(Live(table, connections, Pages(connections, gateway), clock), gateway, clock)  # type: ignore[arg-type]


def record(item: Item) -> dict[str, str]:
    return item_key(item)


# Access


def test_a_ticket_opens_one_connection_with_the_subprotocol_that_a_browser_waits_for(console: Console) -> None:
    ticket = tickets.issue(console.live.table, console.clock, Holder("ada", None))
    answer = console.connect("c1", f"console, {ticket}")
    assert answer == {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "console"}}
    assert console.connect("c2", f"console, {ticket}") == {"statusCode": 401}


@pytest.mark.parametrize("protocols", ["", "console", "console, guessed", "guessed, console", "console, a, b", "other"])
def test_without_a_ticket_there_is_no_connection(console: Console, protocols: str) -> None:
    assert console.connect("c1", protocols)["statusCode"] == 401
    console.change(record(VerifyItem(RUN, "downloads")))
    assert console.sent() == []


def test_a_ticket_is_in_no_log(console: Console, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="appstore_console")
    ticket = tickets.issue(console.live.table, console.clock, Holder("ada", None))
    console.connect("c1", f"console, {ticket}")
    console.connect("c2", f"console, {ticket}")
    assert ticket not in caplog.text


def test_a_connection_without_headers_is_refused(console: Console) -> None:
    context = {"connectionId": "c1", "eventType": "CONNECT"}
    assert console.live.handle({"requestContext": context, "headers": None}) == {"statusCode": 401}


# The contents of a nudge, and its receivers


def test_many_changes_of_a_run_are_one_nudge(console: Console) -> None:
    console.listen("c1")
    console.change(*(record(RegisterItem(RUN, "main", str(1_000_000_000 + number))) for number in range(50)))
    assert console.sent() == [("c1", RUN)]


def test_two_runs_are_two_nudges_to_everybody_who_listens(console: Console) -> None:
    console.listen("c1")
    console.listen("c2")
    console.change(record(VerifyItem(RUN, "downloads")), record(VerifyItem(OTHER_RUN, "sessions")))
    assert console.sent() == [("c1", RUN), ("c1", OTHER_RUN), ("c2", RUN), ("c2", OTHER_RUN)]


@pytest.mark.parametrize(
    "key",
    [
        record(RegisterItem(RUN, "main", MINE)),
        record(LandItem(RUN, "main", MINE, VINTAGE)),
        journal_key(RUN, MINE, VINTAGE, TableDate("downloads", date(2026, 5, 30))),
    ],
)
def test_a_limited_person_hears_of_granted_apps(console: Console, key: dict[str, str]) -> None:
    console.listen("c1", (MINE,))
    console.change(key)
    assert console.sent() == [("c1", RUN)]


@pytest.mark.parametrize(
    "key",
    [
        record(RegisterItem(RUN, "main", FOREIGN)),
        record(LandItem(RUN, "main", FOREIGN, VINTAGE)),
        journal_key(RUN, FOREIGN, VINTAGE, TableDate("downloads", date(2026, 5, 30))),
        record(PublishItem(RUN, "downloads", "2026-05-30")),
        record(VerifyItem(RUN, "downloads")),
    ],
)
def test_a_limited_person_does_not_hear_that_other_apps_exist(console: Console, key: dict[str, str]) -> None:
    console.listen("c1", (MINE,))
    console.listen("c2", ())
    console.change(key)
    assert console.sent() == []


def test_a_run_that_starts_or_ends_is_told_under_its_id_but_not_to_limited_people(console: Console) -> None:
    console.listen("c1")
    console.listen("c2", (MINE,))
    started = 1_780_394_400_983  # a float of these seconds would lose the last millisecond
    console.live.handle({"detail": {"name": "manage-daily-1", "startDate": started, "status": "SUCCEEDED"}})
    assert console.sent() == [("c1", "20260602T100000983Z-manage-daily-1")]


# The end of a connection


def test_who_has_left_is_told_nothing(console: Console) -> None:
    console.listen("c1")
    console.leave("c1")
    console.leave("c1")
    console.change(record(VerifyItem(RUN, "downloads")))
    assert console.sent() == []


def test_a_connection_that_is_gone_is_forgotten_and_the_others_hear(console: Console) -> None:
    console.listen("c1")
    console.listen("c2")
    console.gateway.gone.add("c1")
    console.change(record(VerifyItem(RUN, "downloads")))
    assert console.sent() == [("c2", RUN)]
    assert [each.connection_id for each in console.live.connections.all()] == ["c2"]


@pytest.mark.parametrize("gone", [True, False])
def test_after_ten_minutes_a_connection_is_closed_so_that_rights_are_asked_anew(
    console: Console, *, gone: bool
) -> None:
    console.listen("c1")
    console.gateway.gone = {"c1"} if gone else set()
    console.clock.pass_by(minutes=10)
    console.change(record(VerifyItem(RUN, "downloads")))
    assert console.sent() == []
    assert console.gateway.closed == ([] if gone else ["c1"])
    assert list(console.live.connections.all()) == []
