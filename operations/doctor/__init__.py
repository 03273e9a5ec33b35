"""`doctor`: finds what would make a deployment or a run fail, before it does."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from appstore_analytics.answers.errors import Refused
from appstore_analytics.contract.errors import ConfigurationRefused
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.names import is_name
from infra.configuration import DeploymentConfiguration, parse_context
from operations.doctor import account, data, encryption, keys, names
from operations.doctor.checks import Check, Diagnosis, Result, looked_at
from operations.where import Connection, cdk_context, configured_stack

__all__ = ["Check", "Diagnosis", "Result", "configured", "examine"]


def configured(stack: str) -> DeploymentConfiguration:
    """The configuration in cdk.json; Refused with the sentence of `cdk synth` if it cannot work.

    A stack that is not cdk.json's is another installation, deployed with `--context name=<stack>`.
    """
    name = {"name": stack} if stack != configured_stack() and is_name(stack) else {}
    try:
        return parse_context({**cdk_context(), **name})
    except ConfigurationRefused as error:
        raise Refused(f"cdk.json: {error}") from None


def examine(aws: Connection, stack: str, wanted: DeploymentConfiguration, now: datetime) -> Diagnosis:
    """Every check that applies, before and after the deployment. Changes nothing.

    `wanted` is the configuration in cdk.json, `now` this machine's time (UTC). Raises boto3's error if AWS does not
    know the credentials, because nothing else can be checked then.
    """
    return Diagnosis(tuple(_checks(aws, stack, wanted, now)))


def _checks(aws: Connection, stack: str, wanted: DeploymentConfiguration, now: datetime) -> Iterator[Check]:
    identity = aws.sts.get_caller_identity()
    yield account.check_identity(identity)
    yield account.check_clock(identity, now)
    cloudformation = aws.cloudformation
    region = cloudformation.meta.region_name
    yield Check("region", Result.OK, f"{region}.")
    if aws.endpoint is None:
        yield from _account(aws, str(identity["Account"]), region, wanted)
    status = names.stack_status(cloudformation, stack)
    yield names.check_stack(stack, status)
    if status:
        yield from _deployed(aws, stack, wanted)
    else:
        yield from looked_at("names", partial(names.check_names, aws, _wanted_names(wanted)))
    yield from keys.check_quota(
        wanted.accounts, len(wanted.curated_tables), wanted.calls_per_hour, releases=wanted.releases
    )
    yield from looked_at("shared quota", lambda: keys.check_sharing(names.other_pipelines(cloudformation, stack)))


def _account(aws: Connection, account_id: str, region: str, wanted: DeploymentConfiguration) -> Iterator[Check]:
    """The line for a check that the embedded AWS cannot answer."""
    most = max(wanted.max_concurrency.of(map_name) for map_name in MapName)
    yield from looked_at("bootstrap", lambda: account.check_bootstrap(aws.ssm, account_id, region))
    yield from looked_at("Lambda quota", lambda: account.check_lambda_quota(aws.lambda_, most))
    yield from looked_at(
        "Lake Formation", lambda: account.check_lake_formation(aws.lake_formation, granted=wanted.lake_formation)
    )
    if key := wanted.kms_key_arn:
        yield from looked_at("KMS key", lambda: encryption.check_key(aws.kms, key, account_id, region))


def _deployed(aws: Connection, stack: str, wanted: DeploymentConfiguration) -> Iterator[Check]:
    outputs = names.outputs(aws.cloudformation, stack)
    registry, is_aws = outputs["RegistryTable"], aws.endpoint is None
    yield from looked_at("registry", lambda: data.check_registry(aws.dynamodb, registry, retained=is_aws))
    if is_aws:  # the embedded AWS knows no lifecycle
        for output in ("RawBucket", "LakeBucket"):
            check = partial(data.check_bucket, aws.s3, outputs[output], is_versioned=output == "LakeBucket")
            yield from looked_at("buckets", check)
    check_key = outputs.get("CheckKeyFunction")
    if check_key is None:
        yield Check("API keys", Result.SKIPPED, f"{stack} was deployed by an older version: deploy again.")
        return
    ask = keys.check_key_function(aws.lambda_, check_key, wanted.calls_per_hour)
    yield from looked_at("API keys", lambda: keys.check_keys(wanted.accounts, ask))


def _wanted_names(wanted: DeploymentConfiguration) -> names.WantedNames:
    key_names = dict.fromkeys(name for one in wanted.accounts for name in (one.admin_key_name, one.reader_key_name))
    return names.WantedNames(
        databases=tuple(name for role, name in wanted.names.databases.items() if role not in wanted.existing_databases),
        existing_databases=tuple(wanted.names.databases[role] for role in wanted.existing_databases),
        workgroup=wanted.name,
        dashboard=wanted.name,
        secrets=tuple(f"{wanted.names.api_key_secret_prefix}{name}" for name in key_names),
    )
