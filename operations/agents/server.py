"""The tools over the Model Context Protocol, on standard input and output."""

import json
import os
import shlex
import signal
from collections.abc import Sequence
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from botocore.exceptions import BotoCoreError, ClientError
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    ToolAnnotations,
)
from mcp_types import Tool as ToolOfProtocol

from appstore_analytics.answers.errors import NoAnswer, Refused
from appstore_analytics.contract.errors import InputRefused, PipelineError
from appstore_analytics.contract.names import SERVICE
from operations import aws_errors
from operations.agents.answering import ENVELOPE, Session
from operations.agents.arguments import read_arguments
from operations.agents.tools import TOOLS, Tool
from operations.exits import ExitStatus

_TOOLS = {tool.name: tool for tool in TOOLS}

_INSTRUCTIONS = """\
Numbers of Apple's App Store Analytics, as this pipeline has stored them. Tools only read.
Ask list_kpis for the names of KPIs, and query_kpis for values before sql: its values have a state and a trap.
Never treat null as zero, and never sum a stock, a ratio or a bound over Dates or apps: ask for it as one number.
With every number say its bound (at most, at least, estimate), its trap, and that Dates after complete_until can change.
Apps have the names in list_apps. Dates are Apple's days in UTC; Apple completes most of them within a week."""


def make_server(session: Session, options: Sequence[str] = ()) -> Server[Any]:
    """A server for one client. `options` are those of the command line by which the installation was found.

    If something cannot be asked or answered, the call fails with one sentence that names the field and the fix.
    """
    one_at_a_time = anyio.CapacityLimiter(1)  # boto3's tables of DynamoDB are for one thread

    async def list_tools(_: ServerRequestContext[Any], __: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[_of_protocol(tool) for tool in TOOLS])

    async def call_tool(_: ServerRequestContext[Any], asked: CallToolRequestParams) -> CallToolResult:
        call = partial(_call, session, options, asked.name, asked.arguments or {})
        return await anyio.to_thread.run_sync(call, limiter=one_at_a_time)

    return Server(
        SERVICE,
        title="App Store Analytics",
        instructions=_INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def serve(session: Session, options: Sequence[str]) -> None:
    """Serve the client on standard input and output until it closes them, or until Ctrl-C."""
    # Reading standard input cannot be cancelled, so an exception would wait for the client; there is nothing to save.
    signal.signal(signal.SIGINT, lambda *_: os._exit(ExitStatus.INTERRUPTED))
    anyio.run(_serve, make_server(session, options))


async def _serve(server: Server[Any]) -> None:
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


def _of_protocol(tool: Tool) -> ToolOfProtocol:
    return ToolOfProtocol(
        name=tool.name,
        title=tool.title,
        description=tool.words,
        input_schema={
            "type": "object",
            "properties": {argument.name: argument.schema for argument in tool.arguments},
            "required": [argument.name for argument in tool.arguments if argument.is_required],
            "additionalProperties": False,
        },
        output_schema=ENVELOPE,
        annotations=ToolAnnotations(title=tool.title, read_only_hint=True, open_world_hint=False),
    )


def _call(session: Session, options: Sequence[str], name: str, arguments: dict[str, Any]) -> CallToolResult:
    try:
        answer = _answer(session, options, name, arguments)
    except (NoAnswer, InputRefused, PipelineError) as error:
        return _failed(str(error))
    except (BotoCoreError, ClientError) as error:
        return _failed(aws_errors.sentence(error))
    return CallToolResult(content=[TextContent(type="text", text=json.dumps(answer))], structured_content=answer)


def _answer(session: Session, options: Sequence[str], name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    if name not in _TOOLS:
        raise Refused(f"There is no tool '{name[:40]}': there are {', '.join(_TOOLS)}.")
    tool = _TOOLS[name]
    given = read_arguments(name, tool.arguments, arguments)
    answered = tool.ask(session.here(), given)
    return answered.to_json(shlex.join(("./manage.py", *options, tool.command, *given.words(), "--json")))


def _failed(sentence: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=sentence)], is_error=True)
