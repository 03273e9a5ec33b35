"""Everything that stands in an account of the embedded AWS, whoever it belongs to, and whose it is."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from deployed import Deployed

from appstore_analytics.lake.objects import Bucket
from local.aws.server import EmbeddedAws

KINDS = ("objects", "items", "tables", "alarms", "metrics")

Account = dict[str, dict[tuple[str, ...], str]]
"""By kind what stands under which name. The first part of a name is what says whose it is."""


def look(aws: EmbeddedAws) -> Account:
    """The whole account, as it is now."""
    looks = (_objects, _items, _tables, _alarms, _metrics)
    return {kind: dict(each(aws)) for kind, each in zip(KINDS, looks, strict=True)}


def changes(before: Account, after: Account) -> dict[str, set[tuple[str, ...]]]:
    """The names under which something else stands, or nothing any more, or something for the first time."""
    return {
        kind: {
            name for name in before[kind].keys() | after[kind].keys() if before[kind].get(name) != after[kind].get(name)
        }
        for kind in KINDS
    }


@dataclass(frozen=True)
class Belongings:
    """What CloudFormation made for one stage."""

    by_kind: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, stage: Deployed) -> "Belongings":
        """Asked while the stage's stack is there."""
        names: dict[str, set[str]] = {}
        pages = stage.aws.client("cloudformation").get_paginator("list_stack_resources")
        for page in pages.paginate(StackName=stage.deployment.names.stack):
            for each in page["StackResourceSummaries"]:
                names.setdefault(each["ResourceType"], set()).add(each["PhysicalResourceId"])
        return cls(
            {
                "objects": frozenset(names["AWS::S3::Bucket"]),
                "items": frozenset(names["AWS::DynamoDB::Table"]),
                "tables": frozenset(stage.deployment.names.databases.values()),
                "alarms": frozenset(names["AWS::CloudWatch::Alarm"]),
                "metrics": frozenset(
                    {
                        stage.deployment.names.metrics_namespace,
                        *names["AWS::Lambda::Function"],
                        *names["AWS::StepFunctions::StateMachine"],
                    }
                ),
            }
        )

    def of_others(self, changed: Mapping[str, set[tuple[str, ...]]]) -> set[tuple[str, ...]]:
        """What is changed and not this stage's."""
        return {(kind, *name) for kind, names in changed.items() for name in names if name[0] not in self.by_kind[kind]}

    def part_of(self, account: Account) -> Account:
        """What the account has of this stage."""
        return {
            kind: {name: value for name, value in account[kind].items() if name[0] in self.by_kind[kind]}
            for kind in KINDS
        }


def _objects(aws: EmbeddedAws) -> Iterator[tuple[tuple[str, ...], str]]:
    s3 = aws.client("s3")
    for bucket in (each["Name"] for each in s3.list_buckets()["Buckets"]):
        yield from (((bucket, stored.key), stored.etag) for stored in Bucket(s3, bucket).list(""))


def _items(aws: EmbeddedAws) -> Iterator[tuple[tuple[str, ...], str]]:
    client = aws.client("dynamodb")
    for table in client.list_tables()["TableNames"]:
        for page in client.get_paginator("scan").paginate(TableName=table):
            for item in page["Items"]:
                yield (table, item["pk"]["S"], item["sk"]["S"]), json.dumps(item, sort_keys=True)


def _tables(aws: EmbeddedAws) -> Iterator[tuple[tuple[str, ...], str]]:
    glue = aws.client("glue")
    for database in (each["Name"] for each in glue.get_databases()["DatabaseList"]):
        for page in glue.get_paginator("get_tables").paginate(DatabaseName=database):
            for table in page["TableList"]:
                yield (database, table["Name"]), json.dumps(table, sort_keys=True, default=str)


def _alarms(aws: EmbeddedAws) -> Iterator[tuple[tuple[str, ...], str]]:
    """Judged when they are described."""
    for page in aws.client("cloudwatch").get_paginator("describe_alarms").paginate():
        yield from (((alarm["AlarmName"],), alarm["StateValue"]) for alarm in page["MetricAlarms"])


def _metrics(aws: EmbeddedAws) -> Iterator[tuple[tuple[str, ...], str]]:
    """How often each was measured. The queues' are not here: they are measured when somebody looks at the alarms."""
    watch, now = aws.client("cloudwatch"), datetime.now(UTC)
    for page in watch.get_paginator("list_metrics").paginate():
        for metric in page["Metrics"]:
            if metric["Namespace"] == "AWS/SQS":
                continue
            owner = metric["Namespace"]
            if owner.startswith("AWS/"):
                (owner,) = (each["Value"] for each in metric["Dimensions"])
            points = watch.get_metric_statistics(
                **_named(metric),
                StartTime=now - timedelta(days=1),
                EndTime=now,
                Period=86_400,
                Statistics=["SampleCount"],
            )
            count = sum(point["SampleCount"] for point in points["Datapoints"])
            yield (owner, metric["Namespace"], metric["MetricName"], json.dumps(metric["Dimensions"])), str(count)


def _named(metric: Mapping[str, Any]) -> dict[str, Any]:
    return {key: metric[key] for key in ("Namespace", "MetricName", "Dimensions")}
