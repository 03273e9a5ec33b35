import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.model.items import (
    Item,
    ItemRecord,
    LandItem,
    PublishItem,
    RegisterItem,
    RestoreItem,
    VerifyItem,
)
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.registry.keys import item_key
from appstore_analytics.report.summary import AppSummary, RunSummary, count_verdicts, summarize

RUN = "20250602T100000123Z-daily"
ACCOUNT = "main"
APP, OTHER, THIRD = "1000000001", "1000000002", "1000000003"
TABLE = "downloads"

REGISTER = RegisterItem(RUN, ACCOUNT, APP)
VINTAGE = Vintage(date(2025, 6, 2), AccessType.ONGOING, "i-1")
LAND = LandItem(RUN, ACCOUNT, APP, VINTAGE)
PUBLISH = PublishItem(RUN, TABLE, "2025-06-01")
VERIFY = VerifyItem(RUN, TABLE)


def plan(*app_ids: str) -> RunPlan:
    return RunPlan(
        run_id=RUN,
        operation=Operation.DAILY,
        as_of=date(2025, 6, 2),
        started_at=datetime(2025, 6, 2, 10, tzinfo=UTC),
        accounts=(Account(ACCOUNT, app_ids or (APP, OTHER)),),
        reports=("App Downloads Standard",),
        granularities=(Granularity.DAILY,),
        calls_per_hour=3500,
    )


def ended(item: Item, verdict: Verdict | None, reason: str = "", error: str = "", **facts: Any) -> ItemRecord:
    return ItemRecord(item_key(item)["sk"], item.to_event(), verdict, reason, error, facts)


def landed(app_id: str, processing_date: str = "2025-06-02", **facts: Any) -> ItemRecord:
    item = LandItem(RUN, ACCOUNT, app_id, replace(VINTAGE, processing_date=date.fromisoformat(processing_date)))
    return ended(item, Verdict.CONVERTED, table=TABLE, processing_date=processing_date, **facts)


def summary(*records: ItemRecord, apps: Sequence[str] = (), execution_error: str = "") -> RunSummary:
    by_map = {name: [each for each in records if each.record.startswith(f"{name}#")] for name in MapName}
    return summarize(plan(*apps), by_map, execution_error)


def verdicts(run: RunSummary) -> dict[str, Verdict]:
    return {app.app_id: app.verdict for app in run.apps}


def test_a_good_run_has_no_cause() -> None:
    run = summary(
        *(ended(RegisterItem(RUN, ACCOUNT, app_id), Verdict.READY) for app_id in (APP, OTHER)),
        landed(APP),
        ended(PUBLISH, Verdict.PUBLISHED),
        ended(VERIFY, Verdict.VERIFIED),
    )
    assert verdicts(run) == {APP: Verdict.VERIFIED, OTHER: Verdict.READY}
    assert (run.has_failed, run.cause, run.errors, run.failed_apps) == (False, "", (), ())


@pytest.mark.parametrize(
    ("item", "error", "verdict"),
    [
        (REGISTER, "RoleMissing", Verdict.FORBIDDEN),
        (REGISTER, "KeyRejected", Verdict.KEY_REJECTED),
        (REGISTER, "GhostRequest", Verdict.CONFLICT),
        (REGISTER, "AppleUnavailable", Verdict.FAILED),
        (LAND, "InstanceQuarantined", Verdict.QUARANTINED),
        (LAND, "KeyRejected", Verdict.KEY_REJECTED),
        (LAND, "DownloadBroken", Verdict.FAILED),
        (PUBLISH, "ObjectContended", Verdict.FAILED),
        (VERIFY, "QueryFailed", Verdict.FAILED),
        (PUBLISH, "InstanceQuarantined", Verdict.QUARANTINED),
    ],
)
def test_every_caught_error_reaches_the_app_and_no_other(item: Item, error: str, verdict: Verdict) -> None:
    cause = json.dumps({"errorMessage": "It broke.", "stackTrace": []})
    run = summary(landed(APP), ended(item, None, cause, error))
    assert verdicts(run) == {APP: verdict, OTHER: Verdict.NOT_READY}
    reason = run.apps[0].reason
    assert reason.startswith("It broke.")
    assert [(each.item, each.verdict, each.reason) for each in run.errors] == [(item_key(item)["sk"], verdict, reason)]
    assert run.cause == f"1 of 2 apps failed: {APP} ({verdict})."


@pytest.mark.parametrize("item", [REGISTER, LAND, PUBLISH, VERIFY], ids=lambda item: item.map_name)
def test_an_item_that_never_ended_fails_its_app(item: Item) -> None:
    run = summary(landed(APP), ended(item, None))
    assert verdicts(run)[APP] is Verdict.FAILED
    assert "without a record" in run.apps[0].reason


def test_a_mismatch_is_that_of_the_apps_it_names_and_the_others_are_verified() -> None:
    different = ended(VERIFY, Verdict.MISMATCH, "2 rows expected, 1 in Athena.", apps_different=[int(APP)])
    run = summary(landed(APP), landed(OTHER), different)
    assert verdicts(run) == {APP: Verdict.MISMATCH, OTHER: Verdict.VERIFIED}
    assert run.apps[0].reason.startswith("2 rows expected, 1 in Athena.")
    assert run.has_failed


def test_a_table_that_fails_is_no_failure_of_an_app_without_rows_in_it() -> None:
    run = summary(landed(APP), ended(PublishItem(RUN, "crashes", "2025-06-01"), Verdict.FAILED, "broken"))
    assert verdicts(run)[APP] is Verdict.CONVERTED
    assert run.has_failed
    assert run.cause == "1 items failed: PUBLISH#crashes#2025-06-01: broken"


def test_what_ended_the_execution_fails_a_run_whose_items_are_fine() -> None:
    run = summary(landed(APP), execution_error="States.DataLimitExceeded: too much")
    assert run.cause == "1 items failed: execution: States.DataLimitExceeded: too much"


def test_what_ended_the_execution_is_told_beside_the_apps_that_failed() -> None:
    run = summary(ended(REGISTER, Verdict.FAILED), execution_error="States.DataLimitExceeded: too much")
    assert (
        run.cause == f"1 of 2 apps failed: {APP} (failed). The execution broke off: States.DataLimitExceeded: too much"
    )


def test_a_rollback_tells_of_each_app_what_went_back_and_what_was_superseded() -> None:
    part = {"table": TABLE, "date": "2025-06-01", "app_id": OTHER, "by_run": "r-2"}
    rollback = replace(plan(APP, OTHER, THIRD), operation=Operation.ROLLBACK)
    records = {name: list[ItemRecord]() for name in MapName}
    records[MapName.RESTORE] = [
        ended(RestoreItem(RUN, ACCOUNT, APP, VINTAGE, "r-1"), Verdict.ROLLED_BACK, table=TABLE, parts_restored=2),
        ended(
            RestoreItem(RUN, ACCOUNT, OTHER, VINTAGE, "r-1"),
            Verdict.SUPERSEDED,
            table=TABLE,
            parts_deleted=1,
            parts_superseded=1,
            superseded=[part],
        ),
    ]
    records[MapName.VERIFY] = [ended(VERIFY, Verdict.VERIFIED)]
    run = summarize(rollback, records)
    assert verdicts(run) == {APP: Verdict.ROLLED_BACK, OTHER: Verdict.SUPERSEDED, THIRD: Verdict.UNCHANGED}
    assert (run.has_failed, run.superseded) == (False, (part,))
    assert {name: number for name, number in run.totals.items() if number} == {
        "parts_restored": 2,
        "parts_deleted": 1,
        "parts_superseded": 1,
    }
    records[MapName.VERIFY] = [ended(VERIFY, Verdict.MISMATCH, "differs", apps_different=[int(APP)])]
    assert verdicts(summarize(rollback, records))[APP] is Verdict.MISMATCH
    records[MapName.PUBLISH] = [ended(PUBLISH, Verdict.FAILED, "broken")]
    assert verdicts(summarize(rollback, records))[OTHER] is Verdict.FAILED


@pytest.mark.parametrize(("failed", "more"), [(20, ""), (21, " and 1 more"), (150, " and 130 more")])
def test_the_cause_names_at_most_twenty_apps(failed: int, more: str) -> None:
    apps = [str(1_000_000_001 + number) for number in range(failed)]
    run = summary(*(ended(RegisterItem(RUN, ACCOUNT, app_id), Verdict.FAILED) for app_id in apps), apps=apps)
    named = ", ".join(f"{app_id} (failed)" for app_id in apps[:20])
    assert run.cause == f"{failed} of {failed} apps failed: {named}{more}."
    assert len(run.failed_apps) == len(run.errors) == failed


def test_totals_add_the_facts_of_every_map() -> None:
    run = summary(
        ended(REGISTER, Verdict.READY, requests_created=1, calls=3),
        landed(APP, segments=2, bytes=100, rows_raw=10, parts_written=2, parts_replaced=1, calls=2),
        landed(OTHER, segments=1, bytes=50, rows_raw=5, parts_unchanged=1, parts_refused=4, calls=1),
        ended(PUBLISH, Verdict.PUBLISHED, rows=15),
        ended(PublishItem(RUN, TABLE, "2025-06-02"), Verdict.UNCHANGED),
        ended(VERIFY, Verdict.VERIFIED, rows=15),
    )
    assert {name: number for name, number in run.totals.items() if number} == {
        "requests_created": 1,
        "instances": 2,
        "segments": 3,
        "bytes": 150,
        "rows_raw": 15,
        "rows_curated": 15,
        "rows_athena": 15,
        "parts_written": 2,
        "parts_replaced": 1,
        "parts_unchanged": 1,
        "parts_refused": 4,
        "dates_published": 1,
        "apple_calls": 6,
    }


def test_columns_that_changed_are_told_once_per_table() -> None:
    changes: list[dict[str, Any]] = [
        {"unknown_columns": ["Zone", "Area"]},
        {"unknown_columns": ["Area"], "missing_columns": ["Device"]},
    ]
    run = summary(*(landed(app_id, **change) for app_id, change in zip((APP, OTHER), changes, strict=True)))
    assert run.unknown_columns == {TABLE: ["Area", "Zone"]}
    assert run.missing_columns == {TABLE: ["Device"]}


def test_skipped_dates_are_told_once_per_table_and_app() -> None:
    skips = [["2025-06-01", "2025-06-03"], ["2025-05-31", "2025-06-01"]]
    items = [landed(APP, dates_skipped=2, skipped_dates=dates) for dates in skips]
    run = summary(*items, landed(OTHER, dates_skipped=0, skipped_dates=[]))
    assert run.skipped_dates == {TABLE: {APP: ["2025-05-31", "2025-06-01", "2025-06-03"]}}
    assert run.totals["dates_skipped"] == 4
    assert not run.has_failed


def test_apps_are_counted_by_verdict() -> None:
    ends = [Verdict.VERIFIED, Verdict.FAILED, Verdict.VERIFIED]
    apps = [AppSummary(ACCOUNT, str(number), verdict) for number, verdict in enumerate(ends)]
    assert count_verdicts(apps) == {"failed": 1, "verified": 2}


def test_an_app_is_called_by_its_name_beside_its_id() -> None:
    item = RegisterItem(RUN, ACCOUNT, APP)
    records = {**dict.fromkeys(MapName, ()), MapName.REGISTER: (ended(item, None),)}
    found = summarize(replace(plan(APP), app_names={APP: "Tiny Chess"}), records)
    assert found.apps[0].name == "Tiny Chess"
    assert found.cause == f"1 of 1 apps failed: {APP} (Tiny Chess, failed)."
    assert found.errors[0].app_name == "Tiny Chess"
