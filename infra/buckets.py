"""Three buckets: Apple's raw files, the lake, and Athena's results."""

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3
from constructs import Construct

from appstore_analytics.contract.layout import MONTHS_PREFIX, PUBLICATIONS_PREFIX, RAW_PREFIX, RUNS_PREFIX
from infra.acknowledgements import acknowledge
from infra.configuration import DeploymentConfiguration
from infra.naming import made_once_removal_policy


class Buckets(Construct):
    """`raw`, `lake` (versioned, so that a wrong Date can be rolled back) and `results`."""

    def __init__(self, scope: Construct, id_: str, configuration: DeploymentConfiguration) -> None:
        super().__init__(scope, id_)
        keep = configuration.retention
        self.raw = self._bucket("Raw", configuration, [_expire(RAW_PREFIX, keep.raw)])
        self.lake = self._bucket(
            "Lake",
            configuration,
            [
                s3.LifecycleRule(
                    noncurrent_version_expiration=Duration.days(keep.noncurrent_lake),
                    expired_object_delete_marker=True,
                ),
                # Derived copies, replaced every day: nothing is rolled back to an older one.
                s3.LifecycleRule(prefix=MONTHS_PREFIX, noncurrent_version_expiration=Duration.days(1)),
                _expire(RUNS_PREFIX, keep.runs),
                # A note that is needed later is written again, with its object (lake/publication.py).
                _expire(PUBLICATIONS_PREFIX, keep.raw),
            ],
            versioned=True,
        )
        self.results = self._bucket("Results", configuration, [_expire(None, keep.query_results)])

    def _bucket(
        self,
        id_: str,
        configuration: DeploymentConfiguration,
        rules: list[s3.LifecycleRule],
        *,
        versioned: bool = False,
    ) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            id_,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=versioned,
            lifecycle_rules=[s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(1)), *rules],
            removal_policy=made_once_removal_policy(retain=configuration.retain),
        )
        acknowledge(
            bucket,
            "S1",
            "The only writer is the pipeline, whose runs are recorded; there would be more access logs than objects in "
            "the lake. "
            "To record every reader, turn on CloudTrail data events for the account.",
        )
        return bucket


def _expire(prefix: str | None, days: int) -> s3.LifecycleRule:
    return s3.LifecycleRule(prefix=prefix, expiration=Duration.days(days))
