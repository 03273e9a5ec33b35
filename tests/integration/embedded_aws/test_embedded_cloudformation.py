import json

from local.aws.server import EmbeddedAws


def template(description: str) -> str:
    secret = {
        "Type": "AWS::SecretsManager::Secret",
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
