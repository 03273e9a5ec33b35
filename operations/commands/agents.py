"""Serving programs that talk to people about the numbers."""

import sys

import typer

from appstore_analytics.answers.errors import Refused
from appstore_analytics.wiring.clock import utc_now
from operations import screens
from operations.agents.answering import Session
from operations.commands.asked import Asked


def mcp(context: typer.Context) -> None:
    """Serve the read-only questions to an agent: Model Context Protocol on standard input and output."""
    asked: Asked = context.obj
    if asked.as_json:
        raise Refused("--json cannot be used with mcp: its answers are JSON anyway.")
    if sys.stdin.isatty():
        words = "A client of the Model Context Protocol starts this command: docs/agents.md says how. Ctrl-C ends it."
        screens.say(screens.console(stderr=True), words)
    from operations.agents.server import serve  # noqa: PLC0415 (the protocol takes seconds to load)

    serve(Session(asked.where.open, utc_now), asked.where.options())
