"""The tools of `manage.py mcp`: their answers are those of the command line, and say what the numbers are worth."""

import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import anyio
import pytest
from asking import FIRST, days
from botocore.exceptions import ClientError
from mcp import Client

from appstore_analytics.answers.installation import Installation
from appstore_analytics.contract.names import SERVICE
from local.apple import World, WorldSettings
from operations import commands, options, questions
from operations.agents.answering import NO_ROW_IS_NOT_ZERO, Session
from operations.agents.server import make_server
from operations.agents.tools import TOOLS
from operations.where import Where
from tests.aws_in_process import aws_in_process
from tests.clock import Clock
from tests.integration.pipeline_in_process import APP, Pipeline

AS_CONFIGURED = Where()
OUTPUTS = {
    "StateMachineArn": f"arn:aws:states:eu-central-1:123456789012:stateMachine:{SERVICE}",
    "LakeBucket": "lake",
    "RawBucket": "raw",
    "RegistryTable": "registry",
    "Workgroup": "group",
}


class StepFunctions:
    """A state machine that nobody has started here, with the configuration in its definition."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._definition = json.dumps({"configuration": pipeline.configuration.to_payload()})

    def describe_state_machine(self, **_: Any) -> dict[str, str]:
        return {"definition": self._definition}

    def get_paginator(self, _: str) -> "StepFunctions":
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        yield {"executions": []}


class Athena:
    """Athena's API for one query, whose result has two rows."""

    def start_query_execution(self, **_: Any) -> dict[str, str]:
        return {"QueryExecutionId": "q"}

    def get_query_execution(self, **_: Any) -> dict[str, Any]:
        return {"QueryExecution": {"Status": {"State": "SUCCEEDED"}, "Statistics": {"DataScannedInBytes": 0}}}

    def get_query_results(self, **_: Any) -> dict[str, Any]:
        rows = [{"Data": [{"VarCharValue": cell}]} for cell in ("n", "1", "2")]
        return {"ResultSet": {"ResultSetMetadata": {"ColumnInfo": [{"Name": "n", "Type": "bigint"}]}, "Rows": rows}}

    def get_paginator(self, _: str) -> "Athena":
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        yield self.get_query_results()


@dataclass
class Clients:
    """AWS for an installation: moto's, and the two services above."""

    pipeline: Pipeline
    endpoint: str | None = None

    def __post_init__(self) -> None:
        self.step_functions, self.athena = StepFunctions(self.pipeline), Athena()
        self.s3 = self.pipeline.lake._client

    def table(self, _: str) -> Any:
        return self.pipeline.registry.report_requests._table


@dataclass
class Agent:
    """A client of the protocol; `where` finds the installation."""

    pipeline: Pipeline
    open_installation: Callable[[], Installation]
    where: Where = AS_CONFIGURED

    def __post_init__(self) -> None:
        session = Session(self.open_installation, self.pipeline.clock)
        self.server = make_server(session, self.where.options())

    def call(self, tool: str, **arguments: Any) -> Any:
        async def called() -> Any:
            async with Client(self.server) as client:
                return await client.call_tool(tool, arguments)

        return anyio.run(called)

    def answer(self, tool: str, **arguments: Any) -> dict[str, Any]:
        result = self.call(tool, **arguments)
        assert not result.is_error, result.content
        answer: dict[str, Any] = result.structured_content
        assert json.loads(result.content[0].text) == answer
        return answer

    def refusal(self, tool: str, **arguments: Any) -> str:
        result = self.call(tool, **arguments)
        assert result.is_error
        (content,) = result.content
        assert "\n" not in content.text
        return str(content.text)


@pytest.fixture(scope="module")
def agent() -> Iterator[Agent]:
    """The tools read only, so one pipeline with a few days behind it is enough for all tests."""
    with aws_in_process(), pytest.MonkeyPatch.context() as patched:
        pipeline = Pipeline(World(WorldSettings(today=FIRST, apps=2, rows_per_date=4, segments_per_instance=1)))
        days(pipeline, 4)
        pipeline.clock.now = datetime.combine(pipeline.world.today, time(12), UTC)
        clients = Clients(pipeline)
        installation = Installation(OUTPUTS, clients, pipeline.clock)  # type: ignore[arg-type]
        for module in (options, questions):
            patched.setattr(module, "utc_now", pipeline.clock)
        patched.setattr(Where, "open", lambda _: installation)
        yield Agent(pipeline, lambda: installation)


CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("list_kpis", {}),
    ("query_kpis", {"metrics": ["total_downloads", "updates"], "from": "2025-06-02", "to": "2025-06-07"}),
    ("query_kpis", {"metrics": ["total_downloads"], "by": "territory", "apps": [APP]}),
    ("query_kpis", {"metrics": ["updates"], "by": "app", "compare": "previous"}),
    ("list_apps", {}),
    ("health", {}),
    ("health", {"apps": ["Nowhere"]}),
    ("gaps", {"from": "2025-06-03"}),
    ("list_releases", {"apps": [APP]}),
    ("restatements", {"apps": [APP], "from": "2025-06-02", "to": "2025-06-07"}),
    ("run", {}),
    ("sql", {"query": "SELECT n FROM downloads", "limit": 1}),
)


@pytest.mark.parametrize(("tool", "arguments"), CALLS, ids=lambda value: value if isinstance(value, str) else None)
def test_an_answer_is_what_its_command_prints_as_json(
    agent: Agent, tool: str, arguments: Mapping[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    answer = agent.answer(tool, **arguments)
    program, *words = shlex.split(answer["command"])
    assert program == "./manage.py"
    with pytest.raises(SystemExit) as end:
        commands.main(words)
    assert json.loads(capsys.readouterr().out) == answer["answer"]
    assert end.value.code == (0 if answer["answer"]["is_good"] else 1)
    assert NO_ROW_IS_NOT_ZERO in answer["traps"]


def test_every_tool_is_called_above_and_only_reads(agent: Agent) -> None:
    async def listed() -> Any:
        async with Client(agent.server) as client:
            return (await client.list_tools()).tools

    tools = anyio.run(listed)
    assert {tool.name for tool in tools} == {tool.name for tool in TOOLS} == {name for name, _ in CALLS}
    assert all(tool.annotations.read_only_hint for tool in tools)
    assert all(tool.input_schema["additionalProperties"] is False for tool in tools)


def test_values_come_with_how_far_they_are_complete_and_with_their_traps(agent: Agent) -> None:
    answer = agent.answer("query_kpis", metrics=["total_downloads"], **{"from": "2025-06-02", "to": "2025-06-20"})
    (series,) = answer["answer"]["series"]
    assert answer["complete_until"] == {"total_downloads": series["complete_until"]}
    assert date.fromisoformat(series["complete_until"]) >= FIRST
    assert answer["bounds"] == {}
    assert answer["traps"][0] == "Total downloads: First-time downloads and redownloads; no updates, no restores."
    unknown = [point for point in series["points"] if point["state"] == "not due"]
    assert unknown
    assert all(point["value"] is None for point in unknown)


def test_what_is_a_bound_is_said_to_be_one(agent: Agent) -> None:
    answer = agent.answer("list_kpis")
    assert answer["bounds"]["active_devices"] == "at most"
    assert answer["bounds"]["conversion_rate"] == "at least"
    assert answer["bounds"]["retention"] == "estimate"
    assert "total_downloads" not in answer["bounds"]


def test_a_query_has_the_traps_of_what_it_names_and_says_that_there_are_more_rows(agent: Agent) -> None:
    answer = agent.answer("sql", query="SELECT counts AS n FROM downloads", limit=1)
    assert answer["answer"]["has_more"]
    assert answer["complete_until"].keys() == {"downloads"}
    answer = agent.answer("sql", query="SELECT active_devices_at_most AS n FROM marts.app_daily")
    assert not answer["answer"]["has_more"]
    assert answer["bounds"] == {"active_devices_at_most": "at most"}
    assert any(trap.startswith("active_devices_at_most: ") for trap in answer["traps"])


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("query_kpis", {}, 'metrics is missing: Names from list_kpis, such as ["impressions", "total_downloads"].'),
        ("query_kpis", {"metrics": []}, "metrics is missing"),
        ("query_kpis", {"metric": ["updates"]}, "query_kpis has no argument 'metric': it takes metrics, by,"),
        ("query_kpis", {"metrics": ["updates", 5]}, 'metrics must be a list of texts, not ["updates", 5].'),
        ("query_kpis", {"metrics": ["update"]}, "There is no KPI 'update': did you mean updates"),
        ("query_kpis", {"metrics": ["updates"], "from": "June"}, 'from must be a day such as 2026-01-31, not "June".'),
        ("query_kpis", {"metrics": ["updates"], "compare": "last year"}, "compare must be one of previous, not"),
        ("query_kpis", {"metrics": ["updates"], "to": "1999-01-01"}, "--to must not be before"),
        ("query_kpis", {"metrics": ["updates"], "apps": ["Nowhere"]}, "App Nowhere is not fetched"),
        ("gaps", {"from": "2030-01-01"}, "--from must not be after today"),
        ("run", {"run": "never"}, "There is no run 'never'"),
        ("run", {"run": 7}, "run must be a text, not 7."),
        ("sql", {"query": "DROP TABLE downloads"}, "Only SELECT is asked here"),
        ("sql", {"query": "SELECT 1", "limit": 5000}, "limit must be between 1 and 1000, not 5000."),
        ("sql", {"query": "SELECT 1", "limit": True}, "limit must be a whole number, not true."),
        ("start_run", {}, "There is no tool 'start_run': there are list_kpis,"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence_with_the_way_out(
    agent: Agent, tool: str, arguments: Mapping[str, Any], words: str
) -> None:
    assert words in agent.refusal(tool, **arguments)


def test_lists_may_come_as_text_and_null_is_left_out(agent: Agent) -> None:
    wanted = agent.answer("query_kpis", metrics=["updates", "restores"])["answer"]
    assert agent.answer("query_kpis", metrics='["updates", "restores"]', by=None)["answer"] == wanted
    assert agent.answer("query_kpis", metrics="updates, restores")["answer"] == wanted
    assert "metrics must be a list of texts" in agent.refusal("query_kpis", metrics="[updates")


def test_what_would_fill_an_agents_memory_is_refused_before_it_is_sent(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operations.agents.tools.MOST_VALUES", 27)
    assert "The answer would have 28 values, and at most 27" in agent.refusal("query_kpis", metrics=["updates"])


def test_an_error_of_aws_is_one_sentence(agent: Agent) -> None:
    def denied() -> Installation:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeStacks")

    assert Agent(agent.pipeline, denied).refusal("health") == "AWS denies DescribeStacks to these credentials: no"


def test_the_installation_is_opened_once_and_again_when_what_was_read_is_old() -> None:
    opened: list[int] = []
    clock = Clock()
    session = Session(lambda: opened.append(1), clock)  # type: ignore[arg-type, func-returns-value]
    assert session.here() is session.here()
    clock.pass_by(minutes=11)
    session.here()
    assert len(opened) == 2


def test_the_command_in_an_answer_finds_the_same_installation(agent: Agent) -> None:
    where = Where(profile="analytics", region="eu-central-1", stack="Numbers")
    command = Agent(agent.pipeline, agent.open_installation, where).answer("list_apps")["command"]
    assert command == "./manage.py --profile analytics --region eu-central-1 --stack Numbers apps --json"
