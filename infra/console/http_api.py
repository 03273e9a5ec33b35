"""The console's HTTP API: the pages, the login and the API; only the API has a JWT authorizer."""

import json
from collections.abc import Mapping
from typing import cast

from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_apigatewayv2_authorizers import HttpUserPoolAuthorizer
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.configuration import DeploymentConfiguration
from infra.console.identity import Identity
from infra.logs import log_group

_METHODS = apigateway.HttpMethod
_API = "/api/v1"
_ACTING = (_METHODS.POST, _METHODS.PATCH, _METHODS.DELETE)
_ADMINISTRATIVE = (f"{_API}/users", f"{_API}/users/{{proxy+}}", f"{_API}/grants", f"{_API}/audit")
"""A route of console_act, because its answer needs Cognito permissions."""

LOGIN_ROUTE = "/auth/{proxy+}"
UNSUBSCRIBE_ROUTE = "/unsubscribe"

ACCESS_TOKENS_ONLY = "aws.cognito.signin.user.admin"
"""The scope of every access token that Cognito issues at sign-in. An ID token has none, and gets 403."""

_REQUESTS_A_SECOND = apigateway.ThrottleSettings(rate_limit=50, burst_limit=100)
_LOGINS_A_SECOND = {"ThrottlingRateLimit": 5, "ThrottlingBurstLimit": 10}

LOGGED: Mapping[str, str] = {
    "requestId": "$context.requestId",
    "time": "$context.requestTimeEpoch",
    "ip": "$context.identity.sourceIp",
    "route": "$context.routeKey",
    "status": "$context.status",
    "user": "$context.authorizer.claims.sub",
    "error": "$context.authorizer.error",
    "milliseconds": "$context.responseLatency",
    "bytes": "$context.responseLength",
}
"""The format of the access log. It omits the path, which can contain the token of an unsubscribe link."""


class ConsoleHttpApi(Construct):
    """`api` is the gateway, `url` its address, `access_log` the log group of its requests."""

    def __init__(self, scope: Construct, id_: str, configuration: DeploymentConfiguration) -> None:
        super().__init__(scope, id_)
        name = configuration.names.prefixed("console")
        self.api = apigateway.HttpApi(self, "Api", api_name=name, create_default_stage=False)
        group = f"/aws/vendedlogs/apigateway/{name}"
        self.access_log = log_group(self, "AccessLog", group, configuration.retention.logs)

    @property
    def url(self) -> str:
        """The URL of the console."""
        return self.api.api_endpoint

    def add_routes(self, identity: Identity, functions: Mapping[str, lambda_.IFunction]) -> None:
        """The routes and their stage. Every path that begins with /api/v1 needs an access token."""
        self._authorizer = HttpUserPoolAuthorizer("Authorizer", identity.pool, user_pool_clients=[identity.client])
        read, act, web = (
            HttpLambdaIntegration(step, functions[step]) for step in ("console_read", "console_act", "console_web")
        )
        routes = [
            *self._signed_in(f"{_API}/{{proxy+}}", read, _METHODS.GET),
            *self._signed_in(f"{_API}/{{proxy+}}", act, *_ACTING),
            *(route for path in _ADMINISTRATIVE for route in self._signed_in(path, act, _METHODS.GET)),
            *self._open(LOGIN_ROUTE, web, "It is the login itself.", _METHODS.POST),
            *self._open("/", web, "Pages contain no data.", _METHODS.GET),
            *self._open("/{proxy+}", web, "Pages contain no data.", _METHODS.GET),
            *self._open(
                UNSUBSCRIBE_ROUTE,
                act,
                "A link in an e-mail, which has its own token.",
                _METHODS.GET,
                _METHODS.POST,
            ),
        ]
        self._serve(routes)

    def _signed_in(
        self, path: str, integration: HttpLambdaIntegration, *methods: apigateway.HttpMethod
    ) -> list[apigateway.HttpRoute]:
        return self.api.add_routes(
            path=path,
            methods=list(methods),
            integration=integration,
            authorizer=self._authorizer,
            authorization_scopes=[ACCESS_TOKENS_ONLY],
        )

    def _open(
        self, path: str, integration: HttpLambdaIntegration, why: str, *methods: apigateway.HttpMethod
    ) -> list[apigateway.HttpRoute]:
        routes = self.api.add_routes(path=path, methods=list(methods), integration=integration)
        for route in routes:
            acknowledge(route, "APIG4", why)
        return routes

    def _serve(self, routes: list[apigateway.HttpRoute]) -> None:
        stage = apigateway.HttpStage(
            self,
            "Stage",
            http_api=self.api,
            stage_name="$default",
            auto_deploy=True,
            throttle=_REQUESTS_A_SECOND,
        )
        resource = cast(apigateway.CfnStage, stage.node.default_child)
        resource.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=self.access_log.log_group_arn, format=_line_of_the_log()
        )
        resource.add_property_override("RouteSettings", {f"POST {LOGIN_ROUTE}": _LOGINS_A_SECOND})
        stage.node.add_dependency(*routes)  # a setting for a route that does not exist yet is refused


def _line_of_the_log() -> str:
    """JSON, with the status as a number, so that a metric filter can compare it."""
    return json.dumps(LOGGED).replace('"$context.status"', "$context.status")
