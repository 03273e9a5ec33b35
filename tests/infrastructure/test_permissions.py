"""The exact rights of every role, as a table: an action more or less fails here."""

from collections import defaultdict
from typing import Any

import pytest
from synthesis import Synthesis, plain

from infra.functions import CAPACITIES

READS_LAKE = {"lake": "s3:ListBucket"}
LEDGER = "dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem"
WRITE = "s3:AbortMultipartUpload s3:PutObject"
READ_WRITE = "s3:AbortMultipartUpload s3:GetObject s3:PutObject"
API_KEY = {"secret of main": "secretsmanager:GetSecretValue"}
GLUE = "glue:GetDatabase glue:GetPartition glue:GetPartitions glue:GetTable"

MATRIX: dict[str, dict[str, str]] = {
    "plan_run": {
        "registry": "dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem",
        "lake/runs/*": WRITE,
        **API_KEY,
    },
    "plan_items": {
        "registry": f"dynamodb:BatchWriteItem {LEDGER}",
        "lake/runs/*": READ_WRITE,
        **READS_LAKE,
    },
    "register_request": {
        "registry": LEDGER,
        "lake/runs/*": "s3:GetObject",
        **READS_LAKE,
        **API_KEY,
    },
    "list_instances": {
        "registry": LEDGER,
        "lake/runs/*": "s3:GetObject",
        **READS_LAKE,
        **API_KEY,
    },
    "download_segments": {
        "registry": LEDGER,
        "lake/runs/*": "s3:GetObject",
        "raw/raw/*": READ_WRITE,
        "raw": "s3:ListBucket",
        **READS_LAKE,
        **API_KEY,
    },
    "convert_instance": {
        "registry": LEDGER,
        "lake/runs/*": "s3:GetObject",
        "lake/parts/*": READ_WRITE,
        "raw/raw/*": "s3:GetObject",
        "raw": "s3:ListBucket",
        **READS_LAKE,
    },
    "publish_date": {
        "registry": "dynamodb:GetItem dynamodb:Query dynamodb:UpdateItem",
        "lake/runs/*": READ_WRITE,
        "lake/parts/*": "s3:GetObject",
        "lake/curated/*": "s3:AbortMultipartUpload s3:DeleteObject s3:GetObject s3:PutObject",
        "lake/publications/*": READ_WRITE,
        **READS_LAKE,
    },
    "verify_table": {
        "registry": "dynamodb:DeleteItem dynamodb:GetItem dynamodb:Query dynamodb:UpdateItem",
        "lake/runs/*": READ_WRITE,
        "lake/curated/*": "s3:GetObject",
        "lake/publications/*": "s3:GetObject",
        "lake": "s3:GetBucketLocation s3:ListBucket",
        "results/queries/*": READ_WRITE,
        "results": "s3:GetBucketLocation s3:ListBucket",
        "athena:workgroup/appstore-analytics": "athena:GetQueryExecution athena:GetQueryResults "
        "athena:StartQueryExecution athena:StopQueryExecution",
        "glue:catalog": GLUE,
        "glue:database/curated": GLUE,
        "glue:table/curated/*": GLUE,
    },
    "summarize_run": {
        "registry": "dynamodb:GetItem dynamodb:Query dynamodb:UpdateItem",
        "lake/runs/*": "s3:GetObject",
        "lake/curated/*": "s3:GetObject",
        "lake/publications/*": "s3:GetObject",
        "lake/appstore/*": WRITE,
        "lake/reports/*": WRITE,
        **READS_LAKE,
    },
}
EVERY_FUNCTION = {
    "*": "xray:PutTelemetryRecords xray:PutTraceSegments",
    "own logs": "logs:CreateLogStream logs:PutLogEvents",
}
STATE_MACHINE = {
    "*": "logs:CreateLogDelivery logs:DeleteLogDelivery logs:DescribeLogGroups logs:DescribeResourcePolicies "
    "logs:GetLogDelivery logs:ListLogDeliveries logs:PutResourcePolicy logs:UpdateLogDelivery "
    "xray:GetSamplingRules xray:GetSamplingTargets xray:PutTelemetryRecords xray:PutTraceSegments",
    "lake/runs/*": "s3:GetObject",
    "registry": "dynamodb:UpdateItem",
    "states:stateMachine:appstore-analytics": "states:StartExecution",
    "states:execution:appstore-analytics/*": "states:DescribeExecution states:StopExecution",
    "states:execution:appstore-analytics:*": "states:DescribeExecution states:StopExecution",
    **{f"function {step}": "lambda:InvokeFunction" for step in CAPACITIES},
}


@pytest.mark.parametrize("step", CAPACITIES)
def test_a_function_may_do_exactly_this(synthesis: Synthesis, step: str) -> None:
    role = synthesis.functions()[step]["Role"]["Fn::GetAtt"][0]
    assert rights(synthesis, role, step) == MATRIX[step] | EVERY_FUNCTION


def test_the_state_machine_may_do_exactly_this(synthesis: Synthesis) -> None:
    role = synthesis.only("StepFunctions::StateMachine")["RoleArn"]["Fn::GetAtt"][0]
    assert rights(synthesis, role) == STATE_MACHINE


def test_the_schedule_may_start_the_state_machine_and_nothing_else(synthesis: Synthesis) -> None:
    role = synthesis.only("Scheduler::Schedule")["Target"]["RoleArn"]["Fn::GetAtt"][0]
    assert rights(synthesis, role) == {"state machine": "states:StartExecution"}


def test_every_function_has_a_role_of_its_own_that_only_its_service_assumes(synthesis: Synthesis) -> None:
    roles = [function["Role"]["Fn::GetAtt"][0] for function in synthesis.functions().values()]
    assert len(set(roles)) == len(CAPACITIES)
    for role in roles:
        properties = synthesis.of_type("IAM::Role")[role]
        (statement,) = properties["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
        assert "ManagedPolicyArns" not in properties


def test_no_role_stands_without_a_policy(synthesis: Synthesis) -> None:
    used = {role["Ref"] for policy in synthesis.of_type("IAM::Policy").values() for role in policy["Roles"]}
    assert used == set(synthesis.of_type("IAM::Role"))


def rights(synthesis: Synthesis, role: str, step: str = "") -> dict[str, str]:
    """What the policies of a role allow: actions by resource, in the words of the matrix."""
    words = _words(synthesis, step)
    found: dict[str, set[str]] = defaultdict(set)
    for policy in synthesis.of_type("IAM::Policy").values():
        if {"Ref": role} in policy["Roles"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                assert statement["Effect"] == "Allow"
                assert "Condition" not in statement
                for resource in _listed(statement["Resource"]):
                    found[_word(plain(resource), words)].update(_listed(statement["Action"]))
    return {resource: " ".join(sorted(actions)) for resource, actions in found.items()}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _words(synthesis: Synthesis, step: str) -> dict[str, str]:
    outputs = synthesis.template["Outputs"]
    words = {f"<{outputs[f'{each}Bucket']['Value']['Ref']}>": each.lower() for each in ("Lake", "Raw", "Results")}
    words[f"<{outputs['RegistryTable']['Value']['Ref']}>"] = "registry"
    words[f"<{outputs['StateMachineArn']['Value']['Ref']}>"] = "state machine"
    words |= {
        f"<{name}>": f"secret of {secret['Name'].removeprefix('appstore-analytics/')}"
        for name, secret in synthesis.of_type("SecretsManager::Secret").items()
    }
    for name, function in synthesis.of_type("Lambda::Function").items():
        words[f"<{name}>"] = (
            f"function {function['FunctionName'].removeprefix('appstore-analytics-').replace('-', '_')}"
        )
    for name, group in synthesis.of_type("Logs::LogGroup").items():
        own = step and group["LogGroupName"] == f"/aws/lambda/appstore-analytics-{step.replace('_', '-')}"
        words[f"<{name}>"] = "own logs" if own else f"logs {group['LogGroupName']}"
    words |= {
        f"arn:<AWS::Partition>:{service}:<AWS::Region>:<AWS::AccountId>:": f"{service}:"
        for service in ("athena", "glue", "states")
    }
    return words


def _word(resource: str, words: dict[str, str]) -> str:
    for spelled, word in words.items():
        resource = resource.replace(spelled, word)
    return resource
