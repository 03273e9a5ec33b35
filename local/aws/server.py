"""Start the embedded AWS for the length of a `with` block: the demo and the end-to-end tests use it."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from operations.embedded import CREDENTIALS, REGION, session
from workshop.running import running

ACCOUNT = "000000000000"
_PROJECT = Path(__file__).resolve().parents[2]
_START_SECONDS = 30.0
_REMOVE_SECONDS = 5.0
_WITHOUT_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_ENDED = "The embedded AWS was stopped from outside while it was in use, and its data is gone: start again."


class EmbeddedAwsError(RuntimeError):
    """The server did not start (the message has the last lines of its log), or it was ended while in use."""


@dataclass(frozen=True, slots=True)
class EMail:
    """An e-mail that would have been sent."""

    to: tuple[str, ...]
    subject: str
    body: str


class EmbeddedAws:
    """A server on a free loopback port, with its own empty state and temporary directory.

    Leaving the block in any way ends the server and every function worker and removes the directory. If this process is
    killed, the server notices and ends itself in the same way.

    With `enforces_permissions` a function can do only what its role's policies allow; our own credentials are the
    account's root, which can do everything. `concurrent_functions` is the account's Lambda quota; a call beyond it is
    throttled.
    """

    def __init__(self, *, enforces_permissions: bool = False, concurrent_functions: int | None = None) -> None:
        self._enforces_permissions = enforces_permissions
        self._concurrent_functions = concurrent_functions
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.directory = Path(tempfile.mkdtemp(prefix="embedded-aws-"))
        self.log_path = self.directory / "server.log"
        self._session = session()
        self._clients: dict[str, Any] = {}
        self._running = contextlib.ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The settings with which boto3, the AWS CLI and the CDK use this server and nothing else."""
        access_key, secret_key = CREDENTIALS
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": access_key,
            "AWS_SECRET_ACCESS_KEY": secret_key,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "CDK_DEFAULT_ACCOUNT": ACCOUNT,
            "CDK_DEFAULT_REGION": REGION,
        }

    @property
    def process_id(self) -> int:
        """The server's process id, which is also the id of the process group that its workers belong to."""
        if self._process is None:
            raise EmbeddedAwsError("The embedded AWS has not been started: use it in a with statement.")
        return self._process.pid

    def wait(self) -> None:
        """Wait for Ctrl-C. EmbeddedAwsError if the server ends before: only this object should end it."""
        if self._process is not None:
            self._process.wait()
        raise EmbeddedAwsError(_ENDED)

    def client(self, service: str) -> Any:
        """A boto3 client of `service` on this server; the same one each time, because creating one takes long."""
        if service not in self._clients:
            create: Callable[..., Any] = self._session.client  # the service's name is not a literal here
            self._clients[service] = create(service, endpoint_url=self.url)
        return self._clients[service]

    def table(self, name: str) -> Any:
        """A DynamoDB table on this server, for the registry."""
        return self._session.resource("dynamodb", endpoint_url=self.url).Table(name)

    def e_mails(self) -> list[EMail]:
        """E-mails that Cognito and SES would have sent, oldest first. No real e-mail leaves this server."""
        with _WITHOUT_PROXY.open(f"{self.url}/_ministack/ses/messages", timeout=5) as answer:
            sent = json.load(answer)["messages"].get(ACCOUNT, [])
        return [EMail(tuple(each["To"]), each["Subject"], each["BodyHtml"] or each["BodyText"]) for each in sent]

    def __enter__(self) -> Self:
        self._running.enter_context(running(f"the embedded AWS at {self.url}"))
        try:
            self._start()
            self._wait_until_healthy()
        except BaseException:
            self._stop()
            self._running.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        was_ended = self._process is not None and self._process.poll() is not None
        self._stop()
        self._running.close()
        if was_ended and isinstance(error, Exception):
            raise EmbeddedAwsError(_ENDED) from error

    def _start(self) -> None:
        home = self.directory / "home"
        temporary = self.directory / "tmp"
        home.mkdir()
        temporary.mkdir()
        command = [sys.executable, "-m", "local.aws", "--port", str(self.port)]
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "TMPDIR": str(temporary)}
        if self._enforces_permissions:
            environment["AUTH"] = "true"
        if self._concurrent_functions:
            environment["LAMBDA_ACCOUNT_CONCURRENCY"] = str(self._concurrent_functions)
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 (our own module, run by our own interpreter)
                [*command, "--owned-directory", str(self.directory)],
                cwd=_PROJECT,  # how -m finds local.aws; a PYTHONPATH would leak into the functions
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self._is_healthy():
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                log = self.log_path.read_text(errors="replace")[-2000:]
                raise EmbeddedAwsError(f"The embedded AWS did not start on port {self.port}. Its log ends with:\n{log}")
            time.sleep(0.02)

    def _is_healthy(self) -> bool:
        try:
            with _WITHOUT_PROXY.open(f"{self.url}/_ministack/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def _stop(self) -> None:
        """Kill the whole group at once: everything the server knows is in its memory and in our directory."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):  # it ended by itself
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            if self._process.stdin is not None:
                self._process.stdin.close()
        self._remove_directory()

    def _remove_directory(self) -> None:
        """Try again while another process still writes: the app of an interrupted `cdk` ends a moment after it."""
        deadline = time.monotonic() + _REMOVE_SECONDS
        while self.directory.exists() and time.monotonic() < deadline:
            shutil.rmtree(self.directory, ignore_errors=True)
            time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
