from datetime import UTC, datetime

import botocore.exceptions
import pytest

from local.aws import dynamodb, ministack
from local.aws.server import EmbeddedAws


def test_an_expression_is_parsed_once_however_many_items_it_is_asked_of(monkeypatch: pytest.MonkeyPatch) -> None:
    service = ministack.module("services.dynamodb")
    parsed: list[str] = []
    for name in ("_tokenize", "_condition_syntax_error", "_check_redundant_parens", "_check_reserved_keyword_usage"):
        monkeypatch.setattr(service, name, _counted(getattr(service, name), name, parsed))
    dynamodb.patch()
    for number in range(50):
        item = {"sk": {"S": f"instance#{number}"}}
        value = {":prefix": {"S": "instance#4"}}
        found = service._evaluate_condition("begins_with(sk, :prefix)", item, value, {})
        assert found == str(number).startswith("4")
    assert sorted(parsed) == sorted(set(parsed))
    assert len(parsed) == 4


def _counted(function: object, name: str, calls: list[str]) -> object:
    def counted(*arguments: object) -> object:
        calls.append(name)
        return function(*arguments)  # type: ignore[operator]

    return counted


def test_a_wrong_expression_is_refused_every_time(aws: EmbeddedAws) -> None:
    client = aws.client("dynamodb")
    client.create_table(
        TableName="registry",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for condition in ["token = :t"] * 2 + ["((pk = :t))"] * 2 + ["pk = = :t"] * 2:
        with pytest.raises(botocore.exceptions.ClientError, match="ValidationException"):
            client.put_item(
                TableName="registry",
                Item={"pk": {"S": "app"}},
                ConditionExpression=condition,
                ExpressionAttributeValues={":t": {"S": "x"}},
            )


def test_a_refused_write_answers_what_stands(aws: EmbeddedAws) -> None:
    client = aws.client("dynamodb")
    client.put_item(TableName="registry", Item={"pk": {"S": "budget"}, "tokens": {"N": "10"}, "lease": {"S": "a"}})
    take = {
        "TableName": "registry",
        "Key": {"pk": {"S": "budget"}},
        "UpdateExpression": "SET tokens = tokens - :n REMOVE lease ADD taken :n",
        "ConditionExpression": "tokens >= :n",
        "ReturnValues": "ALL_NEW",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    taken = client.update_item(**take, ExpressionAttributeValues={":n": {"N": "7"}})["Attributes"]
    assert taken == {"pk": {"S": "budget"}, "tokens": {"N": "3"}, "taken": {"N": "7"}}
    with pytest.raises(client.exceptions.ConditionalCheckFailedException) as refused:
        client.update_item(**take, ExpressionAttributeValues={":n": {"N": "7"}})
    assert refused.value.response["Item"] == taken


def test_a_table_is_restored_as_it_was_at_an_instant_and_only_where_that_is_enabled(aws: EmbeddedAws) -> None:
    client = aws.client("dynamodb")
    client.create_table(
        TableName="kept",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    restore = {"SourceTableName": "kept", "TargetTableName": "restored"}
    with pytest.raises(client.exceptions.PointInTimeRecoveryUnavailableException):
        client.restore_table_to_point_in_time(**restore, UseLatestRestorableTime=True)
    enabled = {"PointInTimeRecoveryEnabled": True}
    client.update_continuous_backups(TableName="kept", PointInTimeRecoverySpecification=enabled)
    for name in ("changed", "deleted"):
        client.put_item(TableName="kept", Item={"pk": {"S": name}, "n": {"N": "1"}})
    instant = datetime.now(UTC)
    add = {"UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    for _ in range(2):
        client.update_item(TableName="kept", Key={"pk": {"S": "changed"}}, **add)
    client.delete_item(TableName="kept", Key={"pk": {"S": "deleted"}})
    client.put_item(TableName="kept", Item={"pk": {"S": "new"}})
    client.restore_table_to_point_in_time(**restore, RestoreDateTime=instant)
    client.restore_table_to_point_in_time(
        SourceTableName="kept", TargetTableName="newest", UseLatestRestorableTime=True
    )
    held = {name: client.scan(TableName=name)["Items"] for name in ("kept", "restored", "newest")}
    assert sorted(held["restored"], key=str) == [
        {"pk": {"S": "changed"}, "n": {"N": "1"}},
        {"pk": {"S": "deleted"}, "n": {"N": "1"}},
    ]
    assert held["newest"] == held["kept"] == [{"pk": {"S": "changed"}, "n": {"N": "3"}}, {"pk": {"S": "new"}}]
    backups = client.describe_continuous_backups(TableName="restored")["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"  # as on AWS
