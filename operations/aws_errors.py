"""Errors of boto3 as one sentence with the fix."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_UNKNOWN = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "SignatureDoesNotMatch"}
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"})


_WAYS_OUT: tuple[tuple[tuple[type[BotoCoreError], ...], str], ...] = (
    (
        (NoCredentialsError, PartialCredentialsError),
        "No AWS credentials were found: set AWS_PROFILE, give --profile, or run `aws configure`.",
    ),
    ((NoRegionError,), "No AWS region is set: give --region or set AWS_REGION."),
    ((ProfileNotFound,), "{error}: `aws configure list-profiles` shows those that exist."),
    (
        (SSOTokenLoadError, TokenRetrievalError, UnauthorizedSSOTokenError),
        "The AWS session has ended: run `aws sso login` again.",
    ),
    ((EndpointConnectionError, HTTPClientError), "AWS does not answer here: {error}."),
    ((BotoCoreError,), "The request to AWS failed: {error}."),
)


def sentence(error: BotoCoreError | ClientError) -> str:
    """One sentence about an error of boto3 that says what to change."""
    if isinstance(error, ClientError):
        return _of_answer(error)
    return next(text for kinds, text in _WAYS_OUT if isinstance(error, kinds)).format(error=str(error).rstrip("."))


def _of_answer(error: ClientError) -> str:
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code in _EXPIRED:
        return "The AWS credentials have expired: sign in again."
    if code in _UNKNOWN:
        return "AWS does not know these credentials: check AWS_PROFILE or --profile."
    if code in _DENIED:
        return f"AWS denies {error.operation_name} to these credentials: {message or 'no reason given'}"
    return f"AWS refuses {error.operation_name} ({code}): {message}"
