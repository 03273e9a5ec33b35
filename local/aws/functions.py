"""Lambda: errors keep their class, workers survive them and end with the server, layers are unzipped once."""

import hashlib
import json
import os
import queue
import tempfile
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from local.aws.ministack import module, replace, rewrite

PATCH = "functions"

# A handler's exception travels as an ordinary result under this key, because ministack ends the worker on any other.
_FAILURE = "__handler_failure__"
_END_OF_LOG = "\x1eend of log"

# Waiting for the hang-up of standard input, and never reading it, tells a worker in the middle of a handler that the
# server is gone, however it went.
_END_WITH_THE_SERVER = """
def _end_with_the_server():
    import select
    watch = select.poll()
    watch.register(0, 0)
    watch.poll()
    os._exit(1)

import threading
threading.Thread(target=_end_with_the_server, daemon=True).start()
"""

_ANSWER_FAILURE_OLD = 'json.dumps({"status": "error", "error": str(e), "trace": traceback.format_exc()})'
_ANSWER_FAILURE_NEW = (
    f'json.dumps({{"status": "ok", "result": {{"{_FAILURE}": {{"errorType": type(e).__name__, '
    '"errorMessage": str(e), "stackTrace": traceback.format_exc().splitlines()}}})'
)
_FLUSH_OLD = "        _real_stdout.flush()\n\nrun()"
_FLUSH_NEW = f"""        sys.stderr.write({_END_OF_LOG!r} + "\\n")
        sys.stderr.flush()
        _real_stdout.flush()

{_END_WITH_THE_SERVER}
run()"""


def patch() -> None:
    """Change the worker's script, what becomes of its answer, its log and its layers."""
    runtime = module("core.lambda_runtime")
    service = module("services.lambda_svc")
    rewrite(runtime, "_PYTHON_WORKER_SCRIPT", _ANSWER_FAILURE_OLD, _ANSWER_FAILURE_NEW, patch=PATCH)
    rewrite(runtime, "_PYTHON_WORKER_SCRIPT", _FLUSH_OLD, _FLUSH_NEW, patch=PATCH)
    replace(service, "_execute_function_warm", _with_error_type, patch=PATCH)
    replace(runtime.Worker, "_drain_stderr_bounded", lambda _: _read_log, patch=PATCH)
    replace(runtime, "zipfile", _with_shared_layers, patch=PATCH)


def _with_error_type(execute: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Answer a failed handler as Lambda does: errorType is the exception's class, which Retry and Catch match.

    What ministack itself reports as a handler's error can then only be a worker that ended: Runtime.ExitError, as the
    runtime interface emulator of AWS names it. (A time-out is Sandbox.Timedout there and in ministack.)
    """

    def execute_function(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        answer = execute(func, event, request_id)
        body = answer.get("body")
        if answer.get("error") and isinstance(body, dict) and body.get("errorType") == "Runtime.HandlerError":
            message = f"RequestId: {request_id} Error: Runtime exited with error: {body['errorMessage']}"
            return {**answer, "body": {"errorMessage": message, "errorType": "Runtime.ExitError"}}
        if not isinstance(body, dict) or _FAILURE not in body:
            return answer
        failure = {**body[_FAILURE], "requestId": request_id}
        log = "\n".join(filter(None, [answer.get("log", ""), "[ERROR] " + "\n".join(failure["stackTrace"])]))
        return {"body": failure, "error": True, "log": log}

    return execute_function


def _read_log(worker: Any) -> str:
    """Read the lines of one invocation up to its end mark, instead of guessing for 50 ms whether more will come."""
    lines: list[str] = []
    try:
        while not (line := worker._stderr_queue.get(timeout=1)).endswith(_END_OF_LOG):
            lines.append(line)
        lines.append(line.removesuffix(_END_OF_LOG))  # what a handler wrote without ending its line
    except queue.Empty:  # a worker that died leaves no mark
        pass
    return "\n".join(lines).removesuffix("\n")


def _with_shared_layers(standard: ModuleType) -> Any:
    """The zipfile module whose ZipFile unzips each distinct layer once; every worker gets a link to that folder."""
    layers = _SharedLayers(Path(tempfile.mkdtemp(prefix="layers-")))

    class LayerZip(zipfile.ZipFile):
        def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:
            if Path(path).name.startswith("layer_"):
                layers.link(self, Path(path), super().extractall)
            else:
                super().extractall(path, members, pwd)

    shared = ModuleType("zipfile_with_shared_layers")
    shared.__dict__.update(standard.__dict__, ZipFile=LayerZip)
    return shared


class _SharedLayers:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}

    def link(self, archive: zipfile.ZipFile, place: Path, extract: Callable[[Path], None]) -> None:
        """Unzip the archive if no one has, replace the empty folder `place` by a link, drop the worker's copy."""
        digest = _content_digest(archive)
        with self._lock:
            lock = self._locks.setdefault(digest, threading.Lock())
        target = self._folder / digest
        with lock:
            if not target.exists():
                unfinished = Path(tempfile.mkdtemp(dir=self._folder))
                extract(unfinished)
                unfinished.rename(target)
        place.rmdir()
        place.symlink_to(target, target_is_directory=True)
        os.unlink(str(archive.filename))


def _content_digest(archive: zipfile.ZipFile) -> str:
    entries = [(entry.filename, entry.CRC, entry.file_size) for entry in archive.infolist()]
    return hashlib.sha256(json.dumps(entries).encode()).hexdigest()
