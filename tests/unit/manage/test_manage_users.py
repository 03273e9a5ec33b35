"""./manage.py users and token, with a console whose answers are prepared."""

import io
import json
from typing import Any

import pytest
from typer.testing import CliRunner

from appstore_analytics.answers.errors import Refused, Unreachable
from operations import commands
from operations.commands import users
from operations.console_api import ConsoleApi
from operations.console_login import ConsoleLogin
from operations.where import Where, console_stack_of

OUTPUTS = {"ConsoleActFunction": "console-act", "ConsoleUrl": "https://console.example.com"}
ARN = "arn:aws:iam::000000000000:user/harbor"
ADA = {
    "user_id": "a1",
    "email": "ada@example.com",
    "role": "admin",
    "state": "active",
    "has_second_factor": True,
    "app_ids": None,
    "last_action_at": None,
}
EVE = {**ADA, "user_id": "e1", "email": "eve@example.com", "role": "viewer", "app_ids": ["1000000001"]}


class Function:
    """console_act with a prepared answer for each request."""

    def __init__(self, **answers: tuple[int, Any]) -> None:
        self.answers = {"GET /users": (200, {"people": [ADA, EVE]}), **answers}
        self.asked: list[tuple[str, Any]] = []
        self.events: list[dict[str, Any]] = []

    def invoke(self, FunctionName: str, Payload: str) -> dict[str, Any]:  # noqa: N803
        assert FunctionName == "console-act"
        event = json.loads(Payload)
        self.events.append(event)
        method, path = event["requestContext"]["http"]["method"], event["rawPath"].removeprefix("/api/v1")
        self.asked.append((f"{method} {path}", event["body"] and json.loads(event["body"])))
        status, body = self.answers.get(f"{method} {path}", (204, None))
        answer = {"statusCode": status, "body": None if body is None else json.dumps(body)}
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


def ran(monkeypatch: pytest.MonkeyPatch, function: Any, *arguments: str) -> Any:
    monkeypatch.setattr(Where, "open_console", lambda _: ConsoleApi(function, OUTPUTS, ARN))
    monkeypatch.setattr(users, "app_ids_of", lambda _, apps: frozenset(apps))
    monkeypatch.setattr(users.Asked, "installation", lambda _: None)
    return CliRunner().invoke(commands.app, commands.arranged(["users", *arguments]), catch_exceptions=False)


def test_the_list_has_everybody_and_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    result = ran(monkeypatch, Function(), "list", "--json")
    facts = json.loads(result.stdout)
    assert facts["address"] == "https://console.example.com"
    assert [(user["email"], user["apps"]) for user in facts["users"]] == [
        ("ada@example.com", "all"),
        ("eve@example.com", ["1000000001"]),
    ]
    assert facts["sentence"] == "2 people can sign in."


def test_an_empty_console_says_how_the_first_admin_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    result = ran(monkeypatch, Function(**{"GET /users": (200, {"people": []})}), "list")
    assert "users invite E-MAIL --role admin" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (("invite", "zoe@example.com"), ("POST /users", {"email": "zoe@example.com", "role": "viewer"})),
        (
            ("invite", "zoe@example.com", "--role", "operator", "--apps", "2", "1"),
            ("POST /users", {"email": "zoe@example.com", "role": "operator", "app_ids": ["1", "2"]}),
        ),
        (("role", "EVE@example.com", "admin"), ("PATCH /users/e1", {"role": "admin"})),
        (("disable", "eve@example.com"), ("PATCH /users/e1", {"is_enabled": False})),
        (("enable", "eve@example.com"), ("PATCH /users/e1", {"is_enabled": True})),
        (("grant", "eve@example.com", "--apps", "2,1"), ("PATCH /users/e1", {"app_ids": ["1", "2"]})),
        (("grant", "eve@example.com", "--all"), ("PATCH /users/e1", {"app_ids": None})),
        (("reset", "eve@example.com"), ("DELETE /users/e1/second-factor", None)),
    ],
)
def test_each_command_is_one_request_of_the_api(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], asked: tuple[str, Any]
) -> None:
    function = Function(**{"POST /users": (201, EVE), "PATCH /users/e1": (200, EVE)})
    result = ran(monkeypatch, function, *arguments)
    assert result.exit_code == 0
    assert [each for each in function.asked if each[0] != "GET /users"] == [asked]


def test_the_function_is_told_whose_rights_in_aws_these_are(monkeypatch: pytest.MonkeyPatch) -> None:
    function = Function()
    ran(monkeypatch, function, "list")
    (event,) = function.events
    assert event["requestContext"]["authorizer"] == {"iam": {"userArn": ARN}}


def test_an_unknown_address_and_apps_unsaid_are_refused_before_anything_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    function = Function()
    with pytest.raises(Refused, match="There is no user with the address"):
        ran(monkeypatch, function, "disable", "who@example.com")
    for arguments in (("grant", "eve@example.com"), ("grant", "eve@example.com", "--apps", "1", "--all")):
        with pytest.raises(Refused, match=r"--apps .* or --all"):
            ran(monkeypatch, function, *arguments)
    assert {request for request, _ in function.asked} == {"GET /users"}


@pytest.mark.parametrize(("status", "error"), [(409, Refused), (403, Refused), (503, Unreachable)])
def test_the_apis_own_sentence_is_told(monkeypatch: pytest.MonkeyPatch, status: int, error: type[Exception]) -> None:
    function = Function(**{"PATCH /users/e1": (status, {"detail": "It cannot be done now."})})
    with pytest.raises(error, match=r"^It cannot be done now\.$"):
        ran(monkeypatch, function, "disable", "eve@example.com")


def test_a_function_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        def invoke(self, **_: Any) -> dict[str, Any]:
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorType": "KeyError"}')}

    with pytest.raises(Unreachable, match="console-act"):
        ran(monkeypatch, Failing(), "list")


def test_the_consoles_stack_follows_from_the_pipelines() -> None:
    assert console_stack_of("AppStoreAnalytics") == "appstore-analytics-console"
    assert console_stack_of("harbor-analytics") == "harbor-analytics-console"


def token(monkeypatch: pytest.MonkeyPatch, answers: list[dict[str, str]], *options: str) -> tuple[Any, list[Any]]:
    asked: list[Any] = []

    def post(_: ConsoleLogin, path: str, body: dict[str, str]) -> dict[str, str]:
        asked.append((path, body))
        return answers.pop(0)

    monkeypatch.setattr(ConsoleLogin, "_post", post)
    monkeypatch.setattr(Where, "console_url", lambda _: "https://console.example.com")
    arguments = commands.arranged(["token", "--email", "ada@example.com", *options])
    result = CliRunner().invoke(commands.app, arguments, input="Harbor-7291-lamp\n123456\n", catch_exceptions=False)
    return result, asked


def test_a_token_is_all_that_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [{"step": "totp", "session": "s"}, {"step": "done", "access_token": "the-token"}]
    result, asked = token(monkeypatch, list(answers))
    assert result.stdout.splitlines()[-1] == "the-token"  # before it comes what the test typed
    assert "Harbor" not in result.output
    assert asked == [
        ("/auth/login", {"email": "ada@example.com", "password": "Harbor-7291-lamp"}),
        ("/auth/totp", {"email": "ada@example.com", "session": "s", "code": "123456"}),
    ]
    assert json.loads(token(monkeypatch, list(answers), "--json")[0].stdout.splitlines()[-1]) == {
        "access_token": "the-token"
    }


def test_who_never_signed_in_does_it_in_a_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="First sign in at https://console"):
        token(monkeypatch, [{"step": "new_password", "session": "s"}])
