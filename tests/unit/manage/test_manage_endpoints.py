"""Which AWS a command talks to: the embedded one while it runs, else the account of the credentials."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from appstore_analytics.answers.errors import Refused, Unreachable
from operations import embedded

pytestmark = pytest.mark.usefixtures("without_aws")


@pytest.fixture
def listening() -> Iterator[Callable[[], str]]:
    """Addresses with a listener."""
    with ExitStack() as servers:

        def listen() -> str:
            server = servers.enter_context(socket.create_server(("127.0.0.1", 0)))
            return f"http://127.0.0.1:{server.getsockname()[1]}"

        yield listen


CLOSED = "http://127.0.0.1:1"


def test_the_address_of_a_kept_embedded_aws_is_found_while_it_runs(
    tmp_path: Path, listening: Callable[[], str]
) -> None:
    file, url = tmp_path / "build" / "embedded-aws", listening()
    with embedded.announced(url, file):
        assert embedded.address({}, file) == url
        assert embedded.address({"AWS_ENDPOINT_URL": f"{url}/"}, file) == url
    with pytest.raises(Unreachable):
        embedded.address({}, file)


def test_an_endpoint_in_the_environment_never_leads_to_another_deployment(
    tmp_path: Path, listening: Callable[[], str]
) -> None:
    file, url, other = tmp_path / "embedded-aws", listening(), listening()
    with embedded.announced(url, file), pytest.raises(Refused) as refused:
        embedded.address({"AWS_ENDPOINT_URL": other}, file)
    assert str(refused.value) == (
        f"AWS_ENDPOINT_URL is {other}, but the embedded AWS of this folder is {url}: unset AWS_ENDPOINT_URL, "
        "or leave out --local."
    )
    assert embedded.address({"AWS_ENDPOINT_URL": other}, file) == other  # announced by another folder


@pytest.mark.parametrize("endpoint", ["https://vpce-1.s3.example.com", "localhost:4566", "nonsense"])
def test_an_endpoint_elsewhere_is_no_embedded_aws(tmp_path: Path, endpoint: str) -> None:
    with pytest.raises(Refused, match="which is not on this machine: unset it"):
        embedded.address({"AWS_ENDPOINT_URL": endpoint}, tmp_path / "embedded-aws")


@pytest.mark.parametrize("environment", [{}, {"AWS_ENDPOINT_URL": CLOSED}])
def test_a_killed_embedded_aws_leaves_an_announcement_that_is_not_believed(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    file = tmp_path / "embedded-aws"
    with embedded.announced(CLOSED, file), pytest.raises(Unreachable, match=r"No embedded AWS is running.*--keep"):
        embedded.address(environment, file)


def test_a_profile_and_a_proxy_of_the_person_do_not_touch_the_embedded_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "gone")
    monkeypatch.setenv("HTTP_PROXY", CLOSED)
    client = embedded.session().client("s3", endpoint_url=CLOSED)
    assert client.meta.config.proxies == {}


def test_the_address_of_a_later_one_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "embedded-aws"
    with embedded.announced("http://127.0.0.1:1", file):
        file.write_text("http://127.0.0.1:2")
    assert file.read_text() == "http://127.0.0.1:2"
