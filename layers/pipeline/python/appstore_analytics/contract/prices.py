"""AWS's on-demand list prices in US dollars without tax: the only table that all estimates use.

Region us-east-1, looked up on 2026-11-23; other regions differ slightly. AWS's pages load many numbers by script, so
`seen` says where each was read: on AWS's page, in guides of 2026 that quote it, or not on that day.
"""

from dataclasses import dataclass
from enum import StrEnum

REGION = "us-east-1"
LOOKED_UP_ON = "2026-11-23"
HOURS_OF_A_MONTH = 730
DAYS_OF_A_MONTH = 365 / 12
ATHENA_LEAST_MB = 10
"""Athena's minimum per query."""


class Seen(StrEnum):
    """The source of a price."""

    AWS = "AWS's page"
    GUIDES = "guides that quote AWS's page"
    NOWHERE = "not to be checked that day"


class Page(StrEnum):
    """AWS's page about each service's prices."""

    API_GATEWAY = "https://aws.amazon.com/api-gateway/pricing/"
    ATHENA = "https://aws.amazon.com/athena/pricing/"
    CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"
    COGNITO = "https://aws.amazon.com/cognito/pricing/"
    DSQL = "https://aws.amazon.com/rds/aurora/dsql/pricing/"
    DYNAMODB = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
    EVENTBRIDGE = "https://aws.amazon.com/eventbridge/pricing/"
    LAMBDA = "https://aws.amazon.com/lambda/pricing/"
    S3 = "https://aws.amazon.com/s3/pricing/"
    SECRETS_MANAGER = "https://aws.amazon.com/secrets-manager/pricing/"
    STEP_FUNCTIONS = "https://aws.amazon.com/step-functions/pricing/"
    XRAY = "https://aws.amazon.com/xray/pricing/"


@dataclass(frozen=True, slots=True)
class Price:
    """`us_dollars` for every `per` of `what`. `free` of them are permanently free in every month."""

    what: str
    us_dollars: float
    per: int
    page: Page
    seen: Seen
    free: float = 0

    def of(self, count: float) -> float:
        """The cost of an amount at the list price."""
        return count * self.us_dollars / self.per

    def beyond_free(self, count: float) -> float:
        """The cost of an amount in an account that uses its free tier for nothing else."""
        return self.of(max(0.0, count - self.free))


_MILLION = 1_000_000

LAMBDA_CALLS = Price("Lambda calls", 0.20, _MILLION, Page.LAMBDA, Seen.GUIDES, free=_MILLION)
LAMBDA_GB_SECONDS = Price("Lambda GB-seconds (ARM)", 0.0000133334, 1, Page.LAMBDA, Seen.GUIDES, free=400_000)
LAMBDA_DISK_GB_SECONDS = Price("Lambda disk GB-seconds", 0.0000000309, 1, Page.LAMBDA, Seen.NOWHERE)
TRANSITIONS = Price("Step Functions transitions", 0.025, 1_000, Page.STEP_FUNCTIONS, Seen.GUIDES, free=4_000)
EXPRESS_REQUESTS = Price("Step Functions Express requests", 1.00, _MILLION, Page.STEP_FUNCTIONS, Seen.AWS)
EXPRESS_GB_SECONDS = Price("Step Functions Express GB-seconds", 0.00001667, 1, Page.STEP_FUNCTIONS, Seen.GUIDES)
S3_WRITES = Price("S3 writes and listings", 0.005, 1_000, Page.S3, Seen.GUIDES)
S3_READS = Price("S3 reads", 0.0004, 1_000, Page.S3, Seen.GUIDES)
S3_GB_MONTHS = Price("S3 GB-months (Standard)", 0.023, 1, Page.S3, Seen.GUIDES)
DYNAMODB_WRITES = Price("DynamoDB write units", 0.625, _MILLION, Page.DYNAMODB, Seen.GUIDES)
DYNAMODB_READS = Price("DynamoDB read units", 0.125, _MILLION, Page.DYNAMODB, Seen.GUIDES)
DYNAMODB_GB_MONTHS = Price("DynamoDB GB-months", 0.25, 1, Page.DYNAMODB, Seen.NOWHERE, free=25)
DYNAMODB_BACKUP_GB_MONTHS = Price("DynamoDB GB-months of recovery", 0.20, 1, Page.DYNAMODB, Seen.NOWHERE)
ATHENA_MB = Price("Athena MB scanned", 5.00, _MILLION, Page.ATHENA, Seen.GUIDES)
ALARMS = Price("CloudWatch alarms", 0.10, 1, Page.CLOUDWATCH, Seen.GUIDES, free=10)
METRICS = Price("CloudWatch metrics of our own", 0.30, 1, Page.CLOUDWATCH, Seen.GUIDES, free=10)
DASHBOARDS = Price("CloudWatch dashboards", 3.00, 1, Page.CLOUDWATCH, Seen.GUIDES, free=3)
LOG_GB = Price("CloudWatch GB of logs", 0.50, 1, Page.CLOUDWATCH, Seen.GUIDES, free=5)
TRACES = Price("X-Ray traces", 5.00, _MILLION, Page.XRAY, Seen.NOWHERE, free=100_000)
SECRETS = Price("secrets", 0.40, 1, Page.SECRETS_MANAGER, Seen.GUIDES)
SECRET_READS = Price("reads of secrets", 0.05, 10_000, Page.SECRETS_MANAGER, Seen.GUIDES)
SCHEDULES = Price("starts by schedule", 1.00, _MILLION, Page.EVENTBRIDGE, Seen.GUIDES, free=14 * _MILLION)

PRICES = tuple(value for value in list(globals().values()) if isinstance(value, Price))
"""What the pipeline's bill is made of."""

HTTP_API_REQUESTS = Price("HTTP API requests", 1.00, _MILLION, Page.API_GATEWAY, Seen.GUIDES)
WEBSOCKET_MESSAGES = Price("WebSocket messages", 1.00, _MILLION, Page.API_GATEWAY, Seen.GUIDES)
WEBSOCKET_MINUTES = Price("WebSocket connection minutes", 0.25, _MILLION, Page.API_GATEWAY, Seen.GUIDES)
PEOPLE_A_MONTH = Price("people who sign in (Cognito Essentials)", 0.015, 1, Page.COGNITO, Seen.NOWHERE, free=10_000)
DSQL_UNITS = Price("Aurora DSQL processing units", 8.00, _MILLION, Page.DSQL, Seen.GUIDES, free=100_000)
DSQL_GB_MONTHS = Price("Aurora DSQL GB-months", 0.33, 1, Page.DSQL, Seen.GUIDES, free=1)

PRICES_OF_THE_CONSOLE = (
    HTTP_API_REQUESTS,
    WEBSOCKET_MESSAGES,
    WEBSOCKET_MINUTES,
    PEOPLE_A_MONTH,
    DSQL_UNITS,
    DSQL_GB_MONTHS,
)
"""The additional prices of the web console's bill."""

CONSOLE_LOOKED_UP_ON = "2026-11-29"
