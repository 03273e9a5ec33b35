"""The alarms and the dashboard in the template, compared with the page that documents them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from synthesis import PROJECT, Synthesis, context, plain, synthesize

from appstore_analytics.contract.metrics import DIMENSION, Metric
from appstore_analytics.contract.names import Names

OPERATIONS = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
QUESTIONS = ("Is it fresh?", "Did it run?", "What failed?", "What does it cost?", "Is Apple throttling us?")
BAD_END = (">=", 1, "Sum", 300, 1, "notBreaching")
RULES = {
    "RunFailed": ("ExecutionsFailed", *BAD_END),
    "RunTimedOut": ("ExecutionsTimedOut", *BAD_END),
    "RunAborted": ("ExecutionsAborted", *BAD_END),
    "NoRunSucceeded": ("ExecutionsSucceeded", "<", 1, "Sum", 3600, 26, "breaching"),
    "StaleData": ("FeedsStale", ">=", 1, "Maximum", 3600, 2, "breaching"),
    "Quarantined": ("InstancesQuarantined", ">=", 1, "Maximum", 3600, 1, "ignore"),
    "Mismatched": ("TablesMismatched", ">=", 1, "Maximum", 3600, 1, "ignore"),
    "Throttled": ("AppleRefusals", ">=", 3, "Sum", 3600, 1, "notBreaching"),
    "BudgetExhausted": ("BudgetExhausted", ">=", 1, "Sum", 3600, 3, "notBreaching"),
    "DeadLetters": ("ApproximateNumberOfMessagesVisible", ">=", 1, "Maximum", 300, 1, "ignore"),
}
OPERATORS = {"GreaterThanOrEqualToThreshold": ">=", "LessThanThreshold": "<"}


def alarms(synthesis: Synthesis) -> dict[str, dict[str, Any]]:
    found = synthesis.of_type("CloudWatch::Alarm").values()
    return {alarm["AlarmName"].removeprefix("appstore-analytics-"): alarm for alarm in found}


def widgets(synthesis: Synthesis) -> list[dict[str, Any]]:
    body = plain(synthesis.only("CloudWatch::Dashboard")["DashboardBody"])
    return list(json.loads(body)["widgets"])


def test_each_alarm_rings_when_it_should(synthesis: Synthesis) -> None:
    assert {
        name: (
            alarm["MetricName"],
            OPERATORS[alarm["ComparisonOperator"]],
            alarm["Threshold"],
            alarm["Statistic"],
            alarm["Period"],
            alarm["EvaluationPeriods"],
            alarm["TreatMissingData"],
        )
        for name, alarm in alarms(synthesis).items()
    } == RULES


def test_every_alarm_tells_the_topic_and_those_that_can_say_that_it_is_over(synthesis: Synthesis) -> None:
    topic = synthesis.template["Outputs"]["AlarmTopicArn"]["Value"]
    assert all(alarm["AlarmActions"] == [topic] for alarm in alarms(synthesis).values())
    assert {name for name, alarm in alarms(synthesis).items() if "OKActions" in alarm} == {
        "NoRunSucceeded",
        "StaleData",
        "DeadLetters",
    }


@pytest.mark.parametrize("name", RULES)
def test_an_alarm_leads_to_its_page_with_meaning_first_look_and_fix(synthesis: Synthesis, name: str) -> None:
    description = alarms(synthesis)[name]["AlarmDescription"]
    assert description.endswith(f". docs/operations.md#appstore-analytics-{name.lower()}")
    chapter = re.search(rf"^### appstore-analytics-{name}$(.*?)(?=^##)", OPERATIONS, re.DOTALL | re.MULTILINE)
    assert chapter is not None, f"docs/operations.md lacks the chapter appstore-analytics-{name}"
    words = re.findall(r"^\*\*([\w ]+)\.\*\*", chapter[1], re.MULTILINE)
    assert words == ["Meaning", "First look", "Fix"]


def test_no_page_is_about_an_alarm_that_does_not_exist() -> None:
    assert set(re.findall(r"^### appstore-analytics-(\w+)$", OPERATIONS, re.MULTILINE)) == set(RULES)


def test_the_dashboard_asks_its_questions_from_top_to_bottom(synthesis: Synthesis) -> None:
    texts = [each for each in widgets(synthesis) if each["type"] == "text"]
    assert [each["properties"]["markdown"].removeprefix("# ") for each in texts] == [*QUESTIONS]
    assert [each["y"] for each in texts] == sorted(each["y"] for each in texts)


def test_the_dashboard_shows_every_alarm(synthesis: Synthesis) -> None:
    (status,) = [each for each in widgets(synthesis) if each["type"] == "alarm"]
    arns = {f"<{name}>" for name in synthesis.of_type("CloudWatch::Alarm")}
    assert set(status["properties"]["alarms"]) == arns


def test_every_metric_of_ours_is_shown_or_rings_and_no_other_is_asked_for(synthesis: Synthesis) -> None:
    text = json.dumps(widgets(synthesis))
    shown = set(re.findall(rf'"{Names().metrics_namespace}", "(\w+)", "{DIMENSION[0]}", "{DIMENSION[1]}"', text))
    ringing = {
        alarm["MetricName"] for alarm in alarms(synthesis).values() if alarm["Namespace"] == Names().metrics_namespace
    }
    assert shown | ringing == shown == set(Metric)


def test_what_watching_costs_stays_below_a_dollar_and_three_quarters(synthesis: Synthesis) -> None:
    """At list prices: an alarm costs $0.10, a metric sent every hour $0.30, one sent once a day a 24th of that."""
    hourly = {Metric.FEEDS_FRESH, Metric.FEEDS_STALE}
    dollars = 0.10 * len(alarms(synthesis)) + 0.30 * len(hourly) + 0.30 / 24 * len(set(Metric) - hourly)
    assert dollars < 1.75


def test_the_dashboard_asks_for_no_more_metrics_than_a_free_one_may(synthesis: Synthesis) -> None:
    rows = [row for each in widgets(synthesis) for row in each["properties"].get("metrics", ())]
    assert (
        sum(isinstance(row[0], str) for row in rows) <= 50
    )  # CloudWatch's free tier: 3 dashboards of up to 50 metrics


def test_the_dashboard_can_be_left_out(tmp_path: Path) -> None:
    without = synthesize(tmp_path, context(dashboard=False, reports=["downloads"]))
    assert without.of_type("CloudWatch::Dashboard") == {}
    assert len(alarms(without)) == len(RULES)
