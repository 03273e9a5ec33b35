"""Test resources on the embedded AWS: functions, state machines and tables, created through the public API."""

import io
import json
import time
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from local.aws.server import EmbeddedAws

ROLE = "arn:aws:iam::000000000000:role/test"
_DEADLINE_SECONDS = 60.0


def zipped(files: Mapping[str, str]) -> bytes:
    """The same bytes at any time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return buffer.getvalue()


def create_function(
    aws: EmbeddedAws, name: str, code: str, layers: Sequence[str] = (), timeout_seconds: int = 30
) -> str:
    answer = aws.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=ROLE,
        Handler="handler.handle",
        Timeout=timeout_seconds,
        Code={"ZipFile": zipped({"handler.py": code})},
        Layers=list(layers),
    )
    return str(answer["FunctionArn"])


def create_layer(aws: EmbeddedAws, name: str, files: Mapping[str, str]) -> str:
    answer = aws.client("lambda").publish_layer_version(LayerName=name, Content={"ZipFile": zipped(files)})
    return str(answer["LayerVersionArn"])


def invoke(aws: EmbeddedAws, name: str, event: object = None) -> dict[str, Any]:
    answer = aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event or {}))
    return {"error": answer.get("FunctionError"), "payload": json.load(answer["Payload"])}


def execute(
    aws: EmbeddedAws, states: Mapping[str, Any], execution_input: object = None, **definition: object
) -> dict[str, Any]:
    """Run the states to the end, starting with the first."""
    client = aws.client("stepfunctions")
    machine = client.create_state_machine(
        name=f"machine-{time.monotonic_ns()}",
        roleArn=ROLE,
        definition=json.dumps({"StartAt": next(iter(states)), "States": states, **definition}),
    )
    started = client.start_execution(
        stateMachineArn=machine["stateMachineArn"], input=json.dumps(execution_input or {})
    )
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while (answer := client.describe_execution(executionArn=started["executionArn"]))["status"] == "RUNNING":
        if time.monotonic() > deadline:
            raise TimeoutError(f"The execution did not end within {_DEADLINE_SECONDS} seconds.")
        time.sleep(0.02)
    if "output" in answer:
        answer["output"] = json.loads(answer["output"])
    return dict(answer)


def task(function: str, **fields: object) -> dict[str, Any]:
    """A LambdaInvoke state as the CDK writes it."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": function, "Payload.$": "$"},
        "ResultSelector": {"answer.$": "$.Payload"},
        "End": True,
        **fields,
    }


def query(aws: EmbeddedAws, sql: str, database: str = "curated", workgroup: str = "analytics") -> dict[str, Any]:
    """Run a query to its end: state, reason, column names and types, rows (without the header) and bytes."""
    client = aws.client("athena")
    query_id = client.start_query_execution(
        QueryString=sql, WorkGroup=workgroup, QueryExecutionContext={"Database": database}
    )["QueryExecutionId"]
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while True:
        execution = client.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        if execution["Status"]["State"] in ("SUCCEEDED", "FAILED"):
            break
        if time.monotonic() > deadline:
            raise TimeoutError(f"The query did not end within {_DEADLINE_SECONDS} seconds.")
        time.sleep(0.02)
    found: dict[str, Any] = {
        "state": execution["Status"]["State"],
        "reason": execution["Status"].get("StateChangeReason", ""),
        "scanned_bytes": execution["Statistics"]["DataScannedInBytes"],
        "location": execution["ResultConfiguration"]["OutputLocation"],
    }
    if found["state"] == "FAILED":
        return found
    rows = []
    for page in client.get_paginator("get_query_results").paginate(QueryExecutionId=query_id):
        columns = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
        rows += [[datum.get("VarCharValue") for datum in row["Data"]] for row in page["ResultSet"]["Rows"]]
    names, types = [column["Name"] for column in columns], [column["Type"] for column in columns]
    return {**found, "names": names, "types": types, "rows": rows[1:]}
