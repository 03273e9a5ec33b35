from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.errors import ConfigurationRefused, InputRefused
from appstore_analytics.contract.operations import Operation
from appstore_analytics.model.plan import RunPlan, VanishedApp
from appstore_analytics.rules.execution_input import ExecutionInput, parse_execution_input
from appstore_analytics.rules.planned_apps import planned_accounts, vanished_apps

TODAY = date(2026, 11, 23)


def wanted(*app_ids: str) -> ExecutionInput:
    return replace(parse_execution_input({}, today=TODAY), app_ids=app_ids)


def test_an_app_belongs_to_the_account_that_names_it() -> None:
    configured = (Account("finder"), Account("namer", ("2",)))
    accounts, notices = planned_accounts(configured, {"finder": ("1", "2")}, wanted())
    assert {account.name: account.app_ids for account in accounts} == {"finder": ("1",), "namer": ("2",)}
    assert [notice[:60] for notice in notices] == ["1 app that the key of account 'finder' sees is fetched with "]


def test_an_app_that_two_keys_see_belongs_to_the_first() -> None:
    configured = (Account("first"), Account("second"))
    accounts, _ = planned_accounts(configured, {"first": ("1",), "second": ("1", "2")}, wanted())
    assert {account.name: account.app_ids for account in accounts} == {"first": ("1",), "second": ("2",)}


def test_only_the_wanted_apps_are_fetched() -> None:
    configured = (Account("main", ("1", "2")), Account("other", ("3",)))
    accounts, _ = planned_accounts(configured, {}, wanted("2"))
    assert [(account.name, account.app_ids) for account in accounts] == [("main", ("2",))]


def test_a_wanted_app_that_no_account_has_is_refused_by_its_id() -> None:
    with pytest.raises(InputRefused, match="app_ids must be apps of a configured account; 9 is not"):
        planned_accounts((Account("main", ("1",)),), {}, wanted("1", "9"))


def test_accounts_without_any_app_are_refused() -> None:
    with pytest.raises(ConfigurationRefused, match="No account has an app"):
        planned_accounts((Account("main"),), {"main": ()}, wanted())


def plan_with(account: Account, *vanished: VanishedApp) -> RunPlan:
    return RunPlan(
        run_id="20261122T060000000Z",
        operation=Operation.DAILY,
        as_of=date(2026, 11, 22),
        started_at=datetime(2026, 11, 22, 6, tzinfo=UTC),
        accounts=(account,),
        reports=(),
        granularities=(),
        calls_per_hour=3500,
        vanished=vanished,
        app_names={"2": "Invented Notes"},
    )


def test_an_app_that_apple_lists_no_longer_is_remembered_for_as_long_as_it_can_have_instances() -> None:
    configured, accounts = (Account("main"),), (Account("main", ("1",)),)
    long_gone = VanishedApp("main", "3", date(2026, 10, 1), "")
    before = plan_with(Account("main", ("1", "2")), long_gone)
    (gone,) = vanished_apps(configured, accounts, wanted(), before)
    assert gone == VanishedApp("main", "2", date(2026, 11, 22), "Invented Notes")


def test_an_app_that_was_taken_out_of_the_configuration_has_not_vanished() -> None:
    configured = accounts = (Account("main", ("1",)),)
    assert vanished_apps(configured, accounts, wanted(), plan_with(Account("main", ("1", "2")))) == ()
    assert vanished_apps(configured, accounts, wanted(), None) == ()
