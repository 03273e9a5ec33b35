"""The real `cdk bootstrap` and `cdk deploy` of this app onto the embedded AWS."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appstore_analytics.answers.executions import Pipeline
from appstore_analytics.athena.query import Athena
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.names import Names
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.registry import Registry
from appstore_analytics.wiring.clock import utc_now
from infra.configuration import parse_context
from local.aws.server import ACCOUNT, EmbeddedAws
from operations.doctor.account import check_bootstrap
from operations.doctor.checks import Result
from operations.embedded import REGION
from operations.where import cdk_context
from workshop.toolchain import node_environment

PROJECT = Path(__file__).resolve().parents[1]
_LANES = max(2, os.cpu_count() or 1)
_CONCURRENCY = dict.fromkeys((name.lower() for name in MapName), _LANES)
"""More lanes than cores do not help: each starts a process of every function, and waits like the others."""
_JSII_PACKAGES = PROJECT / ".build" / "jsii"
"""By default jsii unpacks the CDK (250 MB) into the home directory, and each embedded AWS has its own."""

_PROGRESS = re.compile(r"\|\s*(\d+)/(\d+)\s*\|")

Progress = Callable[[str, int, int], None]


class DeploymentError(RuntimeError):
    """The CDK failed; the message ends with its output."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """The stack's outputs, and the fixed names."""

    names: Names
    lake_bucket: str
    raw_bucket: str
    registry_table: str
    state_machine_arn: str
    workgroup: str


@dataclass(frozen=True, slots=True)
class ConsoleDeployment:
    """The outputs of the console's stack: its addresses and its resources."""

    url: str
    live_url: str
    user_pool: str
    client: str
    table: str
    act_function: str
    database_address: str


def deploy(aws: EmbeddedAws, context: Mapping[str, Any], progress: Progress) -> Deployment:
    """Deploy the pipeline with `local` context and the additions or replacements in `context`. Returns its outputs.

    `progress` receives the current activity, and the number of ready resources and of all. A second call updates the
    stack. DeploymentError has the end of the CDK's output.
    """
    names = parse_context({**cdk_context(), **_given(context)}).names
    if not all(check.result is Result.OK for check in check_bootstrap(aws.client("ssm"), ACCOUNT, REGION)):
        progress("cdk bootstrap", 0, 0)
        _cdk(aws, ["bootstrap", f"aws://{ACCOUNT}/{REGION}"], aws.directory, progress)
    outputs = _deploy_stack(aws, names.stack, context, progress)
    return Deployment(
        names=names,
        lake_bucket=outputs["LakeBucket"],
        raw_bucket=outputs["RawBucket"],
        registry_table=outputs["RegistryTable"],
        state_machine_arn=outputs["StateMachineArn"],
        workgroup=outputs["Workgroup"],
    )


def deploy_console(aws: EmbeddedAws, context: Mapping[str, Any], progress: Progress) -> ConsoleDeployment:
    """Deploy the console's stack. The pipeline's stack, deployed with the same context, does not change.

    A second call updates it. DeploymentError has the end of the CDK's output.
    """
    context = {**context, "console": True}
    names = parse_context({**cdk_context(), **_given(context)}).names
    outputs = _deploy_stack(aws, names.console_stack, context, progress)
    return ConsoleDeployment(
        url=outputs["ConsoleUrl"],
        live_url=outputs["LiveUrl"],
        user_pool=outputs["UserPoolId"],
        client=outputs["UserPoolClientId"],
        table=outputs["ConsoleTable"],
        act_function=outputs["ConsoleActFunction"],
        database_address=outputs["DatabaseAddress"],
    )


def _given(context: Mapping[str, Any]) -> dict[str, Any]:
    return {"local": True, "retain": False, "max_concurrency": _CONCURRENCY, **context}


def on_stack(
    aws: EmbeddedAws, stack: str, arguments: list[str], context: Mapping[str, Any], progress: Progress
) -> None:
    """Run a CDK command on a stack. DeploymentError has the last lines of its output.

    A context is synthesized once, because the result does not change while this AWS runs.
    """
    given = {name: value if isinstance(value, str) else json.dumps(value) for name, value in _given(context).items()}
    digest = hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()
    folder = aws.directory / "cdk.out" / f"{stack}-{digest[:8]}"
    if (folder / "manifest.json").exists():
        synthesis = ["--app", str(folder)]
    else:
        values = [word for name, value in given.items() for word in ("--context", f"{name}={value}")]
        synthesis = ["--output", str(folder), *values]
    command, *options = arguments
    _cdk(aws, [command, stack, *options, *synthesis], PROJECT, progress)


def put_api_key(aws: EmbeddedAws, deployment: Deployment, key_name: str, key: Mapping[str, str]) -> None:
    """Put an App Store Connect API key into its secret, as `./manage.py put-key` does."""
    secret_id = f"{deployment.names.api_key_secret_prefix}{key_name}"
    aws.client("secretsmanager").put_secret_value(SecretId=secret_id, SecretString=json.dumps(dict(key)))


def open_athena(aws: EmbeddedAws, deployment: Deployment) -> Athena:
    """The deployed workgroup, for clients outside of the pipeline."""
    return Athena(aws.client("athena"), deployment.workgroup, deployment.names.databases)


def open_pipeline(aws: EmbeddedAws, deployment: Deployment) -> Pipeline:
    """The deployed pipeline, for callers outside of it."""
    return Pipeline(
        aws.client("stepfunctions"),
        deployment.state_machine_arn,
        Registry(aws.table(deployment.registry_table), utc_now),
        Bucket(aws.client("s3"), deployment.lake_bucket),
    )


def _deploy_stack(aws: EmbeddedAws, stack: str, context: Mapping[str, Any], progress: Progress) -> dict[str, str]:
    """Synthesize the app with this context and deploy one of its stacks. Returns the stack's outputs."""
    outputs_path = aws.directory / "outputs.json"
    progress("cdk synth", 0, 0)
    options = ["--require-approval", "never", "--progress", "events", "--outputs-file", str(outputs_path)]
    on_stack(aws, stack, ["deploy", *options], context, progress)
    outputs: dict[str, str] = json.loads(outputs_path.read_text())[stack]
    return outputs


def _cdk(aws: EmbeddedAws, arguments: list[str], folder: Path, progress: Progress) -> None:
    command = [str(Path(sys.prefix) / "bin" / "cdk"), *arguments, "--no-notices", "--no-color"]
    said: list[str] = []
    with subprocess.Popen(  # noqa: S603 (our own command line)
        command,
        cwd=folder,
        env=_environment(aws),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            for line in process.stdout or ():
                said.append(line)
                if found := _PROGRESS.search(line):
                    progress("cdk deploy", int(found[1]), int(found[2]))
        except KeyboardInterrupt:
            os.killpg(process.pid, signal.SIGKILL)  # the CDK and its app, which writes into our folder
            raise
    if process.returncode != 0:
        raise DeploymentError(f"cdk {arguments[0]} failed:\n{''.join(said[-25:])}")


def _environment(aws: EmbeddedAws) -> dict[str, str]:
    """The user's environment without profiles and endpoints of other AWS accounts, and without a proxy to this one.

    Other proxies are kept, because building the layers can fetch packages through them. The CDK's
    validation of templates is off, because it takes a third of each synthesis.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    direct = ",".join(filter(None, (os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), "127.0.0.1,localhost")))
    no_proxy = {"NO_PROXY": direct, "no_proxy": direct}
    of_the_cdk = {"JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(_JSII_PACKAGES), "CDK_VALIDATION": "false"}
    home = {"HOME": str(aws.directory / "home")}
    return kept | no_proxy | node_environment() | aws.environment | of_the_cdk | home
