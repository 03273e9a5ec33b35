"""Lambda: errors keep their class, workers survive them and end with the server, layers are unzipped only once."""

import hashlib
import io
import queue
import tempfile
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from local.aws.ministack import module, original, replace, rewrite

PATCH = "functions"

# A handler's exception travels as an ordinary result under this key, because ministack ends the worker on any other.
_FAILURE = "__handler_failure__"
_END_OF_LOG = "\x1eend of log"
_UNZIPPED_AT = "unzipped-at"
_UNZIPPED = Path(__file__).resolve().parents[2] / ".build" / "unzipped"

# A worker waits for standard input to be closed, without reading it. So it notices even during a handler that the
# server is gone, however it ended.
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
    """Change the worker's script, and the handling of its answer, its log and its layers."""
    runtime = module("core.lambda_runtime")
    service = module("services.lambda_svc")
    rewrite(runtime, "_PYTHON_WORKER_SCRIPT", _ANSWER_FAILURE_OLD, _ANSWER_FAILURE_NEW, patch=PATCH)
    rewrite(runtime, "_PYTHON_WORKER_SCRIPT", _FLUSH_OLD, _FLUSH_NEW, patch=PATCH)
    replace(service, "_execute_function_warm", _with_error_type, patch=PATCH)
    replace(runtime.Worker, "_drain_stderr_bounded", lambda _: _read_log, patch=PATCH)
    _share_layers(runtime, service)


def _with_error_type(execute: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Answer a failed handler as Lambda does: errorType is the exception's class, which Retry and Catch match.

    A handler's error that ministack itself reports can then only be a worker that ended: Runtime.ExitError, as the
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
    """Read the lines of one invocation up to its end mark, instead of waiting 50 ms for more."""
    lines: list[str] = []
    try:
        while not (line := worker._stderr_queue.get(timeout=1)).endswith(_END_OF_LOG):
            lines.append(line)
        lines.append(line.removesuffix(_END_OF_LOG))  # text that a handler wrote without ending the line
    except queue.Empty:  # a worker that died leaves no mark
        pass
    return "\n".join(lines).removesuffix("\n")


def _share_layers(runtime: ModuleType, service: ModuleType) -> None:
    """Unzip each distinct layer once; a worker gets a zip that only has the path, and links to that folder."""
    layers = _SharedLayers(_UNZIPPED)
    content = original(service, "_resolve_layer_zip", patch=PATCH)
    unzipped_size = original(service, "_unzipped_size", patch=PATCH)
    replace(service, "_layer_unzipped_size", lambda _: lambda layer: unzipped_size(content(layer)), patch=PATCH)
    replace(service, "_resolve_layer_zip", lambda _: lambda layer: layers.pointer(content(layer)), patch=PATCH)
    replace(runtime, "zipfile", _following_pointers, patch=PATCH)


class _SharedLayers:
    """Unzipped layers by their contents. They outlive the server, with the byte code that workers leave in them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._lock = threading.Lock()
        self._pointers: dict[bytes, bytes] = {}

    def pointer(self, layer: bytes | None) -> bytes | None:
        """A zip of one entry: the folder with the contents of `layer`, which is unzipped now if necessary."""
        if layer is None:
            return None
        with self._lock:
            if layer not in self._pointers:
                self._pointers[layer] = self._unzipped(layer)
            return self._pointers[layer]

    def _unzipped(self, layer: bytes) -> bytes:
        folder = self._folder / hashlib.sha256(layer).hexdigest()
        if not folder.exists():
            self._unzip(layer, folder)
        pointer = io.BytesIO()
        with zipfile.ZipFile(pointer, "w") as archive:
            archive.writestr(_UNZIPPED_AT, str(folder))
        return pointer.getvalue()

    def _unzip(self, layer: bytes, folder: Path) -> None:
        """Into a temporary folder, which gets its name when it is complete: a server can be killed at any moment."""
        with tempfile.TemporaryDirectory(dir=self._folder) as workshop:
            draft = Path(workshop) / "layer"
            with zipfile.ZipFile(io.BytesIO(layer)) as archive:
                archive.extractall(draft)
            try:
                draft.rename(folder)
            except OSError:
                if not folder.exists():  # otherwise another server was first
                    raise


def _following_pointers(standard: ModuleType) -> Any:
    """The zipfile module with a ZipFile that links to the folder in such a zip, instead of unzipping."""

    class LayerZip(zipfile.ZipFile):
        def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:
            if self.namelist() == [_UNZIPPED_AT]:
                Path(path).rmdir()
                Path(path).symlink_to(self.read(_UNZIPPED_AT).decode(), target_is_directory=True)
            else:
                super().extractall(path, members, pwd)

    following = ModuleType("zipfile_following_pointers")
    following.__dict__.update(standard.__dict__, ZipFile=LayerZip)
    return following
