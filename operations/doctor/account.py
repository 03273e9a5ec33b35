"""The AWS account, before anything is deployed: credentials, region, clock, bootstrap, Lambda quota, Lake Formation."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from operations.doctor.checks import Check, Result

if TYPE_CHECKING:
    from mypy_boto3_lakeformation import LakeFormationClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_sts.type_defs import GetCallerIdentityResponseTypeDef

BOOTSTRAP_VERSION = 6
"""The oldest bootstrap stack that a template of this CDK accepts (its rule CheckBootstrapVersion refuses 1 to 5)."""

_BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
_MOST_SKEW = timedelta(seconds=60)
_SPARE_LAMBDAS = 5
"""Functions that run next to the Maps: planning, the hourly check and Slack."""


def check_identity(answer: "GetCallerIdentityResponseTypeDef") -> Check:
    """The owner of the credentials, from STS (GetCallerIdentity, which needs no permission)."""
    return Check("credentials", Result.OK, f"{answer['Arn']} in the account {answer['Account']}.")


def check_clock(answer: "GetCallerIdentityResponseTypeDef", now: datetime) -> Check:
    """This machine's clock against the time at which AWS answered."""
    told = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).astimezone(UTC)
    skew = now - told
    if abs(skew) <= _MOST_SKEW:
        return Check("clock", Result.OK, "This machine and AWS agree on the time.")
    seconds = round(abs(skew).total_seconds())
    direction = "ahead of" if skew > timedelta(0) else "behind"
    return Check(
        "clock",
        Result.FIX,
        f"This machine is {seconds:,} seconds {direction} AWS, which refuses requests that are five minutes off: "
        "set its clock by NTP.",
    )


def check_bootstrap(ssm: "SSMClient", account: str, region: str) -> Iterator[Check]:
    """Whether `cdk bootstrap` has run here, with a recent enough version."""
    advice = f"run `cdk bootstrap aws://{account}/{region}` once."
    try:
        version = int(ssm.get_parameter(Name=_BOOTSTRAP_PARAMETER)["Parameter"]["Value"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ParameterNotFound":
            raise
        yield Check("bootstrap", Result.FIX, f"The CDK's bootstrap stack is missing: {advice}")
        return
    if version < BOOTSTRAP_VERSION:
        yield Check("bootstrap", Result.FIX, f"Version {version} is older than {BOOTSTRAP_VERSION}: {advice}")
    else:
        yield Check("bootstrap", Result.OK, f"Version {version}.")


def check_lambda_quota(functions: "LambdaClient", most_at_once: int) -> Iterator[Check]:
    """The account's limit of concurrent Lambda executions, against the widest Map; a new account often has ten."""
    limit = int(functions.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"])
    if limit >= most_at_once + _SPARE_LAMBDAS:
        yield Check("Lambda quota", Result.OK, f"{limit:,} concurrent executions for at most {most_at_once} items.")
        return
    yield Check(
        "Lambda quota",
        Result.WARNING,
        f"{limit:,} concurrent executions for up to {most_at_once} items at once: throttled items are retried, which "
        "takes longer. Ask for 1,000 under Service Quotas, AWS Lambda, Concurrent executions, or lower "
        "max_concurrency in cdk.json.",
    )


def check_lake_formation(lake_formation: "LakeFormationClient", *, granted: bool) -> Iterator[Check]:
    """Whether IAM permissions alone give access to new Glue databases, which is AWS's default.

    `granted`: the deployment grants Lake Formation's permissions to the functions.
    """
    settings = lake_formation.get_data_lake_settings()["DataLakeSettings"]
    principals = {
        each["Principal"]["DataLakePrincipalIdentifier"]
        for each in settings.get("CreateDatabaseDefaultPermissions", ())
    }
    if "IAM_ALLOWED_PRINCIPALS" in principals:
        yield Check("Lake Formation", Result.OK, "IAM permissions suffice for new Glue databases.")
        return
    closed = "IAM permissions alone do not open new Glue databases here:"
    if granted:
        advice = "the functions get Lake Formation's permissions if CloudFormation's role is a data lake administrator."
    else:
        advice = 'set "lake_formation": true in cdk.json, and make CloudFormation\'s role a data lake administrator.'
    yield Check("Lake Formation", Result.WARNING, f"{closed} {advice}")
