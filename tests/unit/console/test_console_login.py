"""POST /auth/…: the answer of each sign-in step, and what it must not reveal."""

import base64
import json
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from botocore.exceptions import EndpointConnectionError
from cognito_in_process import CODE, EMAIL, PASSWORD, SECRET, CognitoInProcess, challenge, refusal, tokens

from appstore_console.login import passwords
from appstore_console.login.authenticator import otpauth, qr_modules
from appstore_console.login.cognito import Login
from appstore_console.login.routes import answer
from appstore_console.login.steps import SignedIn
from appstore_console.user_ids import user_id_of

CLIENT = "client-1"
MARKED = {"x-requested-with": "console", "content-type": "application/json"}


def post(
    cognito: CognitoInProcess,
    step: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
    cookies: list[str] | None = None,
) -> tuple[int, Any, dict[str, Any]]:
    """Status, body and the whole response to one POST."""
    event: dict[str, Any] = {"rawPath": f"/auth/{step}", "headers": MARKED if headers is None else headers}
    if body is not None:
        event["body"] = body if isinstance(body, str) else json.dumps(body)
    if cookies:
        event["cookies"] = cookies
    told = answer(Login(cast(Any, cognito), CLIENT), event)
    return told["statusCode"], json.loads(told["body"]) if told.get("body") else None, told


USER_ID = user_id_of(EMAIL)
CREDENTIALS = {"email": EMAIL, "password": PASSWORD}


def test_the_first_password_is_asked_for_then_an_authenticator_then_its_code() -> None:
    cognito = CognitoInProcess({"initiate_auth": challenge("NEW_PASSWORD_REQUIRED")})
    assert post(cognito, "login", CREDENTIALS)[:2] == (200, {"step": "new_password", "session": "session-1"})

    cognito.answers["respond_to_auth_challenge"] = challenge("MFA_SETUP", "session-2")
    cognito.answers["associate_software_token"] = {"SecretCode": SECRET, "Session": "session-3"}
    new = {"email": EMAIL, "session": "session-1", "password": "Another-1-lamp"}
    status, body, _ = post(cognito, "new-password", new)
    assert (status, body["step"], body["session"], body["secret"]) == (200, "enrol_totp", "session-3", SECRET)

    cognito.answers["verify_software_token"] = {"Status": "SUCCESS", "Session": "session-4"}
    cognito.answers["respond_to_auth_challenge"] = tokens()
    status, body, _ = post(cognito, "enrol-totp", {"email": EMAIL, "session": "session-3", "code": CODE})
    assert (status, body) == (
        200,
        {"step": "done", "access_token": "access.of.ada", "expires_in": 600, "email": EMAIL},
    )
    name, arguments = cognito.asked[-1]
    assert name == "respond_to_auth_challenge"
    assert (arguments["ChallengeName"], arguments["Session"]) == ("MFA_SETUP", "session-4")


def test_who_has_an_authenticator_is_asked_for_its_code() -> None:
    cognito = CognitoInProcess(
        {"initiate_auth": challenge("SOFTWARE_TOKEN_MFA"), "respond_to_auth_challenge": tokens()}
    )
    assert post(cognito, "login", CREDENTIALS)[1] == {"step": "totp", "session": "session-1"}
    assert post(cognito, "totp", {"email": EMAIL, "session": "session-1", "code": CODE})[1]["step"] == "done"
    assert cognito.asked[-1][1]["ChallengeResponses"] == {"USERNAME": USER_ID, "SOFTWARE_TOKEN_MFA_CODE": CODE}


def test_the_refresh_token_is_in_a_cookie_that_no_script_and_no_other_site_gets_and_nowhere_else() -> None:
    cognito = CognitoInProcess({"initiate_auth": tokens()})
    _, _, told = post(cognito, "login", CREDENTIALS)
    (cookie,) = told["cookies"]
    assert cookie == ("console_refresh=refresh-of-ada; Max-Age=604800; Path=/auth; HttpOnly; Secure; SameSite=Strict")
    assert "refresh-of-ada" not in told["body"]
    assert told["headers"]["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "code",
    [
        "NotAuthorizedException",
        "UserNotFoundException",
        "UserNotConfirmedException",
        "PasswordResetRequiredException",
        "InvalidParameterException",
        "LimitExceededException",
        "TooManyFailedAttemptsException",
    ],
)
def test_whatever_is_wrong_with_an_account_the_refusal_is_the_same(code: str) -> None:
    wrong_password = post(CognitoInProcess({"initiate_auth": refusal("NotAuthorizedException")}), "login", CREDENTIALS)
    assert post(CognitoInProcess({"initiate_auth": refusal(code)}), "login", CREDENTIALS) == wrong_password
    status, body, told = wrong_password
    assert (status, body["title"], body["status"]) == (401, "Unauthorized", 401)
    assert "field" not in body
    assert told["headers"]["Content-Type"] == "application/problem+json"
    assert "said by Cognito" not in told["body"]


@pytest.mark.parametrize("code", [None, "UserNotFoundException", "LimitExceededException", "InvalidParameterException"])
def test_asking_for_a_new_password_answers_the_same_for_every_address(code: str | None) -> None:
    cognito = CognitoInProcess({"forgot_password": refusal(code) if code else {}})
    status, body, told = post(cognito, "forgot", {"email": EMAIL})
    assert (status, body) == (204, None)
    assert "cookies" not in told


@pytest.mark.parametrize("code", ["CodeMismatchException", "ExpiredCodeException", "UserNotFoundException"])
def test_a_reset_with_a_wrong_code_is_refused_like_one_of_nobody(code: str) -> None:
    body = {"email": EMAIL, "code": CODE, "password": PASSWORD}
    status, problem, _ = post(CognitoInProcess({"confirm_forgot_password": refusal(code)}), "reset", body)
    assert (status, problem["field"]) == (401, "code")


def test_a_reset_sets_the_password_and_signs_nobody_in() -> None:
    cognito = CognitoInProcess()
    body = {"email": EMAIL, "code": CODE, "password": PASSWORD}
    assert post(cognito, "reset", body)[:2] == (204, None)
    assert cognito.asked == [
        (
            "confirm_forgot_password",
            {"ClientId": CLIENT, "Username": USER_ID, "ConfirmationCode": CODE, "Password": PASSWORD},
        )
    ]


@pytest.mark.parametrize(
    "password",
    ["short-1A", "no-capital-letter-1", "NO-SMALL-LETTER-1", "No-digit-in-this", "NoSymbolInThis12", "A" * 257],
)
@pytest.mark.parametrize(("step", "more"), [("new-password", {"session": "session-1"}), ("reset", {"code": CODE})])
def test_a_weak_password_is_refused_before_cognito_is_asked(step: str, more: dict[str, str], password: str) -> None:
    cognito = CognitoInProcess()
    status, problem, _ = post(cognito, step, {"email": EMAIL, "password": password, **more})
    assert (status, problem["field"]) == (400, "password")
    assert cognito.asked == []


def test_the_rule_of_passwords_is_told_with_the_refusal() -> None:
    new = {"email": EMAIL, "session": "session-1", "password": "too-short"}
    assert post(CognitoInProcess(), "new-password", new)[1]["detail"] == passwords.RULE
    assert str(passwords.SHORTEST) in passwords.RULE


@pytest.mark.parametrize("code", ["CodeMismatchException", "EnableSoftwareTokenMFAException", "ExpiredCodeException"])
@pytest.mark.parametrize(
    ("step", "call"), [("totp", "respond_to_auth_challenge"), ("enrol-totp", "verify_software_token")]
)
def test_a_wrong_code_may_be_tried_again(step: str, call: str, code: str) -> None:
    body = {"email": EMAIL, "session": "session-1", "code": CODE}
    status, problem, _ = post(CognitoInProcess({call: refusal(code)}), step, body)
    assert (status, problem["field"]) == (401, "code")


def test_an_ended_session_begins_signing_in_again() -> None:
    body = {"email": EMAIL, "session": "session-1", "code": CODE}
    cognito = CognitoInProcess({"respond_to_auth_challenge": refusal("NotAuthorizedException")})
    status, problem, _ = post(cognito, "totp", body)
    assert (status, problem["field"]) == (401, "session")


def test_a_challenge_that_the_console_cannot_ask_is_a_refusal() -> None:
    assert post(CognitoInProcess({"initiate_auth": challenge("SMS_MFA")}), "login", CREDENTIALS)[0] == 401


def test_too_many_calls_of_everybody_ask_for_a_pause() -> None:
    cognito = CognitoInProcess({"initiate_auth": refusal("TooManyRequestsException")})
    assert post(cognito, "login", CREDENTIALS)[0] == 429


@pytest.mark.parametrize(
    "error", [refusal("InternalErrorException"), EndpointConnectionError(endpoint_url="https://cognito.example")]
)
@pytest.mark.parametrize("step", ["login", "forgot"])
def test_where_cognito_is_away_one_sentence_says_so(step: str, error: Exception) -> None:
    cognito = CognitoInProcess({"initiate_auth": error, "forgot_password": error})
    status, problem, _ = post(cognito, step, CREDENTIALS)
    assert (status, problem["detail"]) == (503, "Cognito does not answer: try again in a minute.")


# Staying signed in, and signing out


def test_the_cookie_gives_a_new_access_token_and_stays_as_it_is() -> None:
    renewed = tokens()
    del renewed["AuthenticationResult"]["RefreshToken"]
    cognito = CognitoInProcess({"initiate_auth": renewed})
    status, body, told = post(cognito, "refresh", cookies=["theme=dark", "console_refresh=refresh-of-ada"])
    assert (status, body["access_token"], body["email"]) == (200, "access.of.ada", EMAIL)
    assert "cookies" not in told
    assert cognito.asked[0][1]["AuthParameters"] == {"REFRESH_TOKEN": "refresh-of-ada"}


@pytest.mark.parametrize("cookies", [None, ["console_refresh="], ["other=1"], ["console_refresh=revoked"]])
def test_without_a_valid_cookie_the_person_is_signed_out_and_the_cookie_goes(cookies: list[str] | None) -> None:
    cognito = CognitoInProcess({"initiate_auth": refusal("NotAuthorizedException")})
    status, _, told = post(cognito, "refresh", cookies=cookies)
    assert status == 401
    assert told["cookies"] == ["console_refresh=; Max-Age=0; Path=/auth; HttpOnly; Secure; SameSite=Strict"]


def test_signing_out_revokes_the_token_and_takes_the_cookie() -> None:
    cognito = CognitoInProcess()
    status, _, told = post(cognito, "sign-out", cookies=["console_refresh=refresh-of-ada"])
    assert status == 204
    assert told["cookies"][0].startswith("console_refresh=; Max-Age=0;")
    assert cognito.asked == [("revoke_token", {"ClientId": CLIENT, "Token": "refresh-of-ada"})]


def test_signing_out_twice_is_signing_out() -> None:
    cognito = CognitoInProcess({"revoke_token": refusal("NotAuthorizedException")})
    assert post(cognito, "sign-out", cookies=["console_refresh=revoked"])[0] == 204
    assert post(cognito, "sign-out")[0] == 204


# Valid requests


@pytest.mark.parametrize("headers", [{}, {"x-requested-with": "XMLHttpRequest"}])
@pytest.mark.parametrize("step", ["login", "refresh", "sign-out"])
def test_a_request_that_another_site_could_send_is_refused(step: str, headers: dict[str, str]) -> None:
    cognito = CognitoInProcess()
    assert post(cognito, step, CREDENTIALS, headers, ["console_refresh=refresh-of-ada"])[0] == 403
    assert cognito.asked == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"password": PASSWORD}, "email"),
        ({"email": " ", "password": PASSWORD}, "email"),
        ({"email": EMAIL, "password": 7}, "password"),
        ({"email": f"{'a' * 250}@example.com", "password": PASSWORD}, "email"),
        ({"email": "ada\u0000@example.com", "password": PASSWORD}, "email"),
        ({"email": EMAIL, "password": "x" * 257}, "password"),
        ("[]", None),
        ("{", None),
        ("x" * 20_000, None),
    ],
)
def test_a_request_that_the_page_would_not_send_is_refused_with_its_field(body: Any, field: str | None) -> None:
    cognito = CognitoInProcess()
    status, problem, _ = post(cognito, "login", body)
    assert (status, problem.get("field")) == (400, field)
    assert cognito.asked == []


def test_a_body_may_come_in_base64_as_api_gateway_sends_it() -> None:
    cognito = CognitoInProcess({"initiate_auth": tokens()})
    encoded = base64.b64encode(json.dumps(CREDENTIALS).encode()).decode()
    event = {"rawPath": "/auth/login", "headers": MARKED, "body": encoded, "isBase64Encoded": True}
    assert answer(Login(cast(Any, cognito), CLIENT), event)["statusCode"] == 200
    event["body"] = "no base64!"
    assert answer(Login(cast(Any, cognito), CLIENT), event)["statusCode"] == 400


@pytest.mark.parametrize("step", ["", "sign-up", "login/", "../login"])
def test_there_is_no_other_step(step: str) -> None:
    assert post(CognitoInProcess(), step, CREDENTIALS)[0] == HTTPStatus.NOT_FOUND


# The authenticator


def test_the_qr_code_holds_the_secret_and_whose_it_is() -> None:
    address = otpauth(SECRET, "ada+console@example.com")
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert unquote(parts.path) == "/App Store Analytics:ada+console@example.com"
    assert parse_qs(parts.query) == {"secret": [SECRET], "issuer": ["App Store Analytics"]}


def test_a_qr_code_is_a_square_of_modules_with_a_quiet_zone() -> None:
    rows = qr_modules(otpauth(SECRET, EMAIL))
    assert len(rows) == len(rows[0]) >= 21 + 8
    assert {cell for row in rows for cell in row} == {0, 1}
    assert not any(cell for row in (*rows[:4], *rows[-4:]) for cell in row)
    assert not any(cell for row in rows for cell in (*row[:4], *row[-4:]))


def test_no_token_is_shown_by_what_a_log_would_print() -> None:
    assert "secret-token" not in repr(SignedIn(EMAIL, "secret-token", 600, "secret-token"))
