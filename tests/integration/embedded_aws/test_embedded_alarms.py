import json
from typing import Any

import pytest

from local.aws.server import EmbeddedAws


def put_alarm(aws: EmbeddedAws, name: str, **changes: Any) -> None:
    usual = {
        "AlarmName": name,
        "Namespace": "Harbor",
        "MetricName": name,
        "Dimensions": [{"Name": "service", "Value": "notes"}],
        "Statistic": "Sum",
        "Period": 3600,
        "EvaluationPeriods": 1,
        "Threshold": 3,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    }
    aws.client("cloudwatch").put_metric_alarm(**(usual | changes))


def put_data(aws: EmbeddedAws, name: str, value: float, service: str = "notes") -> None:
    datum = {"MetricName": name, "Dimensions": [{"Name": "service", "Value": service}], "Value": value}
    aws.client("cloudwatch").put_metric_data(Namespace="Harbor", MetricData=[datum])


def state(aws: EmbeddedAws, name: str) -> str:
    (alarm,) = aws.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return str(alarm["StateValue"])


def test_an_alarm_looks_at_its_own_dimensions_only(aws: EmbeddedAws) -> None:
    put_alarm(aws, "Dimensions")
    put_data(aws, "Dimensions", 5, service="other")
    assert state(aws, "Dimensions") == "OK"
    put_data(aws, "Dimensions", 2)
    assert state(aws, "Dimensions") == "OK"
    put_data(aws, "Dimensions", 1)
    assert state(aws, "Dimensions") == "ALARM"


@pytest.mark.parametrize(
    ("treatment", "expected"),
    [("breaching", "ALARM"), ("notBreaching", "OK"), ("ignore", "INSUFFICIENT_DATA"), ("missing", "INSUFFICIENT_DATA")],
)
def test_missing_data_counts_as_the_alarm_says(aws: EmbeddedAws, treatment: str, expected: str) -> None:
    put_alarm(aws, f"Missing-{treatment}", TreatMissingData=treatment)
    assert state(aws, f"Missing-{treatment}") == expected


def test_every_period_has_to_be_breaching(aws: EmbeddedAws) -> None:
    put_alarm(aws, "Periods", EvaluationPeriods=2)
    put_data(aws, "Periods", 9)
    assert state(aws, "Periods") == "OK"
    put_alarm(aws, "Periods", EvaluationPeriods=2, TreatMissingData="breaching")
    assert state(aws, "Periods") == "ALARM"


def test_a_queue_rings_while_a_message_waits_and_is_quiet_when_it_is_gone(aws: EmbeddedAws) -> None:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="letters")["QueueUrl"]
    put_alarm(
        aws,
        "Letters",
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": "letters"}],
        Statistic="Minimum",
        Threshold=1,
    )
    assert state(aws, "Letters") == "OK"
    put_alarm(
        aws,
        "Letters",
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": "letters"}],
        Statistic="Maximum",
        Threshold=1,
    )
    sqs.send_message(QueueUrl=url, MessageBody="returned to sender")
    assert state(aws, "Letters") == "ALARM"


def test_a_change_of_state_is_published_once(aws: EmbeddedAws) -> None:
    sns, sqs = aws.client("sns"), aws.client("sqs")
    topic = sns.create_topic(Name="told")["TopicArn"]
    url = sqs.create_queue(QueueName="ears")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    put_alarm(aws, "Published", AlarmActions=[topic])
    put_data(aws, "Published", 4)
    assert state(aws, "Published") == state(aws, "Published") == "ALARM"
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    (heard,) = [json.loads(json.loads(message["Body"])["Message"]) for message in messages]
    assert (heard["AlarmName"], heard["NewStateValue"]) == ("Published", "ALARM")
    assert heard["NewStateReason"] == "1 of 1 datapoints were breaching"
