import json

from local.aws.server import EmbeddedAws


def template(description: str, policy: str = "Delete") -> str:
    secret = {
        "Type": "AWS::SecretsManager::Secret",
        "DeletionPolicy": policy,
        "Properties": {"Name": "apple-key", "SecretString": "invented", "Description": description},
    }
    return json.dumps({"Resources": {"Key": secret}, "Outputs": {"Key": {"Value": {"Ref": "Key"}}}})


def test_the_ref_of_a_secret_is_its_arn_through_update_and_delete(aws: EmbeddedAws) -> None:
    stacks, secrets = aws.client("cloudformation"), aws.client("secretsmanager")
    stacks.create_stack(StackName="keys", TemplateBody=template("first"))
    stacks.get_waiter("stack_create_complete").wait(StackName="keys", WaiterConfig={"Delay": 0.02})
    secret = secrets.describe_secret(SecretId="apple-key")
    outputs = stacks.describe_stacks(StackName="keys")["Stacks"][0]["Outputs"]
    assert outputs[0]["OutputValue"] == secret["ARN"]
    stacks.update_stack(StackName="keys", TemplateBody=template("second"))
    stacks.get_waiter("stack_update_complete").wait(StackName="keys", WaiterConfig={"Delay": 0.02})
    assert secrets.describe_secret(SecretId=secret["ARN"])["Description"] == "second"
    stacks.delete_stack(StackName="keys")
    stacks.get_waiter("stack_delete_complete").wait(StackName="keys", WaiterConfig={"Delay": 0.02})
    assert secrets.list_secrets()["SecretList"] == []


def test_a_deleted_stack_lists_what_it_kept_and_a_new_one_imports_it(aws: EmbeddedAws) -> None:
    stacks, secrets = aws.client("cloudformation"), aws.client("secretsmanager")
    stack_id = stacks.create_stack(StackName="kept", TemplateBody=template("first", "Retain"))["StackId"]
    stacks.get_waiter("stack_create_complete").wait(StackName="kept", WaiterConfig={"Delay": 0.02})
    arn = secrets.describe_secret(SecretId="apple-key")["ARN"]
    stacks.delete_stack(StackName="kept")
    stacks.get_waiter("stack_delete_complete").wait(StackName="kept", WaiterConfig={"Delay": 0.02})
    (kept,) = stacks.list_stack_resources(StackName=stack_id)["StackResourceSummaries"]
    assert (kept["ResourceStatus"], kept["LogicalResourceId"], kept["PhysicalResourceId"]) == (
        "DELETE_SKIPPED",
        "Key",
        arn,
    )
    wanted = {"ResourceType": kept["ResourceType"], "LogicalResourceId": "Key", "ResourceIdentifier": {"Id": arn}}
    body = json.loads(template("first", "Retain"))
    change = {"StackName": "kept", "ChangeSetName": "import"}
    stacks.create_change_set(
        **change,
        ChangeSetType="IMPORT",
        ResourcesToImport=[wanted],
        TemplateBody=json.dumps({"Resources": body["Resources"]}),
    )
    stacks.get_waiter("change_set_create_complete").wait(**change, WaiterConfig={"Delay": 0.02})
    stacks.execute_change_set(**change)
    stacks.get_waiter("stack_import_complete").wait(StackName="kept", WaiterConfig={"Delay": 0.02})
    stacks.update_stack(StackName="kept", TemplateBody=json.dumps(body))
    stacks.get_waiter("stack_update_complete").wait(StackName="kept", WaiterConfig={"Delay": 0.02})
    assert stacks.describe_stacks(StackName="kept")["Stacks"][0]["Outputs"][0]["OutputValue"] == arn
    assert secrets.get_secret_value(SecretId=arn)["SecretString"] == "invented"


def test_a_table_gets_the_backups_and_the_ttl_of_its_template(aws: EmbeddedAws) -> None:
    stacks, tables = aws.client("cloudformation"), aws.client("dynamodb")
    properties = {
        "TableName": "facts",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
    }

    def body(*, recovers: bool) -> str:
        backups = {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": recovers}}
        return json.dumps({"Resources": {"T": {"Type": "AWS::DynamoDB::Table", "Properties": properties | backups}}})

    def found() -> tuple[str, str]:
        backups = tables.describe_continuous_backups(TableName="facts")["ContinuousBackupsDescription"]
        lives = tables.describe_time_to_live(TableName="facts")["TimeToLiveDescription"]
        return backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"], lives["AttributeName"]

    stacks.create_stack(StackName="facts", TemplateBody=body(recovers=True))
    stacks.get_waiter("stack_create_complete").wait(StackName="facts", WaiterConfig={"Delay": 0.02})
    assert found() == ("ENABLED", "expires_at")
    stacks.update_stack(StackName="facts", TemplateBody=body(recovers=False))
    stacks.get_waiter("stack_update_complete").wait(StackName="facts", WaiterConfig={"Delay": 0.02})
    assert found() == ("DISABLED", "expires_at")
