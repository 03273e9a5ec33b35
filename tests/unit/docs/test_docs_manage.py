"""docs/manage.md against the commands."""

import json
import re
from dataclasses import fields

import pytest
from typer.main import get_command

from appstore_analytics.answers.apps import AppList
from appstore_analytics.answers.backfill_plan import BackfillPlan
from appstore_analytics.answers.freshness import FreshnessReport
from appstore_analytics.answers.gaps import Gaps
from appstore_analytics.answers.health import Health
from appstore_analytics.answers.kpi_report import KpiReport
from appstore_analytics.answers.publishing import PublishPlan
from appstore_analytics.answers.registry_statistics import RegistryStatistics
from appstore_analytics.answers.releases import ReleaseList
from appstore_analytics.answers.repairs import RefetchPlan, ReprocessPlan, RollbackPlan
from appstore_analytics.answers.run_facts import RunDetails, RunList
from appstore_analytics.answers.schema import ABSENT, GLUE, PARQUET, UNKNOWN, SchemaComparison
from appstore_analytics.answers.sql import QueryAnswer
from appstore_analytics.answers.status import RequestStatus, RequestVerdict
from appstore_analytics.answers.verification import Verification
from appstore_analytics.rules.repairs import Repair
from operations import commands
from operations.agents.answering import ENVELOPE
from operations.agents.tools import MOST_ROWS, MOST_VALUES, TOOLS
from operations.commands.export_console import ConsoleExport
from operations.commands.users import ConsoleUsers
from operations.exits import ExitStatus
from operations.left_behind import Adoption
from operations.moving_in import Import
from tests.unit.docs.reading_docs import ROOT, blocks, rows
from tests.unit.docs.reading_docs import commands as commands_of

PAGE = ROOT / "docs" / "manage.md"
COMMANDS = get_command(commands.app).commands
ANSWERS = {
    "adopt": Adoption,
    "apps": AppList,
    "backfill": BackfillPlan,
    "freshness": FreshnessReport,
    "gaps": Gaps,
    "export-console": ConsoleExport,
    "health": Health,
    "import-registry": Import,
    "kpis": KpiReport,
    "publish": PublishPlan,
    "rebuild-kpis": PublishPlan,
    "refetch": RefetchPlan,
    "registry-stats": RegistryStatistics,
    "releases": ReleaseList,
    "reprocess": ReprocessPlan,
    "rollback": RollbackPlan,
    "run": RunDetails,
    "runs": RunList,
    "schema-verify": SchemaComparison,
    "sql": QueryAnswer,
    "status": RequestStatus,
    "users": ConsoleUsers,
    "verify": Verification,
}


def test_every_command_has_its_line_and_its_example() -> None:
    assert {row[0] for row in rows(PAGE, "command")} == COMMANDS.keys()
    pages = (PAGE, ROOT / "docs" / "migration.md")
    used = {word for block in blocks("sh", pages=pages) for line in commands_of(block) for word in line}
    assert COMMANDS.keys() <= used


@pytest.mark.parametrize("name", ANSWERS)
def test_the_fields_of_json_are_those_of_the_page(name: str) -> None:
    (cells,) = [row for row in rows(PAGE, "command") if row[0] == name]
    assert re.findall(r"\w+", cells[2]) == [field.name for field in fields(ANSWERS[name])]


def test_the_tools_for_agents_are_those_of_their_page() -> None:
    page = ROOT / "docs" / "agents.md"
    told = {row[0]: re.findall(r"\w+", row[2]) for row in rows(page, "tool")}
    assert told == {tool.name: [argument.name for argument in tool.arguments] for tool in TOOLS}
    assert f"more than {MOST_VALUES:,} values" in page.read_text(encoding="utf-8")
    assert f"at most {MOST_ROWS:,} rows" in page.read_text(encoding="utf-8")
    (example,) = [json.loads(block.text) for block in blocks("json", pages=(page,)) if "traps" in block.text]
    assert list(example) == ENVELOPE["required"]


def test_the_exit_statuses_are_those_of_the_page() -> None:
    assert {int(row[0]) for row in rows(PAGE, "exit status")} == set(ExitStatus)


def test_the_options_of_every_command_are_explained() -> None:
    given = {
        option for parameter in get_command(commands.app).params for option in parameter.opts if option[:2] == "--"
    }
    assert {row[0] for row in rows(PAGE, "option of every command")} == given - {"--help"}


def test_verdicts_repairs_and_drifts_are_those_of_the_page() -> None:
    verdicts = {word for row in rows(PAGE, "verdict") for word in re.findall(r"[a-z ]{3,}", row[0].replace("`", ""))}
    assert {verdict.strip() for verdict in verdicts} == set(RequestVerdict)
    assert [row[0] for row in rows(PAGE, "repair")] == list(Repair)
    assert [f"drift: {row[0]}" for row in rows(PAGE, "drift")] == [UNKNOWN, ABSENT, GLUE, PARQUET]
