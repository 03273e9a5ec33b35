"""moto with the same answers in less time: much of the integration tests' time is such calls.

A test compares the answers (tests/integration/test_quick_moto.py).
"""

import io
import pickle
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from functools import cache
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote_to_bytes

from botocore.awsrequest import AWSPreparedRequest
from botocore.regions import EndpointRulesetResolver
from botocore.signers import RequestSigner
from botocore.useragent import UserAgentString
from moto.backend_index import backend_url_patterns
from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID, responses
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.exceptions import HTTPException
from moto.core.request import Request, environ_key_for_header, normalize_request
from moto.core.serialize import BaseJSONSerializer
from moto.core.utils import get_equivalent_url_in_aws_domain
from moto.dynamodb import models as dynamodb_models
from moto.dynamodb import responses as dynamodb_responses
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.parsing import validators
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser, UpdateExpression
from moto.dynamodb.parsing.expressions import UpdateExpressionParser
from moto.s3.responses import S3Response
from moto.utilities import aws_headers


@contextmanager
def quick_calls() -> Iterator[None]:
    """Inside, the calls of every client take less time."""
    with ExitStack() as patches:
        for owner, name, replacement in _replacements():
            patches.enter_context(patch.object(owner, name, replacement))
        yield


def _replacements() -> Iterator[tuple[Any, str, Any]]:
    # before a request reaches moto
    yield RequestSigner, "sign", _sign
    yield UserAgentString, "to_string", _user_agent
    yield EndpointRulesetResolver, "construct_endpoint", _construct_endpoint
    # from a request to the code that answers it
    yield BotocoreStubber, "process_request", _Routes().answer
    yield Request, "from_values", _request
    yield responses, "method_names_from_class", cache(responses.method_names_from_class)
    yield S3Response, "subdomain_based_buckets", staticmethod(_has_the_bucket_in_its_host)
    # DynamoDB
    yield DynamoType, "cast_value", property(_cast_value)
    yield DynamoType, "size", _size
    yield dynamodb_responses, "UpdateExpressionParser", _Parser
    yield dynamodb_models, "UpdateExpressionParser", _Parser
    yield validators, "deepcopy", _copy
    yield DepthFirstTraverser, "traverse_node_recursively", _traverse
    # the answer
    yield BaseJSONSerializer, "_serialize_type_structure", _serialize_structure
    yield aws_headers, "gen_amzn_requestid_long", _request_id
    yield responses, "gen_amzn_requestid_long", _request_id


_sign_anything = RequestSigner.sign


def _sign(signer: RequestSigner, operation_name: str, request: Any, *arguments: Any, **named: Any) -> None:
    """A signature that nothing compares: moto reads only the region and the service of the credential's scope."""
    is_read_by_moto = request.url.startswith("https://") and "X-Amz-Trailer" not in request.headers
    if is_read_by_moto and "presign-url" not in (*arguments, *named.values()):
        scope = f"test/20260101/us-east-1/{signer.signing_name}/aws4_request"
        request.headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
    else:  # of the embedded AWS on loopback, which compares it; or of an upload, whose encoding it tells
        _sign_anything(signer, operation_name, request, *arguments, **named)


_construct_any_endpoint = EndpointRulesetResolver.construct_endpoint


def _construct_endpoint(
    resolver: EndpointRulesetResolver, operation_model: Any, call_args: dict[str, Any], request_context: dict[str, Any]
) -> Any:
    """The endpoint of a client's first call with this operation, bucket and table."""
    told: dict[tuple[str, ...], Any] = vars(resolver).setdefault("told", {})
    key = (operation_model.name, str(call_args.get("Bucket")), str(call_args.get("TableName")))
    if key not in told:
        told[key] = _construct_any_endpoint(resolver, operation_model, call_args, request_context)
    return told[key]


_tell_user_agent = UserAgentString.to_string


def _user_agent(agent: UserAgentString) -> str:
    """What a client's first call told."""
    told: dict[str, str] = vars(agent)
    if "told" not in told:
        told["told"] = _tell_user_agent(agent)
    return told["told"]


def _request_id(headers: dict[str, Any] | None = None) -> str:
    if headers is not None:
        headers["x-amzn-requestid"] = "request"
    return "request"


_cast_any_value, _size_of_any = DynamoType.cast_value.fget, DynamoType.size


def _cast_value(stored: DynamoType) -> Any:
    """A text as itself: keys are compared at each step of each query's sorting."""
    return stored.value if stored.type == "S" else _cast_any_value(stored)


def _size(stored: DynamoType) -> int:
    """Bytes of a value. A query measures all values of all its items twice, and most of them are short texts."""
    is_letters = stored.type in ("S", "N") and isinstance(stored.value, str) and stored.value.isascii()
    return len(stored.value) if is_letters else _size_of_any(stored)


_any_host_has_a_bucket = S3Response.subdomain_based_buckets


def _has_the_bucket_in_its_host(request: Any) -> bool:
    """What moto's regular expressions say of a host, which each call asks them four times."""
    host = request.headers["host"]
    if host not in _HOSTS:
        _HOSTS[host] = _any_host_has_a_bucket(request)
    return _HOSTS[host]


_HOSTS: dict[str, bool] = {}


class _Parser:
    """Parses each update expression once, where moto does it twice at every call, and validates copies."""

    make = staticmethod(cache(UpdateExpressionParser.make))


def _copy(node: Any) -> Any:
    """A copy of a parsed expression, which is alive in `_Parser`; of anything else, a copy as always."""
    if not isinstance(node, UpdateExpression):
        return deepcopy(node)
    if id(node) not in _PICKLED:
        _PICKLED[id(node)] = pickle.dumps(node)
    return pickle.loads(_PICKLED[id(node)])  # noqa: S301 (made here)


_PICKLED: dict[int, bytes] = {}


def _traverse(traverser: DepthFirstTraverser, node: Any, child_id: int = -1) -> Any:
    """As in moto, where ten traversers ask each node of each call's expression for its abstract classes."""
    parent = getattr(node, "parent", None)
    for number, child in enumerate(getattr(node, "children", None) or ()):
        traverser.pre_processing_of_child(node, number)
        _traverse(traverser, child, number)
    process = _processor(traverser, type(node))
    if process is not None:
        node = process(traverser, node)
        node.parent = parent
        if parent:
            parent.children[child_id] = node
    return node


def _processor(traverser: DepthFirstTraverser, kind: type) -> Callable[..., Any] | None:
    """The method of a traverser for a kind of node."""
    key = type(traverser), kind
    if key not in _PROCESSORS:
        found = (process for of, process in traverser._processing_map().items() if issubclass(kind, of))
        _PROCESSORS[key] = getattr(next(found, None), "__func__", None)
    return _PROCESSORS[key]


_PROCESSORS: dict[tuple[type, type], Callable[..., Any] | None] = {}

_serialize_any_structure = BaseJSONSerializer._serialize_type_structure


def _serialize_structure(serializer: BaseJSONSerializer, serialized: Any, value: Any, shape: Any, key: str) -> None:
    """A DynamoDB value as it is. moto would look for each of its ten types under three names, at every level.

    The registry has no binary values, which would end in an error here.
    """
    if shape.name == "AttributeValue":
        serialized[key] = value
    else:
        _serialize_any_structure(serializer, serialized, value, shape, key)


def _request(
    method: str, base_url: str, path: str, query_string: str, data: Any, headers: Sequence[tuple[str, str]]
) -> Request:
    """A request as werkzeug's test client makes it, which also supports forms, files and several hosts."""
    scheme, _, host = base_url.partition("://")
    body = data.encode() if isinstance(data, str) else data
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query_string,
        "RAW_URI": path,
        "SERVER_NAME": host,
        "SERVER_PORT": "443",
        "HTTP_HOST": host,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": scheme,
        "wsgi.input": io.BytesIO(body) if isinstance(body, bytes | bytearray) else body,
        **{environ_key_for_header(name): value for name, value in headers},
    }
    if isinstance(body, bytes | bytearray):
        environ["CONTENT_LENGTH"] = str(len(body))
    return Request(environ)


class _Routes:
    """moto's routing, each address once: by itself it tries 130 patterns and loads a module again at every call."""

    def __init__(self) -> None:
        self._handlers: dict[str, Callable[..., Any] | None] = {}

    @property
    def answer(self) -> Callable[[BotocoreStubber, AWSPreparedRequest], Any]:
        """In the place of BotocoreStubber.process_request."""

        def answer(_: BotocoreStubber, request: AWSPreparedRequest) -> Any:
            handler = self._handler(request.url)
            if handler is None:
                return None  # not AWS, for example the embedded AWS on loopback: the request is sent
            called = normalize_request(request)
            try:
                return handler(called, called.raw_url, called.headers)
            except HTTPException as error:
                return error.code, error.get_headers(), error.get_body()

        return answer

    def _handler(self, url: str) -> Callable[..., Any] | None:
        address, _ = get_equivalent_url_in_aws_domain(url)
        is_object = ".s3." in address.netloc and len(address.path) > 1
        place = f"{address.scheme}://{address.netloc}{'/any-key' if is_object else address.path}"
        if place not in self._handlers:
            self._handlers[place] = _find_handler(place)
        return self._handlers[place]


def _find_handler(place: str) -> Callable[..., Any] | None:
    for service, pattern in backend_url_patterns:
        if not pattern.match(place):
            continue
        backend = get_backend(service)[DEFAULT_ACCOUNT_ID]  # type: ignore[call-overload]
        for url, handler in backend["us-east-1" if "us-east-1" in backend else "aws"].urls.items():
            if re.match(url, place):
                return handler  # type: ignore[no-any-return]
    return None
