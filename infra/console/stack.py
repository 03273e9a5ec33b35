"""The web console's stack, deployed beside the pipeline's: composes its constructs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from appstore_analytics.contract.settings import Environment
from appstore_console import settings
from infra.account_rules import follow_the_accounts_rules
from infra.configuration import DeploymentConfiguration
from infra.console.alarms import ConsoleAlarms
from infra.console.database import MIGRATES, Database
from infra.console.digests import Digests
from infra.console.functions import MAY, READS_SIGNATURE, WITH_DATABASE, ConsoleFunctions, ConsolePrograms
from infra.console.http_api import ConsoleHttpApi
from infra.console.identity import Identity
from infra.console.installed_pipeline import InstalledPipeline
from infra.console.layers import ConsoleLayers
from infra.console.live import CALLBACK_VARIABLE, LiveApi, Nudges
from infra.console.migration import Migration
from infra.console.pages import WEB, stage_web
from infra.console.permissions import ConsoleGrantor
from infra.console.table import ConsoleTable
from infra.layers import AWS_TARGET, THIS_MACHINE, Target, ThirdPartyLayer


@dataclass(frozen=True, slots=True)
class ConsoleParts:
    """Files that are built before the stack: the third-party layers' folders, and the pages by path."""

    layer_folders: Mapping[ThirdPartyLayer, Path]
    pages: Mapping[str, bytes]


class ConsoleStack(Stack):
    """The gateway, the user pool, the functions and their database.

    It refers to the pipeline by names only, so each of the two stacks can be updated or destroyed without the other.
    Deploy the pipeline first. `./manage.py` reads the outputs.
    """

    def __init__(self, scope: Construct, id_: str, configuration: DeploymentConfiguration, parts: ConsoleParts) -> None:
        super().__init__(scope, id_, description="Web console of the App Store Analytics pipeline")
        self._configuration = configuration
        self._pipeline = InstalledPipeline(configuration.names)
        self._http = ConsoleHttpApi(self, "Http", configuration)
        self._live = LiveApi(self, "Live", configuration.names)
        self._identity = Identity(self, "Identity", configuration, self._http.url)
        self._table = ConsoleTable(self, "Plans").table
        self._digests = Digests(self, "Digests", configuration)
        self._database_roles = tuple(
            step
            for step in WITH_DATABASE
            if step != MIGRATES and (step != "send_digest" or configuration.console_digests)
        )
        self._database = Database(self, "Database", configuration, self._database_roles)
        layers = ConsoleLayers(self, "Layers", configuration.names, parts.layer_folders, self._target)
        programs = ConsolePrograms(layers, self._environments(), {WEB: stage_web(parts.pages)})
        self._functions = ConsoleFunctions(self, "Functions", programs, self._target, configuration)
        self._grant()
        self._connect(layers.version)
        follow_the_accounts_rules(self, configuration)
        for name, value in self._outputs.items():
            CfnOutput(self, name, value=value)

    @property
    def _target(self) -> Target:
        return THIS_MACHINE if self._configuration.local else AWS_TARGET

    @property
    def _outputs(self) -> dict[str, str]:
        """The outputs that people, `./manage.py` and the tests use."""
        names = self._configuration.names
        return {
            "ConsoleUrl": self._http.url,
            "LiveUrl": self._live.url,
            "UserPoolId": self._identity.pool.user_pool_id,
            "UserPoolClientId": self._identity.client.user_pool_client_id,
            "ConsoleTable": self._table.table_name,
            "ConsoleActFunction": names.function("console_act"),
            "ConsoleMigrateFunction": names.function(MIGRATES),
            "DatabaseAddress": self._database.address or "in the secret",
        }

    def _environments(self) -> dict[str, tuple[Environment, ...]]:
        """The environment of each function, typed; adding a field in settings.py is a type error here."""
        configuration, live_url = self._configuration, self._live.url
        pipeline = settings.PipelineSettings(self._pipeline.outputs, configuration.schedule)
        pool = settings.UserPoolSettings(self._identity.pool.user_pool_id)
        table = settings.ConsoleTableSettings(self._table.table_name)
        signature = self._digests.unsubscribe_secret
        login = settings.LoginSettings(self._identity.client.user_pool_client_id, live_url)
        database = {step: self._database.settings(step) for step in WITH_DATABASE}
        environments: dict[str, tuple[Environment, ...]] = {
            "console_read": (pipeline, database["console_read"]),
            "console_act": (pipeline, database["console_act"], pool, table, settings.ActSettings(live_url, signature)),
            "console_web": (login,),
            "console_live": (table,),
            "console_migrate": (database["console_migrate"],),  # and DatabaseRoleSettings, when the roles exist
        }
        if configuration.console_digests:
            digest = settings.DigestSettings(
                configuration.digest_sender, self._http.url, signature, configuration.digest_slack_secret
            )
            environments["send_digest"] = (pipeline, database["send_digest"], pool, digest)
        return environments

    def _connect(self, version: str) -> None:
        """The triggers of the functions: the gateways, the pipeline's changes, the deployment, the schedule."""
        functions, names = self._functions.by_step, self._configuration.names
        self._http.add_routes(self._identity, functions)
        self._live.connect(functions["console_live"])
        if not self._configuration.local:  # with AWS_ENDPOINT_URL one address serves everything
            functions["console_live"].add_environment(CALLBACK_VARIABLE, self._live.callback_url)
        Nudges(self, "Nudges", self._pipeline, functions["console_live"], names)
        roles = {step: self._functions.role(step) for step in self._database_roles}
        logins = settings.DatabaseRoleSettings(self._database.iam_roles(roles), self._database.role_secrets)
        for name, value in logins.to_environment().items():
            functions[MIGRATES].add_environment(name, value)
        Migration(self, "Migration", functions[MIGRATES], version, [self._database])
        if "send_digest" in functions:
            self._digests.send(functions["send_digest"], self._functions.role("send_digest"), self._pipeline)
        ConsoleAlarms(self, "Alarms", names, self._pipeline, self._http.api, self._http.access_log)

    def _grant(self) -> None:
        grantor = ConsoleGrantor(
            self._pipeline,
            self._table.table_arn,
            self._identity.pool.user_pool_arn,
            self._live,
            self._configuration.digest_sender,
        )
        for step in self._functions.by_step:
            role = self._functions.role(step)
            grantor.grant(role, MAY[step])
            if step in WITH_DATABASE:
                self._database.grant(step, role)
            if step in READS_SIGNATURE:
                self._digests.grant_signature(role)
