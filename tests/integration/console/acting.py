"""console_act in the test's process: a pipeline over moto, the embedded Cognito, and a real PostgreSQL."""

import json
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

from api_asking import Answer, Caller, console_of
from migrated import Migrated

from appstore_console.audited import Audit
from appstore_console.console import Console, Desk
from appstore_console.database.connection import Database
from appstore_console.database.data import ApplicationData
from appstore_console.database.migrate import RIGHTS
from appstore_console.http.api import Api
from appstore_console.http.asked import Asking
from appstore_console.people import Accounts
from appstore_console.rights import Role
from appstore_console.routes.acting import ACTING
from appstore_console.routes.reading import READING
from appstore_console.signed_in import today_of
from local.aws.server import EmbeddedAws
from tests.aws_in_process import new_registry
from tests.integration.pipeline_in_process import Pipeline


@dataclass
class Somebody(Caller):
    """A person who sends requests to both functions, in the gateway's format."""

    reading: Api | None = None

    def get(self, address: str, **headers: str) -> Answer:
        is_of_people = address.partition("?")[0].split("/")[1] in ("users", "grants", "audit")
        api = self.api if is_of_people or self.reading is None else self.reading
        return Caller(api, self.groups, self.user_id).send("GET", address, **headers)

    def post(self, address: str, body: Any = None) -> Answer:
        return self.send("POST", address, None if body is None else json.dumps(body))

    def patch(self, address: str, body: Any) -> Answer:
        return self.send("PATCH", address, json.dumps(body))

    def delete(self, address: str) -> Answer:
        return self.send("DELETE", address)


@dataclass
class Office:
    """The console over one pipeline. `opened` are databases to close."""

    pipeline: Pipeline
    cluster: Migrated
    accounts: Accounts
    cognito: Any
    pool_id: str
    table: Any
    has_digests: bool = True
    opened: list[Database] = field(default_factory=list)

    def data(self, role: str = "console_act", cluster: Migrated | None = None) -> ApplicationData:
        database = (cluster or self.cluster).database(role, sleep=lambda _: None)
        self.opened.append(database)
        return ApplicationData.over(database)

    def console(self, data: ApplicationData) -> Console:
        desk = Desk(self.accounts, self.table, "wss://live.example.com/live", self.has_digests)
        return replace(console_of(self.pipeline, data), desk=desk)

    def api(self, data: ApplicationData | None = None) -> Api:
        data = data or self.data()
        audit = Audit(data.audit)
        return Api(ACTING, Asking(self.console(data), today_of(self.accounts), audit), audit)

    def person(self, email: str, role: Role | None, *granted: str, is_limited: bool | None = None) -> str:
        """A person who has signed in once; limited to the granted apps, if there are any."""
        limited = bool(granted) if is_limited is None else is_limited
        user_id = self.accounts.invite(email, role or Role.VIEWER, is_limited=limited).user_id
        self.cognito.admin_set_user_password(
            UserPoolId=self.pool_id, Username=user_id, Password="Harbor-7291-lamp", Permanent=True
        )
        if role is None:
            self.cognito.admin_remove_user_from_group(UserPoolId=self.pool_id, Username=user_id, GroupName="viewer")
        if granted:
            self.data().grants.add(user_id, granted, "test")
        return user_id

    def somebody(self, user_id: str, *groups: str, api: Api | None = None) -> Somebody:
        """A person whose token has these groups, whatever Cognito has."""
        reading = Api(READING, Asking(replace(self.console(self.data("console_read")), desk=None)))
        return Somebody(api or self.api(), groups or ("viewer",), user_id, reading)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Every row of a table, oldest first if it has a time."""
        assert table in RIGHTS
        order = {"audit": " ORDER BY at, entry_id"}.get(table, "")

        def read(connection: Any) -> list[dict[str, Any]]:
            rows = connection.run(f"SELECT * FROM console.{table}{order}")
            return [dict(zip((column["name"] for column in connection.columns), row, strict=True)) for row in rows]

        with closing(self.cluster.database("admin")) as admin:
            return admin.run(read)

    def close(self) -> None:
        """Removes the user pool and every row of the application data, for the next test."""
        self.cognito.delete_user_pool(UserPoolId=self.pool_id)
        for database in self.opened:
            database.close()
        self.opened.clear()
        self.cluster.empty()


def new_office(pipeline: Pipeline, cluster: Migrated, aws: EmbeddedAws, name: str) -> Office:
    """A console with its own user pool, which is empty."""
    cognito = aws.client("cognito-idp")
    pool_id = cognito.create_user_pool(PoolName=name, AliasAttributes=["email"])["UserPool"]["Id"]
    for group in (*Role, "limited"):
        cognito.create_group(UserPoolId=pool_id, GroupName=group)
    table = new_registry(name).table
    return Office(pipeline, cluster, Accounts(cognito, pool_id, table, pipeline.clock), cognito, pool_id, table)
