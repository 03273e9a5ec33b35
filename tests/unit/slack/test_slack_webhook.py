import logging
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from appstore_analytics.contract.errors import ConfigurationRefused
from appstore_analytics.slack.webhook import NotDeliveredError, post, read_webhook

HOSTS = ("hooks.slack.com",)
PATH = "/services/T000/B000/notreally"
URL = f"https://hooks.slack.com{PATH}"


class Secrets:
    """The one secret of Secrets Manager."""

    def __init__(self, value: str) -> None:
        self._value = value

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803 (boto3's spelling)
        assert SecretId == "harbor/slack"
        return {"SecretString": self._value}


class Answering(BaseAdapter):
    """A network that answers with a status, or fails."""

    def __init__(self, status: int = 200, error: Exception | None = None) -> None:
        super().__init__()
        self._status = status
        self._error = error
        self.bodies: list[Any] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        self.bodies.append(request.body)
        if self._error:
            raise self._error
        answer = requests.Response()
        answer.status_code, answer.url = self._status, str(request.url)
        return answer

    def close(self) -> None:
        pass


def session(network: Answering) -> requests.Session:
    made = requests.Session()
    made.mount("https://", network)
    return made


def test_the_url_of_a_webhook_is_read_from_its_secret() -> None:
    assert read_webhook(Secrets(f"{URL}\n"), "harbor/slack", HOSTS, allow_loopback=False) == URL


@pytest.mark.parametrize(
    "value",
    [
        f"http://hooks.slack.com{PATH}",
        f"https://hooks.slack.com.example.com{PATH}",
        f"https://example.com{PATH}",
        f"https://hooks.slack.com@example.com{PATH}",
        f"https://someone@hooks.slack.com{PATH}",
        f"https://hooks.slack.com:8443{PATH}",
        f"https://hooks.slack.com:door{PATH}",
        f"http://127.0.0.1:9000{PATH}",
        "https://[broken",
        "",
    ],
)
def test_any_other_url_is_refused_without_being_shown(value: str) -> None:
    with pytest.raises(ConfigurationRefused) as refused:
        read_webhook(Secrets(value), "harbor/slack", HOSTS, allow_loopback=False)
    assert "The secret 'harbor/slack' must hold" in str(refused.value)
    assert "notreally" not in str(refused.value)


def test_loopback_is_allowed_locally() -> None:
    url = f"http://127.0.0.1:9000{PATH}"
    assert read_webhook(Secrets(url), "harbor/slack", HOSTS, allow_loopback=True) == url


def test_a_message_is_posted_as_json() -> None:
    network = Answering()
    post(session(network), URL, "An alarm.")
    assert network.bodies == [b'{"text": "An alarm."}']


@pytest.mark.parametrize(
    ("network", "sentence"),
    [
        (Answering(500), "Slack answered 500"),
        (Answering(error=requests.ConnectionError(f"no route to {URL}")), "could not be reached: ConnectionError"),
    ],
)
def test_a_message_that_is_not_taken_is_an_error_that_does_not_show_the_url(
    network: Answering, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(NotDeliveredError, match=sentence) as failed:
        post(session(network), URL, "An alarm.")
    assert "notreally" not in f"{failed.value!r}{caplog.text}"
    assert failed.value.__suppress_context__ or failed.value.__context__ is None
    assert len(network.bodies) == 1
