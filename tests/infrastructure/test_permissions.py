"""The exact permissions of every role, as a table: any additional or missing action fails here."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from synthesis import PROJECT, Synthesis, plain

from infra.functions import CAPACITIES, OUTSIDE_OF_RUNS
from infra.permissions import LAKE, RAW
from infra.stack import MAY

LISTS_LAKE = {"lake": "s3:ListBucket"}
READ, WRITE, READ_WRITE = "s3:GetObject", "s3:PutObject", "s3:GetObject s3:PutObject"
API_KEY = {"secret of main": "secretsmanager:GetSecretValue"}
DEAD_LETTERS = {"dead letters": "sqs:SendMessage"}
DESTINATION = {"dead letters": "sqs:GetQueueAttributes sqs:GetQueueUrl sqs:SendMessage"}
GLUE = "glue:GetDatabase glue:GetTable"

MATRIX: dict[str, dict[str, str]] = {
    "plan_run": {
        "registry": "dynamodb:GetItem dynamodb:UpdateItem",
        "lake/runs/*": READ_WRITE,
        "lake/reports/*": READ,
        **LISTS_LAKE,
        **API_KEY,
    },
    "plan_items": {
        "registry": "dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem",
        "lake/runs/*": READ_WRITE,
        **LISTS_LAKE,
    },
    "register_request": {
        "registry": "dynamodb:GetItem dynamodb:UpdateItem",
        "lake/runs/*": READ,
        **API_KEY,
    },
    "list_instances": {
        "registry": "dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem",
        "lake/runs/*": READ,
        **API_KEY,
    },
    "download_segments": {
        "registry": "dynamodb:GetItem dynamodb:UpdateItem",
        "lake/runs/*": READ,
        "raw/raw/*": READ_WRITE,
        "raw": "s3:ListBucket",
        **API_KEY,
    },
    "convert_instance": {
        "registry": "dynamodb:BatchWriteItem dynamodb:GetItem dynamodb:Query dynamodb:UpdateItem",
        "lake/parts/*": "s3:DeleteObject s3:GetObject s3:GetObjectVersion s3:PutObject",
        "raw/raw/*": READ,
        "raw": "s3:ListBucket",
        **LISTS_LAKE,
    },
    "restore_parts": {
        "registry": "dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem",
        "lake/parts/*": "s3:DeleteObject s3:GetObject s3:GetObjectVersion s3:PutObject",
        **LISTS_LAKE,
    },
    "publish_date": {
        "registry": "dynamodb:GetItem dynamodb:UpdateItem",
        "lake/runs/*": READ_WRITE,
        "lake/parts/*": READ,
        "lake/curated/*": "s3:DeleteObject s3:GetObject s3:PutObject",
        "lake/marts/kpis/*": "s3:DeleteObject s3:GetObject s3:PutObject",
        "lake/publications/*": READ_WRITE,
        **LISTS_LAKE,
    },
    "verify_table": {
        "registry": "dynamodb:DeleteItem dynamodb:Query dynamodb:UpdateItem",
        "lake/runs/*": WRITE,
        "lake/curated/*": READ,
        "lake/marts/kpis/*": READ,
        "lake/publications/*": READ,
        "lake": "s3:GetBucketLocation s3:ListBucket",
        "results/queries/*": "s3:AbortMultipartUpload s3:GetObject s3:PutObject",
        "results": "s3:GetBucketLocation s3:ListBucket",
        "athena:workgroup/appstore-analytics": "athena:GetQueryExecution athena:GetQueryResults "
        "athena:StartQueryExecution athena:StopQueryExecution",
        "glue:catalog": GLUE,
        "glue:database/default": GLUE,
        "glue:database/curated": GLUE,
        "glue:table/curated/*": GLUE,
        "glue:database/marts": GLUE,
        "glue:table/marts/*": GLUE,
    },
    "compact_months": {
        "lake/runs/*": READ_WRITE,
        "lake/curated/*": READ,
        "lake/marts/kpis/*": READ,
        "lake/marts/months/*": READ_WRITE,
        **LISTS_LAKE,
    },
    "list_releases": {
        "registry": "dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem",
        "lake/runs/*": READ_WRITE,
        "lake/curated/*": READ,
        "lake/appstore/*": WRITE,
        "lake": "s3:GetBucketLocation s3:ListBucket",
        **API_KEY,
        "results/queries/*": "s3:AbortMultipartUpload s3:GetObject s3:PutObject",
        "results": "s3:GetBucketLocation s3:ListBucket",
        "athena:workgroup/appstore-analytics": "athena:GetQueryExecution athena:GetQueryResults "
        "athena:StartQueryExecution athena:StopQueryExecution",
        "glue:catalog": GLUE,
        "glue:database/default": GLUE,
        "glue:database/curated": GLUE,
        "glue:table/curated/*": GLUE,
    },
    "summarize_run": {
        "registry": "dynamodb:GetItem dynamodb:Query",
        "lake/runs/*": READ,
        "lake/curated/*": READ,
        "lake/marts/kpis/*": READ,
        "lake/marts/states/*": READ_WRITE,
        "lake/appstore/*": WRITE,
        "lake/reports/*": READ_WRITE,
        **LISTS_LAKE,
    },
    "check_freshness": {
        "lake/runs/*": "s3:GetObject",
        "lake/appstore/*": READ_WRITE,
        "lake/checks/*": WRITE,
        "lake/curated/*": "s3:GetObject",
        "lake": "s3:GetBucketLocation s3:ListBucket",
        "results/queries/*": "s3:AbortMultipartUpload s3:GetObject s3:PutObject",
        "results": "s3:GetBucketLocation s3:ListBucket",
        "athena:workgroup/appstore-analytics": "athena:GetQueryExecution athena:GetQueryResults "
        "athena:StartQueryExecution athena:StopQueryExecution",
        "glue:catalog": GLUE,
        "glue:database/default": GLUE,
        "glue:database/appstore": GLUE,
        "glue:table/appstore/*": GLUE,
        "glue:database/curated": GLUE,
        "glue:table/curated/*": GLUE,
        **DESTINATION,
    },
    "check_key": {"registry": "dynamodb:GetItem dynamodb:UpdateItem", **API_KEY},
    "notify_slack": {"secretsmanager:secret:harbor/slack-??????": "secretsmanager:GetSecretValue", **DESTINATION},
}
EVERY_FUNCTION = {
    "*": "xray:PutTelemetryRecords xray:PutTraceSegments",
    "own logs": "logs:CreateLogStream logs:PutLogEvents",
}
AROUND_THE_DEFINITION = {
    # log delivery and traces, as listed in AWS's Step Functions Developer Guide
    "*": "logs:CreateLogDelivery logs:DeleteLogDelivery logs:DescribeLogGroups logs:DescribeResourcePolicies "
    "logs:GetLogDelivery logs:ListLogDeliveries logs:PutResourcePolicy logs:UpdateLogDelivery "
    "xray:GetSamplingRules xray:GetSamplingTargets xray:PutTelemetryRecords xray:PutTraceSegments",
    # a Distributed Map manages the children that it has started
    "states:execution:appstore-analytics/*": "states:DescribeExecution states:StopExecution",
    "states:execution:appstore-analytics:*": "states:DescribeExecution states:StopExecution",
    **{f"function {step}": "lambda:InvokeFunction" for step in CAPACITIES if step not in OUTSIDE_OF_RUNS},
}


@pytest.mark.parametrize("step", CAPACITIES)
def test_a_function_may_do_exactly_this(synthesis: Synthesis, step: str) -> None:
    role = synthesis.functions()[step]["Role"]["Fn::GetAtt"][0]
    assert rights(synthesis, role, step) == MATRIX[step] | EVERY_FUNCTION


def test_the_table_in_the_documentation_is_what_each_function_may() -> None:
    page = (PROJECT / "docs" / "security.md").read_text(encoding="utf-8")
    assert [line for line in page.splitlines() if re.match(r"\| `\w+` \|", line)] == [*map(_documented, MAY)]


def _documented(step: str) -> str:
    access = MAY[step]
    objects = [
        f"{bucket}/{prefix} {' '.join(verbs)}"
        for bucket, prefixes in ((LAKE, access.lake), (RAW, access.raw))
        for prefix, verbs in prefixes.items()
    ]
    cells = [
        f"`{step}`",
        " ".join(access.registry),
        ", ".join(objects),
        " ".join(access.lists),
        access.api_keys or "",
        "yes" if access.athena else "",
    ]
    return f"| {' | '.join(cells)} |".replace("|  ", "| ")


def test_the_state_machine_may_do_exactly_what_its_definition_does(synthesis: Synthesis) -> None:
    role = synthesis.only("StepFunctions::StateMachine")["RoleArn"]["Fn::GetAtt"][0]
    done = dict(_rights_of_states(synthesis.definition(), _words(synthesis, "")))
    assert {f"function {step}" for step in CAPACITIES if step not in OUTSIDE_OF_RUNS} < done.keys()
    assert rights(synthesis, role) == done | AROUND_THE_DEFINITION


def _rights_of_states(machine: dict[str, Any], words: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The permission that each state of a definition needs, by its resource."""
    for state in machine["States"].values():
        if state["Type"] == "Map" and state["ItemProcessor"]["ProcessorConfig"]["Mode"] == "INLINE":
            yield from _rights_of_states(state["ItemProcessor"], words)
        elif state["Type"] == "Map":
            yield "states:stateMachine:appstore-analytics", "states:StartExecution"
            assert state["ItemReader"]["Resource"].endswith(":s3:getObject")
            yield f"{_word(state['ItemReader']['Parameters']['Bucket'], words)}/runs/*", "s3:GetObject"
            yield from _rights_of_states(state["ItemProcessor"], words)
        elif state["Type"] == "Task" and state["Resource"].endswith(":dynamodb:updateItem"):
            yield _word(state["Parameters"]["TableName"], words), "dynamodb:UpdateItem"
        elif state["Type"] == "Task":
            yield _word(state["Resource"], words), "lambda:InvokeFunction"


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("daily", {"state machine": "states:StartExecution"}),
        ("hourly", {"function check_freshness": "lambda:InvokeFunction"}),
    ],
)
def test_a_schedule_may_start_its_own_and_nothing_else(synthesis: Synthesis, name: str, right: dict[str, str]) -> None:
    schedules = synthesis.of_type("Scheduler::Schedule").values()
    (schedule,) = [each for each in schedules if each["Name"] == f"appstore-analytics-{name}"]
    assert rights(synthesis, schedule["Target"]["RoleArn"]["Fn::GetAtt"][0]) == right | DEAD_LETTERS


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
    """The permissions in a role's policies: actions by resource, in the words of the matrix."""
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
    words |= {f"<{name}>": "dead letters" for name in synthesis.of_type("SQS::Queue")}
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
        for service in ("athena", "glue", "secretsmanager", "states")
    }
    return words


def _word(resource: str, words: dict[str, str]) -> str:
    for spelled, word in words.items():
        resource = resource.replace(spelled, word)
    return resource
