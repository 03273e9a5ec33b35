"""A cluster with the console's schema, and the database with each function's rights."""

import json
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from appstore_console.database.connection import Database
from appstore_console.database.migrate import RIGHTS, migrate
from appstore_console.settings import DatabaseRoleSettings, DatabaseSettings
from local.aws.server import EmbeddedAws

ROLES = ("console_read", "console_act", "send_digest")
IAM_ROLES = DatabaseRoleSettings({role: f"arn:aws:iam::000000000000:role/{role}" for role in ROLES}, {})


@dataclass(frozen=True)
class Clients:
    dsql: Any
    secrets_manager: Any


@dataclass(frozen=True)
class Migrated:
    address: str
    clients: Clients

    def settings(self, role: str) -> DatabaseSettings:
        return DatabaseSettings(role, self.address, "", database_without_tls=True)

    def database(self, role: str, **options: Any) -> Database:
        return Database(self.settings(role), self.clients, **options)

    def empty(self) -> None:
        """Removes every row of the application data."""

        def write(connection: Any) -> None:
            for table in RIGHTS:
                connection.run(f"DELETE FROM console.{table}")

        with closing(self.database("admin")) as admin:
            admin.run(write)

    def migrate(self) -> tuple[str, ...]:
        return migrate(self.settings("admin"), IAM_ROLES, self.clients)


def new_cluster(aws: EmbeddedAws, name: str) -> Migrated:
    """An empty cluster, created by CloudFormation."""
    resource = {"Type": "AWS::DSQL::Cluster", "Properties": {"DeletionProtectionEnabled": False}}
    template = {
        "Resources": {"Cluster": resource},
        "Outputs": {"Endpoint": {"Value": {"Fn::GetAtt": ["Cluster", "Endpoint"]}}},
    }
    stacks = aws.client("cloudformation")
    stacks.create_stack(StackName=name, TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 0.1})
    (output,) = stacks.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    return Migrated(output["OutputValue"], Clients(aws.client("dsql"), aws.client("secretsmanager")))


def migrated_cluster(aws: EmbeddedAws, name: str) -> Migrated:
    """The same with the console's schema and roles."""
    cluster = new_cluster(aws, name)
    cluster.migrate()
    return cluster
