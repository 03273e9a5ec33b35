"""The rights of the state machine. CDK's own grants would reach every version of every function and every object."""

from collections.abc import Mapping

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from appstore_analytics.contract.layout import RUNS_PREFIX
from infra.acknowledgements import acknowledge
from infra.naming import arn, logical_id

_LOG_DELIVERY = [
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
]
_TRACES = [
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
]


def state_machine_policy(
    scope: Construct,
    name: str,
    role: iam.Role,
    functions: Mapping[str, lambda_.IFunction],
    registry: dynamodb.ITable,
    lake: s3.Bucket,
) -> iam.Policy:
    """Exactly the permissions that the definition needs: call the functions, read manifests, record failures, run its
    Maps.

    `name` is the state machine's.
    """
    executions, machine = arn("states", f"execution:{name}"), arn("states", f"stateMachine:{name}")
    policy = iam.Policy(
        scope,
        "Policy",
        roles=[role],
        statements=[
            _allow(["lambda:InvokeFunction"], [function.function_arn for function in functions.values()]),
            _allow(["s3:GetObject"], [lake.arn_for_objects(f"{RUNS_PREFIX}*")]),
            _allow(["dynamodb:UpdateItem"], [registry.table_arn]),
            _allow(["states:StartExecution"], [machine]),
            _allow(["states:DescribeExecution", "states:StopExecution"], [f"{executions}/*", f"{executions}:*"]),
            _allow(_LOG_DELIVERY, ["*"]),
            _allow(_TRACES, ["*"]),
        ],
    )
    runs = f"<{logical_id(lake)}.Arn>/{RUNS_PREFIX}*"
    acknowledge(policy, f"IAM5[Resource::{runs}]", "A manifest's key contains the run id.")
    for suffix in ("/*", ":*"):
        children = f"arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:{name}{suffix}"
        acknowledge(policy, f"IAM5[Resource::{children}]", "A Map's children are named by Step Functions.")
    acknowledge(policy, "IAM5[Resource::*]", "Log delivery and X-Ray do not support resources.")
    return policy


def _allow(actions: list[str], resources: list[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=actions, resources=resources)
