import os
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.retries import FUNCTION_DEATHS
from local.aws.server import EmbeddedAws
from tests.integration.embedded_aws import deployment

FAILING = """
class CallBudgetSpent(Exception):
    pass

calls = 0

def handle(event, context):
    global calls
    calls += 1
    print("call", calls, end="" if event.get("fail") else "\\n")
    if event.get("fail"):
        raise CallBudgetSpent("come back later")
    import os
    return {"calls": calls, "pid": os.getpid()}
"""


def test_a_handlers_exception_keeps_its_class(aws: EmbeddedAws) -> None:
    deployment.create_function(aws, "failing", FAILING)
    answer = deployment.invoke(aws, "failing", {"fail": True})
    assert answer["error"] == "Unhandled"
    assert answer["payload"]["errorType"] == "CallBudgetSpent"
    assert answer["payload"]["errorMessage"] == "come back later"


def test_a_handlers_exception_leaves_its_worker_warm(aws: EmbeddedAws) -> None:
    deployment.create_function(aws, "surviving", FAILING)
    first = deployment.invoke(aws, "surviving")["payload"]
    deployment.invoke(aws, "surviving", {"fail": True})
    assert deployment.invoke(aws, "surviving")["payload"] == {"calls": 3, "pid": first["pid"]}


DYING = """
import os, pathlib, signal, time

def handle(event, context):
    path = pathlib.Path(event["path"])
    path.write_text(path.read_text() + "x" if path.exists() else "x")
    if len(path.read_text()) <= event["deaths"]:
        os.kill(os.getpid(), signal.SIGKILL) if event["by"] == "kill" else time.sleep(60)
    return {"calls": len(path.read_text())}
"""


@pytest.mark.parametrize(("by", "error"), [("kill", "Runtime.ExitError"), ("time-out", "Sandbox.Timedout")])
def test_a_function_that_dies_has_the_error_name_of_aws(aws: EmbeddedAws, tmp_path: Path, by: str, error: str) -> None:
    deployment.create_function(aws, f"dying-by-{by}", DYING, timeout_seconds=1)
    event = {"path": str(tmp_path / "calls"), "deaths": 1, "by": by}
    answer = deployment.invoke(aws, f"dying-by-{by}", event)
    assert answer["error"] == "Unhandled"
    assert answer["payload"]["errorType"] == error
    assert deployment.invoke(aws, f"dying-by-{by}", event)["payload"] == {"calls": 2}


def test_a_state_retries_a_function_that_died(aws: EmbeddedAws, tmp_path: Path) -> None:
    deployment.create_function(aws, "dying-in-a-state", DYING)
    event = {"path": str(tmp_path / "calls"), "deaths": 2, "by": "kill"}
    retry = [{"ErrorEquals": [*FUNCTION_DEATHS], "IntervalSeconds": 1, "BackoffRate": 1, "MaxAttempts": 2}]
    answer = deployment.execute(aws, {"Step": deployment.task("dying-in-a-state", Retry=retry)}, event)
    assert answer["output"] == {"answer": {"calls": 3}}


def test_the_log_of_an_invocation_is_its_own_and_complete(aws: EmbeddedAws) -> None:
    deployment.create_function(aws, "logging", FAILING)
    for event in ({}, {"fail": True}):
        deployment.invoke(aws, "logging", event)
    logs = aws.client("logs")
    streams = logs.describe_log_streams(logGroupName="/aws/lambda/logging")["logStreams"]
    texts = []
    for stream in streams:
        events = logs.get_log_events(logGroupName="/aws/lambda/logging", logStreamName=stream["logStreamName"])
        texts.append("\n".join(event["message"] for event in events["events"]))
    assert sorted(len(re.findall(r"^call \d$", text, re.MULTILINE)) for text in texts) == [1, 1]
    assert sum("CallBudgetSpent: come back later" in text for text in texts) == 1
    assert not any("end of log" in text for text in texts)


def test_a_silent_handler_is_not_waited_for(aws: EmbeddedAws) -> None:
    deployment.create_function(aws, "silent", "def handle(event, context):\n    return {}\n")
    deployment.invoke(aws, "silent")
    durations = []
    for _ in range(5):
        started = time.perf_counter()
        deployment.invoke(aws, "silent")
        durations.append(time.perf_counter() - started)
    assert min(durations) < 0.05


USING_A_LAYER = """
import os, time, words

def handle(event, context):
    time.sleep(0.3)
    return [words.WORD, os.path.realpath(words.__file__)]
"""


def test_workers_that_start_together_share_one_unzipped_layer(aws: EmbeddedAws) -> None:
    layer = deployment.create_layer(aws, "words", {"python/words.py": "WORD = 'harbor'\n"})
    names = ["first", "second", "third"]
    for name in names:
        deployment.create_function(aws, name, USING_A_LAYER, [layer])
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda name: deployment.invoke(aws, name)["payload"], names))
    assert {word for word, _ in answers} == {"harbor"}
    assert len({path for _, path in answers}) == 1


def test_another_server_unzips_a_layer_only_if_its_contents_differ(aws: EmbeddedAws) -> None:
    harbor, anchor = ({"python/words.py": f"WORD = '{word}'\n"} for word in ("harbor", "anchor"))
    with EmbeddedAws() as other:
        answers = []
        for server, files in ((aws, harbor), (other, harbor), (other, anchor)):
            name = f"after-{len(answers)}"
            deployment.create_function(server, name, USING_A_LAYER, [deployment.create_layer(server, "words", files)])
            answers.append(deployment.invoke(server, name)["payload"])
    assert [word for word, _ in answers] == ["harbor", "harbor", "anchor"]
    assert answers[0] == answers[1]
    assert answers[1][1] != answers[2][1]


WAITING = """
import os, pathlib, time

def handle(event, context):
    pathlib.Path(event["path"]).write_text(str(os.getpid()))
    time.sleep(60)
"""


def test_no_worker_and_no_file_outlives_the_block(tmp_path: Path) -> None:
    with EmbeddedAws() as aws:
        worker = _start_waiting_function(aws, tmp_path / "pid")
        directory = aws.directory
    assert _gone(worker)
    assert not directory.exists()


def test_a_busy_worker_ends_when_the_server_is_killed(tmp_path: Path) -> None:
    with EmbeddedAws() as aws:
        worker = _start_waiting_function(aws, tmp_path / "pid")
        os.kill(aws.process_id, 9)
        _wait(lambda: _gone(worker))


def _start_waiting_function(aws: EmbeddedAws, path: Path) -> int:
    deployment.create_function(aws, "waiting", WAITING, timeout_seconds=60)
    aws.client("lambda").invoke(
        FunctionName="waiting", InvocationType="Event", Payload=f'{{"path": "{path}"}}'.encode()
    )
    _wait(lambda: path.exists() and path.read_text() != "")
    return int(path.read_text())


def _wait(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline


def _gone(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"
