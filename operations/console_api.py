"""Calls the web console's API with AWS permissions: invokes its function with an event like the gateway's.

So an admin's actions in a browser and `./manage.py users` run the same code, with the same rules and audit log.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from appstore_analytics.answers.errors import Refused, Unreachable

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

ROOT = "/api/v1"
_FAULT = 500


class ConsoleApi:
    """The API of one deployed console; `url` is its address."""

    def __init__(self, lambda_: "LambdaClient", outputs: Mapping[str, str], caller: str) -> None:
        self._lambda = lambda_
        self._function = outputs["ConsoleActFunction"]
        self._caller = caller
        self.url = outputs["ConsoleUrl"]

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer's JSON, empty without a body; Refused with the API's own sentence, Unreachable on a fault."""
        answered = self._lambda.invoke(FunctionName=self._function, Payload=json.dumps(self._event(method, path, body)))
        answer = json.loads(answered["Payload"].read())
        if "FunctionError" in answered or answer["statusCode"] >= _FAULT:
            raise Unreachable(_problem(answer) or f"The console failed: see the log of the function {self._function}.")
        if answer["statusCode"] >= 400:
            raise Refused(_problem(answer))
        return dict(json.loads(answer["body"])) if answer.get("body") else {}

    def _event(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        """Payload format 2.0 of an HTTP API, as for a route with IAM authorization."""
        route = f"{ROOT}{path}"
        return {
            "version": "2.0",
            "routeKey": f"{method} {ROOT}/{{proxy+}}",
            "rawPath": route,
            "rawQueryString": "",
            "headers": {"content-type": "application/json", "accept": "application/json"},
            "requestContext": {
                "authorizer": {"iam": {"userArn": self._caller}},
                "http": {"method": method, "path": route},
                "requestId": "manage.py",
                "stage": "$default",
            },
            "body": None if body is None else json.dumps(body),
            "isBase64Encoded": False,
        }


def _problem(answer: Mapping[str, Any]) -> str:
    """The sentence of a problem+json."""
    try:
        return str(json.loads(answer["body"])["detail"])
    except (KeyError, TypeError, ValueError):
        return ""
