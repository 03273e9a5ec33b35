"""The Athena workgroup for verifying tables and for people's queries."""

from aws_cdk import aws_athena as athena
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.configuration import DeploymentConfiguration


class Workgroup(Construct):
    """Its settings override a client's; a query that would scan more than the cut-off is cancelled."""

    def __init__(self, scope: Construct, id_: str, configuration: DeploymentConfiguration, results: s3.IBucket) -> None:
        super().__init__(scope, id_)
        self.name = configuration.names.name
        athena.CfnWorkGroup(
            self,
            "Workgroup",
            name=self.name,
            description="App Store Analytics: verification queries and your own",
            recursive_delete_option=True,  # otherwise its query history blocks `cdk destroy`
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                bytes_scanned_cutoff_per_query=configuration.bytes_scanned_cutoff,
                engine_version=athena.CfnWorkGroup.EngineVersionProperty(
                    selected_engine_version="Athena engine version 3"
                ),
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=f"s3://{results.bucket_name}/queries/",
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_S3"
                    ),
                ),
            ),
        )
