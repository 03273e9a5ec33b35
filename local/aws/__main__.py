"""Run the embedded AWS in the foreground: `python -m local.aws --port 4566`."""

import argparse
import errno
import os
import resource
import select
import shutil
import signal
import socket
import sys
import tempfile
import threading
from importlib import import_module
from pathlib import Path

import uvicorn

from local.aws import ministack

# ministack reads these when it is imported; values that the caller has set are kept.
_SETTINGS = {"BIND_HOST": "127.0.0.1", "SFTP_ENABLED": "0", "IOT_MTLS_ENABLED": "0", "LOG_LEVEL": "WARNING"}

_KEEP_ALIVE_SECONDS = 75  # ministack's own
_SHUTDOWN_SECONDS = 1
_OPEN_FILES = 10_240  # macOS's OPEN_MAX, its upper limit

# Each is a module in this folder, with a `patch()`.
_PATCHED = (
    "alarms",
    "athena",
    "cloudformation",
    "cognito",
    "dsql",
    "dynamodb",
    "faults",
    "functions",
    "histories",
    "maps",
    "metrics",
    "permissions",
    "step_functions",
    "streams",
    "web_sockets",
)


def main() -> None:
    """Patch ministack and serve until interrupted."""
    options = _options()
    for each in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # uvicorn handles both, and restores the handlers
        signal.signal(each, lambda number, _: sys.exit(128 + number))
    try:
        ministack.require_version()
    except ministack.PatchDoesNotFitError as error:
        sys.exit(str(error))
    if options.owned_directory:
        threading.Thread(target=_end_with_the_owner, args=(options.owned_directory,), daemon=True).start()
        _serve(options.port)
    else:
        with tempfile.TemporaryDirectory(prefix="embedded-aws-", ignore_cleanup_errors=True) as directory:
            os.environ["TMPDIR"] = tempfile.tempdir = directory
            _serve(options.port)


def _serve(port: int) -> None:
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    # otherwise ministack leaves a key in /tmp/ministack-state
    os.environ.setdefault("STATE_DIR", str(Path(tempfile.gettempdir()) / "state"))
    os.environ["GATEWAY_PORT"] = str(port)
    _patch()
    _raise_limit_of_open_files()
    # A run makes thousands of small requests, and ministack's own server is written in Python.
    config = uvicorn.Config(
        ministack.module("app").app,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        log_level=os.environ["LOG_LEVEL"].lower(),
        access_log=False,
        server_header=False,  # ministack adds AWS's response headers itself
        date_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[_bound(port)])


def _bound(port: int) -> socket.socket:
    """It does not listen yet: a client that gets an answer can send a signal, and uvicorn has to be ready for it."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((os.environ["BIND_HOST"], port))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        sys.exit(f"Port {port} is taken: give another with --port.")
    return bound


def _raise_limit_of_open_files() -> None:
    """Each connection is an open file, and every worker of a function has a few; the default limit on macOS is 256."""
    _, largest = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = _OPEN_FILES if largest == resource.RLIM_INFINITY else largest  # macOS reports it, but refuses it
    resource.setrlimit(resource.RLIMIT_NOFILE, (enough, largest))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.aws", description=__doc__, allow_abbrev=False)
    parser.add_argument("--port", type=int, required=True, help="loopback port to listen on")
    parser.add_argument(
        "--owned-directory", type=Path, help="end, and remove this directory, as soon as standard input closes"
    )
    return parser.parse_args()


def _end_with_the_owner(directory: Path) -> None:
    """The owner holds the other end of standard input and never writes: a hang-up means that it is gone."""
    watch = select.poll()
    watch.register(sys.stdin.fileno(), 0)
    watch.poll()
    shutil.rmtree(directory, ignore_errors=True)
    os._exit(1)


def _patch() -> None:
    # Imported here because importing ministack reads the environment.
    for service in _PATCHED:
        import_module(f"local.aws.{service}").patch()


if __name__ == "__main__":
    main()
