"""The pipeline as one construct, and the stack that contains it: put together here, with the permissions of each
function."""

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Annotations, CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk.aws_lambda_destinations import SqsDestination
from constructs import Construct

from appstore_analytics.contract import settings
from appstore_analytics.contract.layout import (
    APPSTORE_PREFIX,
    CHECKS_PREFIX,
    CURATED_PREFIX,
    KPIS_PREFIX,
    MONTHS_PREFIX,
    PARTS_PREFIX,
    PUBLICATIONS_PREFIX,
    RAW_PREFIX,
    REPORTS_PREFIX,
    RUNS_PREFIX,
    STATES_PREFIX,
)
from appstore_analytics.contract.names import SERVICE, Database, Names, api_key_output
from infra.account_rules import follow_the_accounts_rules
from infra.alarms import Alarms
from infra.api_keys import ApiKeys
from infra.buckets import Buckets
from infra.configuration import DeploymentConfiguration
from infra.dashboard import Dashboard
from infra.dead_letters import DeadLetters
from infra.functions import ASYNCHRONOUS, OUTSIDE_OF_RUNS, Functions, role_of
from infra.lake_formation import LakeFormation
from infra.layers import AWS_TARGET, THIS_MACHINE, Layers, ThirdPartyLayer
from infra.permissions import DELETE, LAKE, RAW, READ, READ_VERSIONS, WRITE, Access, Grantor
from infra.registry import Registry
from infra.schedule import DailySchedule, HourlyCheck
from infra.state_machine import PipelineStateMachine
from infra.tables import Tables
from infra.workgroup import Workgroup

MAY: Mapping[str, Access] = {
    "plan_run": Access(
        registry=("GetItem", "UpdateItem"),
        lake={RUNS_PREFIX: (READ, WRITE), REPORTS_PREFIX: (READ,)},
        lists=(LAKE,),
        api_keys="reader",
    ),
    "plan_items": Access(
        registry=("GetItem", "PutItem", "UpdateItem", "Query"),
        lake={RUNS_PREFIX: (READ, WRITE)},
        lists=(LAKE,),
    ),
    "register_request": Access(
        registry=("GetItem", "UpdateItem"),
        lake={RUNS_PREFIX: (READ,)},
        api_keys="admin",
    ),
    "list_instances": Access(
        registry=("GetItem", "PutItem", "UpdateItem", "Query"),
        lake={RUNS_PREFIX: (READ,)},
        api_keys="reader",
    ),
    "download_segments": Access(
        registry=("GetItem", "UpdateItem"),
        lake={RUNS_PREFIX: (READ,)},
        raw={RAW_PREFIX: (READ, WRITE)},
        lists=(RAW,),
        api_keys="reader",
    ),
    "convert_instance": Access(
        registry=("GetItem", "BatchWriteItem", "UpdateItem", "Query"),
        lake={PARTS_PREFIX: (READ, READ_VERSIONS, WRITE, DELETE)},
        raw={RAW_PREFIX: (READ,)},
        lists=(LAKE, RAW),
    ),
    "restore_parts": Access(
        registry=("GetItem", "PutItem", "UpdateItem", "Query"),
        lake={PARTS_PREFIX: (READ, READ_VERSIONS, WRITE, DELETE)},
        lists=(LAKE,),
    ),
    "publish_date": Access(
        registry=("GetItem", "UpdateItem"),
        lake={
            RUNS_PREFIX: (READ, WRITE),
            PARTS_PREFIX: (READ,),
            CURATED_PREFIX: (READ, WRITE, DELETE),
            KPIS_PREFIX: (READ, WRITE, DELETE),
            PUBLICATIONS_PREFIX: (READ, WRITE),
        },
        lists=(LAKE,),
    ),
    "verify_table": Access(
        registry=("UpdateItem", "DeleteItem", "Query"),
        lake={RUNS_PREFIX: (WRITE,), CURATED_PREFIX: (READ,), KPIS_PREFIX: (READ,), PUBLICATIONS_PREFIX: (READ,)},
        lists=(LAKE,),
        athena=(Database.CURATED, Database.MARTS),
    ),
    "compact_months": Access(
        lake={
            RUNS_PREFIX: (READ, WRITE),
            CURATED_PREFIX: (READ,),
            KPIS_PREFIX: (READ,),
            MONTHS_PREFIX: (READ, WRITE),
        },
        lists=(LAKE,),
    ),
    "list_releases": Access(
        registry=("PutItem", "UpdateItem", "Query"),
        lake={RUNS_PREFIX: (READ, WRITE), CURATED_PREFIX: (READ,), APPSTORE_PREFIX: (WRITE,)},
        lists=(LAKE,),
        api_keys="reader",
        athena=(Database.CURATED,),
    ),
    "summarize_run": Access(
        registry=("GetItem", "Query"),
        lake={
            RUNS_PREFIX: (READ,),
            CURATED_PREFIX: (READ,),
            KPIS_PREFIX: (READ,),
            STATES_PREFIX: (READ, WRITE),
            APPSTORE_PREFIX: (WRITE,),
            REPORTS_PREFIX: (READ, WRITE),
        },
        lists=(LAKE,),
    ),
    "check_freshness": Access(
        lake={
            RUNS_PREFIX: (READ,),
            APPSTORE_PREFIX: (READ, WRITE),
            CHECKS_PREFIX: (WRITE,),
            CURATED_PREFIX: (READ,),
        },
        lists=(LAKE,),
        athena=(Database.CURATED, Database.APPSTORE),
    ),
    "check_key": Access(registry=("GetItem", "UpdateItem"), api_keys="every"),
}
"""The permissions of each function, in addition to writing its own logs and traces. IAM gets exactly these."""


class AppStoreAnalyticsPipeline(Construct):
    """The whole pipeline, for a stack of your own: about 120 resources, 290 with every report in every granularity.

    `layer_folders` are those of `infra.layers.build_layers`. Other resources of the stack use the properties;
    `outputs` are what `./manage.py` looks for among the stack's outputs.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        configuration: DeploymentConfiguration,
        layer_folders: dict[ThirdPartyLayer, Path],
    ) -> None:
        super().__init__(scope, id_)
        self._configuration = configuration
        target = THIS_MACHINE if configuration.local else AWS_TARGET

        self.buckets = Buckets(self, "Buckets", configuration)
        self.registry = Registry(self, "Registry", configuration)
        self.api_keys = ApiKeys(self, "ApiKeys", configuration)
        self.workgroup = Workgroup(self, "Athena", configuration, self.buckets.results)
        self.tables = Tables(self, "Tables", configuration, self.buckets.lake)
        self.functions = Functions(
            self,
            "Functions",
            self._settings(),
            Layers(self, "Layers", configuration.names, layer_folders, target),
            target,
            configuration,
        )
        states = {step: each for step, each in self.functions.by_step.items() if step not in OUTSIDE_OF_RUNS}
        self.pipeline = PipelineStateMachine(
            self, "Pipeline", configuration, states, self.registry.table, self.buckets.lake
        )
        self._watch()
        self._grant()
        self._follow_the_accounts_rules()

    @property
    def lake_bucket(self) -> s3.Bucket:
        """The tables, the parts and the run reports."""
        return self.buckets.lake

    @property
    def raw_bucket(self) -> s3.Bucket:
        """Apple's files, byte by byte."""
        return self.buckets.raw

    @property
    def results_bucket(self) -> s3.Bucket:
        """Query results of Athena, for some days."""
        return self.buckets.results

    @property
    def registry_table(self) -> dynamodb.Table:
        """The pipeline's facts."""
        return self.registry.table

    @property
    def state_machine(self) -> sfn.StateMachine:
        """An execution of it is a run."""
        return self.pipeline.state_machine

    @property
    def alarm_topic(self) -> sns.Topic:
        """Every alarm is published here."""
        return self.alarms.topic

    @property
    def names(self) -> Names:
        """The names of databases, functions, workgroup and everything else with a fixed name."""
        return self._configuration.names

    @property
    def outputs(self) -> dict[str, str]:
        """The stack outputs by which `./manage.py` finds its way, by their names."""
        names = self.names
        secrets = {
            api_key_output(key_name): f"{names.api_key_secret_prefix}{key_name}"
            for key_name in self.api_keys.by_key_name
        }
        return {
            "LakeBucket": self.lake_bucket.bucket_name,
            "RawBucket": self.raw_bucket.bucket_name,
            "ResultsBucket": self.results_bucket.bucket_name,
            "RegistryTable": self.registry_table.table_name,
            "RegistryStreamArn": self.registry.stream_arn,
            "StateMachineArn": self.state_machine.state_machine_arn,
            "Workgroup": self.workgroup.name,
            "AlarmTopicArn": self.alarm_topic.topic_arn,
            "CheckKeyFunction": names.function("check_key"),
            "CheckFreshnessFunction": names.function("check_freshness"),
            **{database.output: name for database, name in names.databases.items()},
            **secrets,
        }

    def _settings(self) -> dict[str, settings.Environment]:
        """The environment of each function, typed; adding a field there is a type error here."""
        table, lake = self.registry.table.table_name, self.buckets.lake.bucket_name
        raw, url = self.buckets.raw.bucket_name, self._configuration.apple_base_url
        keys = self._configuration.names.api_key_secret_prefix
        return {
            **self._settings_of_slack(),
            **self._settings_of_releases(),
            "plan_run": settings.PlanRunSettings(table, lake, url, keys),
            "plan_items": settings.PlanItemsSettings(table, lake),
            "register_request": settings.RegisterRequestSettings(table, lake, url, keys),
            "list_instances": settings.ListInstancesSettings(table, lake, url, keys),
            "download_segments": settings.DownloadSegmentsSettings(
                table,
                lake,
                url,
                keys,
                raw_bucket=raw,
                segment_hosts=self._configuration.segment_hosts,
                allow_loopback=self._configuration.local,
            ),
            "convert_instance": settings.ConvertInstanceSettings(
                table,
                lake,
                raw_bucket=raw,
                schema_mode=self._configuration.schema_modes.default,
                schema_mode_exceptions=self._configuration.schema_modes.exceptions,
            ),
            "restore_parts": settings.RestorePartsSettings(table, lake),
            "publish_date": settings.PublishDateSettings(table, lake),
            "verify_table": settings.VerifyTableSettings(
                table, lake, workgroup=self.workgroup.name, databases=self._configuration.names.databases
            ),
            "compact_months": settings.CompactMonthsSettings(lake),
            "summarize_run": settings.SummarizeRunSettings(table, lake, self._configuration.repository_url),
            "check_key": settings.CheckKeySettings(table, lake, url, keys),
            "check_freshness": settings.CheckFreshnessSettings(
                lake,
                self.workgroup.name,
                self._configuration.names.databases,
                self._configuration.freshness_hours,
            ),
        }

    def _settings_of_slack(self) -> dict[str, settings.Environment]:
        """The settings of notify_slack; empty without a Slack webhook."""
        slack, local = self._configuration.alarm_slack_secret, self._configuration.local
        told = settings.NotifySlackSettings(slack, settings.SLACK_HOSTS, allow_loopback=local)
        return {"notify_slack": told} if slack else {}

    def _settings_of_releases(self) -> dict[str, settings.Environment]:
        """None if the pipeline does not ask Apple for releases."""
        asked = settings.ListReleasesSettings(
            self.registry.table.table_name,
            self.buckets.lake.bucket_name,
            self._configuration.apple_base_url,
            self._configuration.names.api_key_secret_prefix,
            workgroup=self.workgroup.name,
            databases=self._configuration.names.databases,
        )
        return {"list_releases": asked} if self._configuration.releases else {}

    def _watch(self) -> None:
        """The schedules, the alarms and their subscriptions."""
        configuration, machine, by_step = self._configuration, self.pipeline.state_machine, self.functions.by_step
        dead_letters = DeadLetters(self, "DeadLetters", configuration.names).queue
        DailySchedule(self, "Schedule", configuration, machine, dead_letters)
        HourlyCheck(self, "Check", configuration.names, by_step["check_freshness"], dead_letters)
        self.alarms = Alarms(self, "Alarms", configuration, machine, dead_letters)
        if slack := by_step.get("notify_slack"):
            self.alarms.tell_slack(slack, dead_letters)
        for step in sorted(ASYNCHRONOUS & by_step.keys()):
            by_step[step].configure_async_invoke(on_failure=SqsDestination(dead_letters), retry_attempts=2)
        if configuration.dashboard:
            Dashboard(
                self,
                "Dashboard",
                names=configuration.names,
                alarms=self.alarms.alarms,
                state_machine=machine,
                functions=by_step,
                dead_letters=dead_letters,
            )

    def _grant(self) -> None:
        grantor = Grantor(self.registry, self.buckets, self.api_keys, self.workgroup, self._configuration.names)
        slack = {"notify_slack": Access(secret=self._configuration.alarm_slack_secret)}
        for step, access in {**MAY, **slack}.items():
            if step in self.functions.by_step:
                grantor.grant(self._role(step), access)

    def _follow_the_accounts_rules(self) -> None:
        """Company-wide requirements: Lake Formation's permissions, and settings of every resource."""
        configuration = self._configuration
        if configuration.lake_formation:
            LakeFormation(self, "LakeFormation", configuration.names, self._roles_that_query(), self.tables)
        follow_the_accounts_rules(self, configuration)

    def _roles_that_query(self) -> dict[str, tuple[iam.Role, tuple[Database, ...]]]:
        """For each step that queries Athena: its role, and the databases that it reads."""
        return {step: (self._role(step), access.athena) for step, access in MAY.items() if access.athena}

    def _role(self, step: str) -> iam.Role:
        return role_of(self.functions.by_step[step])


class AppStoreAnalyticsStack(Stack):
    """The stack that `cdk deploy` creates."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        configuration: DeploymentConfiguration,
        layer_folders: dict[ThirdPartyLayer, Path],
    ) -> None:
        super().__init__(scope, id_, description="App Store Connect Analytics Reports into a lake that Athena reads")
        # CDK leaves "Default" out of logical ids, so stacks that were installed before there was a construct keep
        # theirs.
        self.pipeline = AppStoreAnalyticsPipeline(self, "Default", configuration, layer_folders)
        for name, value in self.pipeline.outputs.items():
            CfnOutput(self, name, value=value)
        if not (configuration.alarm_email or configuration.alarm_slack_secret or configuration.local):
            Annotations.of(self).add_warning_v2(
                f"{SERVICE}:alarms", "Alarms reach no one: set alarm_email or alarm_slack_secret in cdk.json."
            )
