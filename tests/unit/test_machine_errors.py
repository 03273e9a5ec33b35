"""Errors of AWS and of the disk, as every handler names them for the state machine."""

import ast
from errno import EACCES, EDQUOT, ENOSPC
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError, ResponseStreamingError
from urllib3.exceptions import ProtocolError

from appstore_analytics.contract.errors import AwsUnavailable, DiskFull, InputRefused, PermanentError, TransientError
from appstore_analytics.wiring.machine_errors import names_machine_errors

HANDLERS = sorted(
    path
    for path in (Path(__file__).parents[2] / "functions").glob("*/handler.py")
    if not path.parent.name.startswith("console_")  # no state machine calls these
)


def named(error: Exception, step: str = "publish_date") -> Any:
    @names_machine_errors(step)
    def handler(event: dict[str, Any], context: object) -> None:
        raise error

    return handler({}, None)


def answer(code: str, status: int) -> ClientError:
    about = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(about, "PutItem")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "error",
    [
        ResponseStreamingError(error="reset"),
        ReadTimeoutError(endpoint_url="x"),
        EndpointConnectionError(endpoint_url="x"),
        ProtocolError("broken"),
        ConnectionResetError(104, "reset"),
        answer("InternalServerError", 500),
        answer("SlowDown", 503),
        answer("ThrottlingException", 400),
        answer("ProvisionedThroughputExceededException", 400),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_a_pause_may_heal_is_transient(error: Exception) -> None:
    with pytest.raises(AwsUnavailable, match=r"^publish_date: AWS "):
        named(error)
    assert issubclass(AwsUnavailable, TransientError)


@pytest.mark.parametrize(
    "error", [answer("AccessDeniedException", 400), InputRefused("no"), OSError(EACCES, "denied"), KeyError("x")]
)
def test_everything_else_stays_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as raised:
        named(error)
    assert raised.value is error


@pytest.mark.parametrize("number", [ENOSPC, EDQUOT])
@pytest.mark.parametrize(
    ("step", "setting"),
    [
        ("convert_instance", "CONVERSION_GIBIBYTES"),
        ("download_segments", "DOWNLOAD_GIBIBYTES"),
        ("publish_date", "PUBLICATION_GIBIBYTES"),
    ],
)
def test_a_full_disk_names_the_setting_to_raise(step: str, setting: str, number: int) -> None:
    with pytest.raises(DiskFull, match=f"The disk of {step} is full: raise {setting} in contract/capacities.py, now 4"):
        named(OSError(number, "No space left on device"), step)
    assert issubclass(DiskFull, PermanentError)


def test_a_full_disk_of_any_other_function_says_what_to_do() -> None:
    with pytest.raises(DiskFull, match=r"give its function a larger size in contract/capacities\.py"):
        named(OSError(ENOSPC, "full"), "summarize_run")


@pytest.mark.parametrize("path", HANDLERS, ids=lambda path: path.parent.name)
def test_every_handler_names_them_by_its_own_step(path: Path) -> None:
    (handler,) = [
        node
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name == "handler"
    ]
    assert f"names_machine_errors('{path.parent.name}')" in [ast.unparse(each) for each in handler.decorator_list]
