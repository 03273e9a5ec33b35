"""The life of two stages beside each other in one account and region, on one key of Apple.

Production is updated while a run is under way, destroyed, and made anew with what it has left. Staging loses its
registry: it gets back an older one, restored to a point in time, the way docs/upgrade.md says.
"""

import shlex
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from console_browser import Browser, mailed
from deployed import DAY, ENGAGEMENT, Counted, app, friday_of_the_scenarios, opened
from whole_account import Account, Belongings, changes, look

from appstore_analytics.answers.executions import Execution
from local.apple.model import WorldSettings
from local.apple.world import World
from local.aws.server import EmbeddedAws
from local.console import invite
from local.deployment import Deployment, deploy, deploy_console, on_stack
from operations.console_copy import TABLES, ConsoleCopy
from operations.doctor.checks import Check
from operations.doctor.data import check_registry
from operations.left_behind import Adoption, adopt
from operations.where import console_stack_of

APPS = (app(0),)
CREATE = "POST /v1/analyticsReportRequests"
FIRST_DAY = friday_of_the_scenarios() - DAY * 8
WORLD = WorldSettings(today=FIRST_DAY, apps=len(APPS), rows_per_date=8, dates_per_instance=3)
CONTEXT: dict[str, Any] = {
    "segment_hosts": ["127.0.0.1"],
    "reports": [ENGAGEMENT],
    "accounts": [{"name": "main", "app_ids": [], "reader_key": True}],
    "calls_per_hour": 1_700,  # half of the key's quota each
    "snapshot_poll_seconds": 6,  # looking takes the machine away from the update
    "retain": True,
}
STAGING = "harbor-staging"
VIEWER = {"email": "vera@example.com", "role": "viewer"}
RESTORED = "appstore-analytics-restored"
DOCUMENTED_INSTANT = "2026-11-20T09:00:00Z"


@dataclass
class Run:
    """A run, and what it changed in the whole account."""

    execution: Execution
    changed: dict[str, set[tuple[str, ...]]]
    strangers: set[tuple[str, ...]]


@dataclass
class StageLife:
    """What was seen of one stage on the way."""

    runs: list[Run] = field(default_factory=list)
    before: Counted = field(default_factory=dict)
    after: Counted = field(default_factory=dict)
    of_apple: Counted = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)
    objects_kept: dict[str, str] = field(default_factory=dict)
    key: str = ""
    key_kept: str = ""
    adoption: Adoption | None = None


@dataclass
class ConsoleLife:
    """What was seen of production's web console before it was destroyed and afterwards.

    Both: everybody and the grants, as the admin sees them; the tables of its database; what a viewer of one app is told
    of herself.
    """

    people: list[Any] = field(default_factory=list)
    rows: list[dict[str, list[dict[str, Any]]]] = field(default_factory=list)
    viewer: list[Any] = field(default_factory=list)
    adoption: Adoption | None = None


@dataclass
class Life:
    """What was seen of both."""

    production: StageLife = field(default_factory=StageLife)
    staging: StageLife = field(default_factory=StageLife)
    console: ConsoleLife = field(default_factory=ConsoleLife)
    requests: list[int] = field(default_factory=list)
    backfill: Execution | None = None
    during_the_update: list[dict[str, Any]] = field(default_factory=list)
    staging_meanwhile: list[Account] = field(default_factory=list)
    registry_without_settings: list[Check] = field(default_factory=list)
    registry_at_the_end: list[Check] = field(default_factory=list)
    items_restored: int = 0
    items_before: int = 0


@dataclass
class Stage:
    """A stage while it is there."""

    aws: EmbeddedAws
    world: World
    context: dict[str, Any]
    seen: StageLife

    @property
    def stack(self) -> str:
        """The name of the pipeline's stack."""
        return self.deployed.deployment.names.stack

    def deploy(self) -> None:
        """Make it or update it, and give it keys of its own."""
        deployment = deploy(self.aws, self.context, _quietly)
        self.seen.key_kept = key_in(self.aws, deployment)
        self.deployed = opened(self.aws, self.world, deployment, self.context)
        self.belongings = Belongings.of(self.deployed)

    def daily(self, name: str) -> None:
        """A daily run, between two looks at the whole account."""
        before = look(self.aws)
        execution = self.deployed.daily(name, APPS)
        changed = changes(before, look(self.aws))
        self.seen.runs.append(Run(execution, changed, self.belongings.of_others(changed)))

    def destroy(self) -> None:
        """What stands in it is noted before."""
        self.seen.before, self.seen.objects = self.deployed.counted("engagement", APPS), self.deployed.etags()
        self.seen.key = key_in(self.aws, self.deployed.deployment)
        on_stack(self.aws, self.stack, ["destroy", "--force"], self.context, _quietly)

    def come_back(self, mapping: Path, registry: str | None = None) -> None:
        """With what the stage has left, or with another registry."""
        self.seen.adoption = adopt(self.aws.client("cloudformation"), self.stack, mapping, registry)
        on_stack(self.aws, self.stack, ["import", "--resource-mapping", str(mapping)], self.context, _quietly)
        self.deploy()
        self.seen.objects_kept = self.deployed.etags()

    def end(self) -> None:
        """What stands in it at last, beside what Apple says."""
        self.seen.after = self.deployed.counted("engagement", APPS)
        self.seen.of_apple = self.deployed.every("engagement", APPS)


@dataclass
class ConsoleStage:
    """The web console of a stage while it is there. Its people sign in with what they have."""

    stage: Stage
    seen: ConsoleLife

    def open(self) -> None:
        """An admin, and a viewer who is limited to one app."""
        self._deploy()
        self.admin, self.viewer = (Browser(self.stage.aws, self.console) for _ in range(2))
        self.admin.sign_in_first(invite(self.stage.aws, self.console, "ada@example.com", "admin"))
        status, told, _ = self.admin.ask("POST", "/api/v1/users", {**VIEWER, "app_ids": [APPS[0]]})
        assert status == 201, told
        self.viewer.sign_in_first(mailed(self.stage.aws, self.console, VIEWER["email"]))
        self._look()

    def destroy(self) -> None:
        on_stack(self.stage.aws, self.stack, ["destroy", "--force"], self.context, _quietly)

    def come_back(self, mapping: Path) -> None:
        """With what it has left."""
        aws = self.stage.aws
        self.seen.adoption = adopt(aws.client("cloudformation"), self.stack, mapping)
        on_stack(aws, self.stack, ["import", "--resource-mapping", str(mapping)], self.context, _quietly)
        self._deploy()
        for browser in (self.admin, self.viewer):
            browser.console = self.console
            browser.sign_in()
        self._look()

    @property
    def context(self) -> dict[str, Any]:
        return {**self.stage.context, "console": True}

    @property
    def stack(self) -> str:
        return console_stack_of(self.stage.stack)

    def _deploy(self) -> None:
        self.console = deploy_console(self.stage.aws, self.context, _quietly)

    def _look(self) -> None:
        outputs = self.stage.aws.client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"][0]["Outputs"]
        copy = ConsoleCopy(self.stage.aws.client("lambda"), {one["OutputKey"]: one["OutputValue"] for one in outputs})
        self.seen.rows.append({table: [*copy.rows(table)] for table in TABLES})
        self.seen.people.append(self.admin.ask("GET", "/api/v1/users")[1]["people"])
        self.seen.viewer.append(self.viewer.ask("GET", "/api/v1/me")[1])


def key_in(aws: EmbeddedAws, deployment: Deployment) -> str:
    """What the secret holds: read here and by the functions alone."""
    secret = aws.client("secretsmanager").get_secret_value(SecretId=f"{deployment.names.api_key_secret_prefix}main")
    return str(secret["SecretString"])


def lived(aws: EmbeddedAws, world: World, apple_url: str, folder: Path) -> Life:
    """Everything, in the order in which it happens."""
    life = Life()
    context = {**CONTEXT, "apple_base_url": apple_url}
    production = Stage(aws, world, context, life.production)
    staging = Stage(aws, world, {**context, "name": STAGING}, life.staging)
    production.deploy()
    staging.deploy()
    for stage in (production, staging):
        stage.daily("first")
    world.advance(2)
    instant = datetime.now(UTC)
    for stage in (production, staging):
        stage.daily("second")
    life.staging_meanwhile.append(staging.belongings.part_of(look(aws)))
    _update_while_a_backfill_waits(life, production)
    life.requests.append(production.deployed.calls(CREATE))
    production.destroy()
    production.come_back(folder / "adopt.json")
    life.staging_meanwhile.append(staging.belongings.part_of(look(aws)))
    _lose_the_registry(life, staging, instant, folder / "adopt-staging.json")
    world.advance(1)
    for stage in (production, staging):
        stage.daily("after")
        stage.end()
    life.requests.append(production.deployed.calls(CREATE))
    console = ConsoleStage(production, life.console)  # last, because a run of production is felt in its console
    console.open()
    console.destroy()
    console.come_back(folder / "adopt-console.json")
    return life


def _update_while_a_backfill_waits(life: Life, stage: Stage) -> None:
    """The snapshot is not built before the update is over, so the run has to wait for it, and goes on with the new
    functions: their settings, their schedule and the state machine are others.
    """
    today = stage.world.today
    payload = {
        "operation": "backfill",
        "app_ids": [APPS[0]],
        "start_date": (today - DAY * 6).isoformat(),
        "end_date": (today - DAY * 4).isoformat(),
    }
    stage.context = {
        **stage.context,
        "segment_hosts": ["127.0.0.1", "localhost"],
        "snapshot_poll_seconds": 5,
        "retention": {"logs": 60},
    }
    with ThreadPoolExecutor(1) as beside:
        run = beside.submit(stage.deployed.run, "backfill", payload, APPS)
        while not _running(stage):
            assert not run.done()  # the other thread starts it
        life.during_the_update.append(_installed(stage))
        deploy(stage.aws, stage.context, _quietly)
        life.during_the_update.append(_installed(stage))
        assert not run.done()
        stage.world.advance(2)
        life.backfill = run.result()


def _running(stage: Stage) -> list[str]:
    arn = stage.deployed.deployment.state_machine_arn
    found = stage.aws.client("stepfunctions").list_executions(stateMachineArn=arn, statusFilter="RUNNING")
    return [each["name"] for each in found["executions"]]


def _installed(stage: Stage) -> dict[str, Any]:
    """What a run meets at this moment, and which of the runs is under way."""
    aws, arn = stage.aws, stage.deployed.deployment.state_machine_arn
    function = stage.deployed.deployment.names.function("download_segments")
    return {
        "running": _running(stage),
        "definition": aws.client("stepfunctions").describe_state_machine(stateMachineArn=arn)["definition"],
        "environment": aws.client("lambda").get_function_configuration(FunctionName=function)["Environment"],
    }


def _lose_the_registry(life: Life, stage: Stage, instant: datetime, mapping: Path) -> None:
    """It is restored as it was before the second run, by the commands of the documentation."""
    tables, lost = stage.aws.client("dynamodb"), stage.deployed.deployment.registry_table
    names = {"$lost": lost, DOCUMENTED_INSTANT: instant.isoformat()}
    restore, wait, *settings = ([names.get(word, word) for word in words] for words in restore_commands())
    for words in (restore, wait):
        _call(tables, words)
    life.items_restored, life.items_before = _count(tables, RESTORED), _count(tables, lost)
    life.registry_without_settings = list(check_registry(tables, RESTORED, retained=True))
    for words in settings:
        _call(tables, words)
    stage.destroy()
    tables.update_table(TableName=lost, DeletionProtectionEnabled=False)
    tables.delete_table(TableName=lost)
    stage.come_back(mapping, RESTORED)
    life.registry_at_the_end = list(check_registry(tables, stage.deployed.deployment.registry_table, retained=True))


def _count(tables: Any, name: str) -> int:
    return sum(page["Count"] for page in tables.get_paginator("scan").paginate(TableName=name, Select="COUNT"))


def restore_commands() -> Iterator[list[str]]:
    """The commands of DynamoDB with which docs/upgrade.md restores the registry, word by word."""
    page = (Path(__file__).parents[2] / "docs" / "upgrade.md").read_text(encoding="utf-8")
    chapter = page.partition("\n## Restore the registry\n")[2].partition("\n## ")[0]
    for line in chapter.replace("\\\n", " ").splitlines():
        if line.startswith("aws dynamodb "):
            yield shlex.split(line)[2:]


def _call(tables: Any, words: list[str]) -> None:
    """A command of the AWS CLI, whose options are the parameters of the API."""
    operation, *options = words
    waiter = options.pop(0) if operation == "wait" else ""
    parameters: dict[str, Any] = {}
    while options:
        name = "".join(word.capitalize() for word in options.pop(0).removeprefix("--").split("-"))
        parameters[name] = _value(options.pop(0)) if options and not options[0].startswith("--") else True
    if waiter:
        tables.get_waiter(waiter.replace("-", "_")).wait(**parameters)
    else:
        getattr(tables, operation.replace("-", "_"))(**parameters)


def _value(text: str) -> Any:
    if "=" not in text:
        return text
    pairs = (pair.split("=") for pair in text.split(","))
    return {key: value == "true" if value in {"true", "false"} else value for key, value in pairs}


def processed(counted: Counted) -> dict[tuple[str, date], date]:
    """The processing date of each app's Date."""
    return {(app_id, day): built for app_id, day, built in counted}


def _quietly(*_: object) -> None:
    """Nobody watches."""
