import json
from dataclasses import asdict, fields
from typing import Any

import pytest
from synthesis import context

from appstore_analytics.contract.catalogue import CORE_REPORT_NAMES, REPORTS
from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.configuration import Account, Configuration
from appstore_analytics.contract.errors import ConfigurationRefused
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.schema_modes import SchemaMode
from infra.configuration import DeploymentConfiguration, MaxConcurrency, parse_context


def test_cdk_json_shows_every_key_with_its_default() -> None:
    shown = {key: value for key, value in context().items() if ":" not in key}
    assert set(shown) == {each.name for each in fields(DeploymentConfiguration)}
    assert parse_context(shown) == parse_context({}) == DeploymentConfiguration()


def test_values_from_the_command_line_arrive_as_json_in_strings() -> None:
    given: dict[str, Any] = {
        "accounts": [{"name": "studio-2", "app_ids": ["1000000001"]}],
        "granularities": ["WEEKLY", "DAILY"],
        "calls_per_hour": 100,
        "max_concurrency": {"land": 7},
        "retention": {"logs": 7},
        "segment_hosts": ["127.0.0.1"],
        "apple_base_url": "http://127.0.0.1:8080",
        "local": True,
    }
    as_strings = {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
    assert parse_context(given) == parse_context(as_strings)

    configuration = parse_context(as_strings)
    assert configuration.accounts == (Account("studio-2", ("1000000001",)),)
    assert configuration.granularities == (Granularity.DAILY, Granularity.WEEKLY)
    assert configuration.max_concurrency == MaxConcurrency(land=7)
    assert configuration.retention.logs == 7
    assert configuration.local


@pytest.mark.parametrize(
    ("reports", "names"),
    [
        ("core", CORE_REPORT_NAMES),
        ("all", tuple(report.name for report in REPORTS)),
        (["engagement", "App Crashes"], ("App Store Discovery and Engagement Standard", "App Crashes")),
        ('["downloads"]', ("App Downloads Standard",)),
    ],
)
def test_reports_are_chosen_by_set_by_table_or_by_apples_name(reports: Any, names: tuple[str, ...]) -> None:
    configuration = parse_context({"reports": reports})
    assert configuration.reports == names
    assert {table.report.name for table in configuration.curated_tables} == set(names)


@pytest.mark.parametrize("address", ["", "https://git.example.com/apps/analytics", "https://a.example:8443/~x/y.z-1"])
def test_the_page_of_a_run_knows_the_repository_that_the_context_names(address: str) -> None:
    assert parse_context(context(repository_url=address)).repository_url == address


def test_every_map_has_a_limit() -> None:
    assert {name: MaxConcurrency(1, 2, 3, 4, 5).of(name) for name in MapName} == {
        MapName.REGISTER: 1,
        MapName.RESTORE: 2,
        MapName.LAND: 3,
        MapName.PUBLISH: 4,
        MapName.VERIFY: 5,
    }
    assert set(asdict(MaxConcurrency())) == {name.lower() for name in MapName}


def test_plan_run_gets_the_configuration_through_json() -> None:
    accounts = [{"name": "main", "app_ids": ["1000000001"]}, {"name": "studio", "reader_key": True}]
    configuration = parse_context(context(accounts=accounts, retention={"noncurrent_lake": 12})).for_plan_run
    assert [account.reader_key_name for account in configuration.accounts] == ["main", "studio/reader"]
    assert configuration.kept_versions_days == 12
    assert Configuration.from_payload(json.loads(json.dumps(configuration.to_payload()))) == configuration


@pytest.mark.parametrize(
    ("key", "value", "fix"),
    [
        ("name", "Analytics", "a-z, 0-9"),
        ("name", "1-analytics", "begin with a letter"),
        ("name", "analytics-", "single inner hyphens"),
        ("name", "a--b", "single inner hyphens"),
        ("name", "a_b", "a-z, 0-9"),
        ("name", "n" * 41, "2 to 40 characters"),
        ("name", "primary", "none of AWS's own"),
        ("name", "sthree-analytics", "none of AWS's own"),
        ("name", 7, "a-z, 0-9"),
        ("databases", "curated", "is not JSON"),
        ("databases", {"raw": "x"}, "does not know 'raw'"),
        ("databases", {"curated": "apple-reports"}, "underscores"),
        ("databases", {"curated": ""}, "beginning with a letter"),
        ("databases", {"curated": "information_schema"}, "Glue database"),
        ("databases", {"curated": "appstore"}, "gives two databases one name"),
        ("accounts", [], "name at least one account"),
        ("alarm_slack_secret", "https://hooks.slack.com/services/x", "never the webhook's URL"),
        ("alarm_slack_secret", 1, "must be the name of a secret"),
        ("repository_url", "http://git.example.com/apps/analytics", "must be the https:// address"),
        ("repository_url", "javascript:alert(1)//https://git.example.com/x", "must be the https:// address"),
        ("repository_url", "https://git.example.com", "must be the https:// address"),
        ("repository_url", "https://git.example.com/apps/analytics/", "without a slash at the end"),
        ("repository_url", "https://somebody:secret@git.example.com/apps", "must be the https:// address"),
        ("repository_url", 'https://git.example.com/"onclick=x', "must be the https:// address"),
        ("repository_url", 1, "must be the https:// address"),
        ("freshness_hours", 0, "above 0"),
        ("freshness_hours", 100, "at most 72"),
        ("accounts", "main", "is not JSON"),
        ("accounts", [{"app_ids": ["1"]}], "'name'"),
        ("accounts", [{"name": "main", "apps": []}], "nothing else"),
        ("accounts", [{"name": "main", "reader_key": "yes"}], "accounts.reader_key' must be true or false"),
        ("accounts", [{"name": "Main"}], "a-z, 0-9"),
        ("accounts", [{"name": "a/b"}], "a-z, 0-9"),
        ("accounts", [{"name": "main"}, {"name": "main"}], "twice"),
        ("accounts", [{"name": "main", "app_ids": ["com.example.app"]}], "must consist of digits"),
        ("accounts", [{"name": "main", "app_ids": [1000000001]}], "in quotes"),
        ("accounts", [{"name": "a", "app_ids": ["1"]}, {"name": "b", "app_ids": ["1"]}], "keep it in one account"),
        ("reports", "everything", "is not JSON"),
        ("reports", ["downloads", "App Downloads Standard"], "names a report twice"),
        ("accounts", [{"name": "main", "reader_key": True}, {"name": "main-reader"}], "two API keys of one name"),
        ("accounts", [{"name": f"a{number}"} for number in range(51)], "at most 50"),
        ("existing_databases", ["raw"], "does not know 'raw'"),
        ("lake_formation", "perhaps", "true or false"),
        ("permissions_boundary", "a boundary", "managed policy"),
        ("permissions_boundary", "arn:aws:iam::1:policy/x", "managed policy"),
        ("kms_key_arn", "alias/studio", "not of an alias"),
        ("kms_key_arn", "arn:aws:kms:eu-central-1:123456789012:alias/studio", "not of an alias"),
        ("tags", ["team"], "an object like"),
        ("tags", {"aws:team": "x"}, "no tag 'aws:team'"),
        ("tags", {"team": "a\nb"}, "no tag 'team'"),
        ("tags", {"team": 1}, "no tag 'team'"),
        ("tags", {"": "x"}, "no tag ''"),
        ("tags", {"Team": "a", "team": "b"}, "upper and lower"),
        ("tags", {f"tag-{number}": "x" for number in range(51)}, "at most 50 tags"),
        ("reports", ["engagements"], "there is no report 'engagements'"),
        ("reports", [], "is empty"),
        ("granularities", ["HOURLY"], "DAILY, WEEKLY, MONTHLY"),
        ("granularities", [], "at least one of"),
        ("schema_modes", "strict", "is not JSON"),
        ("schema_modes", {"purchases": "loose"}, "'purchases' must be one of evolve, strict"),
        ("schema_modes", {"purchases": ["strict"]}, "'purchases' must be one of evolve, strict"),
        ("schema_modes", {"purchase": "strict"}, "there is no report 'purchase'"),
        ("schema_modes", {"purchases": "strict", "App Store Purchases Standard": "evolve"}, "twice"),
        ("schedule", "0 10 * * *", "six fields"),
        ("schedule", 10, "six fields"),
        ("schedule", "cron(61 25 * * ? *)", "minutes from 0 to 59"),
        ("schedule", "cron(0 25 * * ? *)", "hours from 0 to 23"),
        ("schedule", "cron(0 10 * * * *)", "? in one of the two day fields"),
        ("schedule", "cron(0 10 ? * ? *)", "? in one of the two day fields"),
        ("schedule", "cron(0 10 32 * ? *)", "day of month from 1 to 31"),
        ("schedule", "cron(0 10 * FOO ? *)", "month from 1 to 12"),
        ("schedule", "cron(0 10 ? * 0 *)", "day of week from 1 to 7"),
        ("schedule", "cron(0 10 ? * FRI-MON *)", "day of week"),
        ("schedule", "cron(0 10 * * ? 1969)", "year from 1970 to 2199"),
        ("schedule", "cron(0 */0 * * ? *)", "hours"),
        ("schedule", "cron(0,, 10 * * ? *)", "minutes"),
        ("schedule", "rate(1 day)", "six fields"),
        ("calls_per_hour", 0, "above 0"),
        ("calls_per_hour", "many", "is not JSON"),
        ("calls_per_hour", True, "whole number"),
        ("max_concurrency", {"download": 3}, "does not know 'download'"),
        ("max_concurrency", {"land": 5000}, "1000"),
        ("max_concurrency", {"land": "-1"}, "above 0"),
        ("snapshot_poll_seconds", 90_000, "86400"),
        ("snapshot_poll_seconds", 899, "at least 900"),
        ("alarm_email", "on-call", "e-mail address"),
        ("alarm_email", "on call@example.com", "e-mail address"),
        ("alarm_email", "on-call@example", "e-mail address"),
        ("alarm_email", "a..b@example.com", "e-mail address"),
        ("alarm_email", "on-call@-example.com", "e-mail address"),
        ("alarm_email", "höhe@example.com", "e-mail address"),
        ("retention", {"logs": 8}, "must be one of 1, 3, 5"),
        ("retention", {"raw": 0}, "above 0"),
        ("retention", {"raw": 40_000}, "36500 days"),
        ("bytes_scanned_cutoff", -5, "above 0"),
        ("bytes_scanned_cutoff", 9_999_999, "at least 10000000"),
        ("bytes_scanned_cutoff", 2**63, "at least 10000000"),
        ("apple_base_url", "https://api.example.com /x", "scheme and a host"),
        ("apple_base_url", "https://api.example.com:70000", "scheme and a host"),
        ("segment_hosts", [f"{number}.example.com" for number in range(200)], "must name hosts"),
        ("apple_base_url", "http://api.appstoreconnect.apple.com", "https://"),
        ("apple_base_url", "https://api.appstoreconnect.apple.com/", "without a path"),
        ("apple_base_url", "https://127.0.0.1", "only with local=true"),
        ("segment_hosts", ["https://example.com"], "without scheme"),
        ("segment_hosts", ["localhost"], "only with local=true"),
        ("segment_hosts", [], "must name hosts"),
        ("local", "yes", "true or false"),
        ("retain", "false", "can be false only with local=true"),
        ("report", "core", "is unknown: use one of"),
    ],
)
def test_a_value_that_cannot_work_is_refused_with_its_key_and_the_fix(key: str, value: Any, fix: str) -> None:
    with pytest.raises(ConfigurationRefused) as refusal:
        parse_context({key: value})
    sentence = str(refusal.value)
    assert f"'{key}" in sentence
    assert fix in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("given", "strict"),
    [
        ({}, set()),
        ({"purchases": "strict", "App Crashes": "strict", "installs": "evolve"}, {"purchases", "crashes"}),
        ({"default": "strict"}, {report.table for report in REPORTS}),
        ({"default": "strict", "purchases": "evolve"}, {report.table for report in REPORTS} - {"purchases"}),
        ({report.name: "strict" for report in REPORTS}, {report.table for report in REPORTS}),
    ],
    ids=["nothing given", "some strict", "all strict", "some evolve", "each named"],
)
def test_a_report_has_the_schema_mode_that_names_it_or_the_default(given: dict[str, str], strict: set[str]) -> None:
    modes = parse_context({"schema_modes": given}).schema_modes
    assert {report.table for report in REPORTS if modes.of(report) is SchemaMode.STRICT} == strict


def test_whatever_modes_are_chosen_fit_into_the_environment_of_a_function() -> None:
    longest = sorted(REPORTS, key=lambda report: -len(report.table))[: len(REPORTS) // 2]
    modes = parse_context({"schema_modes": {report.table: "strict" for report in longest}}).schema_modes
    assert len(modes.exceptions) == len(longest)
    assert len(json.dumps(modes.exceptions)) < 3500  # of the 4 KB that all variables share


def test_granularities_that_apple_does_not_build_leave_no_table_and_are_refused() -> None:
    with pytest.raises(ConfigurationRefused, match="leaves no table"):
        parse_context({"reports": ["downloads"], "granularities": ["MONTHLY"]})


def test_http_to_another_machine_is_refused_even_locally() -> None:
    with pytest.raises(ConfigurationRefused, match="https://"):
        parse_context({"local": True, "apple_base_url": "http://example.com"})


def test_keys_of_cdk_and_of_its_command_line_are_left_alone() -> None:
    assert parse_context({"@aws-cdk/core:x": True, "cli-telemetry": False, "aws:cdk:y": "z"}) == parse_context({})


@pytest.mark.parametrize(
    "schedule",
    [
        "cron(0 10 * * ? *)",
        "cron(0/15 6-18 ? * MON-FRI *)",
        "cron(30 9 ? JAN,JUL 2 2026-2030)",
        "cron(0 10 L * ? *)",
        "cron(0 10 L-3 * ? *)",
        "cron(0 10 15W * ? *)",
        "cron(0 10 ? * 6L *)",
        "cron(0 10 ? * MON#2 *)",
        "cron(*/5 * ? * * 2027)",
    ],
)
def test_what_eventbridge_scheduler_takes_is_taken(schedule: str) -> None:
    assert parse_context({"schedule": schedule}).schedule == schedule


def test_what_a_company_asks_for_is_taken() -> None:
    given = {
        "tags": {"team": "Wachstum", "cost center": ""},
        "kms_key_arn": f"arn:aws:kms:eu-central-1:123456789012:key/mrk-{'0' * 32}",
        "permissions_boundary": "arn:aws:iam::123456789012:policy/team/boundary",
        "alarm_email": "on-call+apps@data.example.co",
        "existing_databases": ["curated"],
    }
    assert parse_context(given).tags == given["tags"]
