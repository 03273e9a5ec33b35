"""CloudWatch alarms: by dimension and period, with missing data treated as the alarm specifies.

There is no clock: alarms are evaluated whenever they are described, while AWS evaluates them every minute. So a test
needs no sleep, and the effects of a state change (SNS and its subscribers) happen before the answer.
"""

import time
from collections.abc import Callable
from typing import Any

from local.aws.metrics import sample_queue
from local.aws.ministack import module, original, replace

PATCH = "alarms"
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": float.__ge__,
    "GreaterThanThreshold": float.__gt__,
    "LessThanThreshold": float.__lt__,
    "LessThanOrEqualToThreshold": float.__le__,
}


def patch() -> None:
    """Replace ministack's evaluation, which looks at one window over all dimensions and ignores missing data."""
    service = module("services.cloudwatch")
    for name in ("_calc_stats", "_stat_value", "_record_history", "_dispatch_alarm_actions", "record_metric"):
        original(service, name, patch=PATCH)
    replace(service, "_evaluate_alarm", lambda _: lambda alarm: _evaluate(alarm, service), patch=PATCH)
    replace(service, "_describe_alarms", lambda describe: _after_evaluation(describe, service), patch=PATCH)


def _after_evaluation(describe: Callable[..., Any], service: Any) -> Callable[..., Any]:
    def describe_alarms(*arguments: Any, **named: Any) -> Any:
        for alarm in list(service._alarms.values()):
            service._evaluate_alarm(alarm)
        return describe(*arguments, **named)

    return describe_alarms


def _evaluate(alarm: dict[str, Any], service: Any) -> None:
    if not alarm.get("MetricName"):
        return  # of a metric expression
    dimensions = {each["Name"]: each["Value"] for each in alarm.get("Dimensions") or ()}
    if alarm["Namespace"] == "AWS/SQS":
        sample_queue(dimensions["QueueName"], service.record_metric)
    verdicts = _verdicts(alarm, dimensions, service)
    wanted = int(alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"])
    if verdicts:
        state = "ALARM" if sum(verdicts) >= wanted else "OK"
    else:
        state = alarm["StateValue"] if alarm["TreatMissingData"] == "ignore" else "INSUFFICIENT_DATA"
    if state != alarm["StateValue"]:
        _move(alarm, state, f"{sum(verdicts)} of {len(verdicts)} datapoints were breaching", service)


def _verdicts(alarm: dict[str, Any], dimensions: dict[str, str], service: Any) -> list[bool]:
    """Whether each period is breaching; a period without data counts as the alarm specifies, or not at all."""
    points = [
        point
        for (namespace, name, _), found in list(service._metrics.items())
        if (namespace, name) == (alarm["Namespace"], alarm["MetricName"])
        for point in found
        if point["Dimensions"] == dimensions
    ]
    period, now = int(alarm["Period"]), time.time()
    verdicts = []
    for number in range(int(alarm["EvaluationPeriods"])):
        start, end = now - period * (number + 1), now - period * number
        within = [point for point in points if start < point["Timestamp"] <= end]
        if within:
            value = float(service._stat_value(service._calc_stats(within), alarm["Statistic"], within))
            verdicts.append(_COMPARISONS[alarm["ComparisonOperator"]](value, float(alarm["Threshold"])))
        elif alarm["TreatMissingData"] in ("breaching", "notBreaching"):
            verdicts.append(alarm["TreatMissingData"] == "breaching")
    return verdicts


def _move(alarm: dict[str, Any], state: str, reason: str, service: Any) -> None:
    before = alarm["StateValue"]
    alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
    service._record_history(alarm["AlarmName"], before, state, reason)
    service._dispatch_alarm_actions(alarm, before, state, reason)
