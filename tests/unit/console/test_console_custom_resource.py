"""CloudFormation gets an answer about a migration in every case, and at once."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from appstore_analytics.contract.errors import ConfigurationRefused
from appstore_console.custom_resource import answer


class CloudFormation(HTTPServer):
    """The address to which responses are sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.heard: list[dict[str, Any]] = []

    def ask(self, kind: str, run: Callable[[], Sequence[str]]) -> Any:
        event = {
            "RequestType": kind,
            "ResponseURL": f"http://127.0.0.1:{self.server_port}/answer",
            "StackId": "stack-1",
            "RequestId": "request-1",
            "LogicalResourceId": "Migration",
            **({} if kind == "Create" else {"PhysicalResourceId": "Migration"}),
        }
        return answer(event, run)


class _Handler(BaseHTTPRequestHandler):
    server: CloudFormation

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append(json.loads(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def cloudformation() -> Iterator[CloudFormation]:
    with CloudFormation() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_it_runs_when_the_resource_is_made_and_when_it_changes(cloudformation: CloudFormation, kind: str) -> None:
    assert cloudformation.ask(kind, lambda: ("0001_tables.sql",)) == ["0001_tables.sql"]
    (heard,) = cloudformation.heard
    assert (heard["Status"], heard["PhysicalResourceId"]) == ("SUCCESS", "Migration")
    assert (heard["StackId"], heard["RequestId"], heard["LogicalResourceId"]) == ("stack-1", "request-1", "Migration")


def test_nothing_is_run_when_the_resource_goes_because_data_outlives_the_stack(cloudformation: CloudFormation) -> None:
    def run() -> Sequence[str]:
        raise AssertionError("it ran")

    assert cloudformation.ask("Delete", run) == []
    assert cloudformation.heard[0]["Status"] == "SUCCESS"


def test_a_refusal_is_told_in_its_own_words(cloudformation: CloudFormation) -> None:
    def run() -> Sequence[str]:
        raise ConfigurationRefused("The secret has no host.")

    with pytest.raises(ConfigurationRefused):
        cloudformation.ask("Create", run)
    assert cloudformation.heard[0]["Status"] == "FAILED"
    assert cloudformation.heard[0]["Reason"] == "The secret has no host."


def test_anything_else_is_told_too_without_its_words_which_may_hold_a_password(cloudformation: CloudFormation) -> None:
    def run() -> Sequence[str]:
        raise KeyError("hunter2")

    with pytest.raises(KeyError):
        cloudformation.ask("Update", run)
    assert cloudformation.heard[0]["Status"] == "FAILED"
    assert "hunter2" not in cloudformation.heard[0]["Reason"]
