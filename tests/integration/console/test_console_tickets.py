"""Tickets of live pages: valid for one connection and 30 seconds, and stored only as a hash."""

import json
from typing import Any

from appstore_console import tickets
from appstore_console.tickets import Holder
from tests.aws_in_process import in_threads
from tests.clock import Clock

ADA = Holder("ada", None)


def test_a_ticket_is_good_once(table: Any) -> None:
    clock = Clock()
    ticket = tickets.issue(table, clock, ADA)
    assert tickets.redeem(table, clock, ticket) == ADA
    assert tickets.redeem(table, clock, ticket) is None


def test_of_many_who_use_one_ticket_at_once_one_gets_in(table: Any) -> None:
    clock = Clock()
    ticket = tickets.issue(table, clock, ADA)
    found = in_threads(lambda _: tickets.redeem(table, clock, ticket), 8)
    assert sorted(found, key=bool) == [*[None] * 7, ADA]


def test_a_ticket_is_too_old_after_half_a_minute_although_dynamodb_still_has_it(table: Any) -> None:
    clock = Clock()
    ticket = tickets.issue(table, clock, ADA)
    clock.pass_by(seconds=31)
    assert tickets.redeem(table, clock, ticket) is None


def test_a_ticket_that_was_never_issued_opens_nothing(table: Any) -> None:
    assert tickets.redeem(table, Clock(), "guessed") is None


def test_a_ticket_carries_the_apps_of_a_limited_person(table: Any) -> None:
    for app_ids in (("1000000001", "1000000002"), ()):
        ticket = tickets.issue(table, Clock(), Holder("eve", app_ids))
        assert tickets.redeem(table, Clock(), ticket) == Holder("eve", app_ids)


def test_who_reads_the_table_cannot_use_a_ticket(table: Any) -> None:
    ticket = tickets.issue(table, Clock(), ADA)
    assert ticket not in json.dumps(table.scan()["Items"], default=str)


def test_no_two_tickets_are_alike_and_none_can_be_guessed(table: Any) -> None:
    issued = {tickets.issue(table, Clock(), ADA) for _ in range(20)}
    assert len(issued) == 20
    assert {len(ticket) for ticket in issued} == {43}  # 256 random bits
