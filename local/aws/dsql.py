"""Aurora DSQL: clusters by CloudFormation, each with a real PostgreSQL that accepts what Aurora DSQL accepts.

ministack has the proxy that refuses the rest of PostgreSQL, and would start PostgreSQL in Docker. Here PostgreSQL comes
from a wheel, the proxy listens on loopback only, and a client connects as to DSQL: with an IAM token for this cluster
and the requested role. PostgreSQL uses that role, so GRANT and REVOKE take effect.
"""

import asyncio
import json
import re
import struct
from collections import defaultdict
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local.aws.ministack import module, original, replace
from local.aws.postgres import HOST, Postgres, free_port

PATCH = "dsql"
TYPE = "AWS::DSQL::Cluster"
ADMIN = "admin"
_ACTIONS = {True: "DbConnectAdmin", False: "DbConnect"}
_DENIED = "unable to accept connection, access denied"
_ADMIN_STATEMENTS = (f"CREATE ROLE {ADMIN} LOGIN CREATEROLE", f"ALTER DATABASE postgres OWNER TO {ADMIN}")
_IAM_GRANT = re.compile(
    r"AWS\s+IAM\s+(?P<verb>GRANT|REVOKE)\s+\"?(?P<role>[A-Za-z_][A-Za-z0-9_]*)\"?\s+(?:TO|FROM)\s+'(?P<arn>[^']+)'\s*;?",
    re.IGNORECASE,
)

_MAPPINGS = re.compile(r"SELECT\s+arn,\s*pg_role_name\s+FROM\s+sys\.iam_pg_role_mappings\s*;?", re.IGNORECASE)

_servers: dict[str, Postgres] = {}
_iam_roles: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
"""By cluster the ARNs of the IAM roles that can connect as a database role."""

_role: ContextVar[str] = ContextVar("role")
"""The database role of the current connection."""


@dataclass(frozen=True, slots=True)
class Token:
    """The content of a client's password: a URL that was signed for one cluster."""

    host: str
    action: str
    access_key: str
    expires_at: datetime

    @classmethod
    def parse(cls, text: str) -> "Token":
        """The token in a password; ValueError if the password is not a token."""
        address = urlsplit(f"https://{text}")
        fields = {name: values[0] for name, values in parse_qs(address.query).items()}
        try:
            signed_at = datetime.strptime(f"{fields['X-Amz-Date']}+0000", "%Y%m%dT%H%M%SZ%z")
            return cls(
                host=address.netloc,
                action=fields["Action"],
                access_key=fields["X-Amz-Credential"].partition("/")[0],
                expires_at=signed_at + timedelta(seconds=int(fields["X-Amz-Expires"])),
            )
        except KeyError as error:
            raise ValueError(f"The token has no {error}.") from None


def patch() -> None:
    """Add PostgreSQL to clusters, the resource type to CloudFormation, and authentication to the proxy."""
    service, proxy = module("services.dsql"), module("core.pgproxy")
    replace(service, "_next_port", lambda _: free_port, patch=PATCH)
    replace(proxy, "start_proxy", lambda _: _starting(service, proxy), patch=PATCH)
    replace(proxy, "_connect_backend_once", lambda _: _connecting(proxy), patch=PATCH)
    replace(proxy, "_plan_statement", lambda plan: _with_iam_grants(plan, proxy), patch=PATCH)
    handlers = original(module("services.cloudformation.provisioners"), "_RESOURCE_HANDLERS", patch=PATCH)
    handlers[TYPE] = _handlers(service, proxy)
    changes = module("services.cloudformation.changesets")
    lookups = original(changes, "_IMPORT_LOOKUPS", patch=PATCH)
    sentence = original(changes, "_IMPORT_NOT_FOUND", patch=PATCH)
    lookups[TYPE] = (("Identifier",), partial(_problem, service, sentence))


# CloudFormation


def _handlers(service: Any, proxy: Any) -> dict[str, Callable[..., Any]]:
    def create(_logical_id: str, properties: dict[str, Any], _stack: str) -> tuple[str, dict[str, Any]]:
        answer = service._create_cluster(_request(properties))
        cluster = service._clusters[json.loads(answer[2])["identifier"]]
        server = _servers[cluster["identifier"]] = Postgres()
        server.start()
        server.run(*_ADMIN_STATEMENTS)
        listening = proxy.start_proxy(cluster["identifier"], cluster["port"], HOST, server.port)
        asyncio.run_coroutine_threadsafe(listening, service._serving_loop())
        return cluster["identifier"], _attributes(cluster)

    def update(physical_id: str, _old: dict[str, Any], new: dict[str, Any], _stack: str) -> tuple[str, dict[str, Any]]:
        service._update_cluster(physical_id, _request(new))
        return physical_id, _attributes(service._clusters[physical_id])

    def delete(physical_id: str, _properties: dict[str, Any]) -> None:
        service._delete_cluster(physical_id, {})
        _servers.pop(physical_id).stop()
        _iam_roles.pop(physical_id, None)

    def imported(identifier: dict[str, str]) -> tuple[str, dict[str, Any]]:
        return identifier["Identifier"], _attributes(service._clusters[identifier["Identifier"]])

    return {"create": create, "update": update, "delete": delete, "import": imported}


def _problem(service: Any, sentence: str, identifier: str) -> str | None:
    """The reason why a cluster cannot be imported; None if it can."""
    return None if identifier in service._clusters else sentence.format(type=TYPE, value=identifier)


def _request(properties: dict[str, Any]) -> dict[str, Any]:
    protected = str(properties.get("DeletionProtectionEnabled", True)).lower() == "true"
    return {"deletionProtectionEnabled": protected, "kmsEncryptionKey": properties.get("KmsEncryptionKey")}


def _attributes(cluster: dict[str, Any]) -> dict[str, Any]:
    return {
        "Identifier": cluster["identifier"],
        "ResourceArn": cluster["arn"],
        "Endpoint": cluster["endpoint"],
        "Status": cluster["status"],
    }


# Authentication


def _starting(service: Any, proxy: Any) -> Callable[..., Any]:
    """Listen on loopback, and accept clients with a token."""

    async def start_proxy(cluster_id: str, listen_port: int, backend_host: str, backend_port: int) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            startup = await _admitted(service._clusters._data, cluster_id, reader, writer, proxy)
            if startup is None:
                writer.close()
                return
            await proxy._handle_client(cluster_id, backend_host, backend_port, _Replayed(startup, reader), writer)

        if cluster_id not in proxy._proxies:
            proxy._proxies[cluster_id] = await asyncio.start_server(serve, HOST, listen_port)

    return start_proxy


async def _admitted(
    clusters: Any, cluster_id: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, proxy: Any
) -> bytes | None:
    """The client's startup message, after it sent a token for the requested role; else None."""
    try:
        startup, parameters = await _startup(reader, writer, proxy)
        writer.write(proxy._frame(b"R", struct.pack("!I", 3)))  # a password in clear text: the token
        await writer.drain()
        _, password = await proxy._read_frame(reader)
    except asyncio.IncompleteReadError:
        return None
    cluster = next(each for each in clusters.values() if each.get("identifier") == cluster_id)
    role = parameters.get("user", "")
    if not _may_connect(cluster, role, password.rstrip(b"\0").decode("utf-8", "replace")):
        writer.write(proxy._error_response("28000", _DENIED))
        await writer.drain()
        return None
    _role.set(role)
    return startup


async def _startup(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, proxy: Any) -> tuple[bytes, Any]:
    while True:
        code, payload = await proxy._read_startup(reader)
        if code == proxy._PROTOCOL_3:
            body = struct.pack("!I", code) + payload
            return struct.pack("!I", len(body) + 4) + body, proxy._parse_startup_params(payload)
        writer.write(b"N")  # no TLS on loopback
        await writer.drain()


def _may_connect(cluster: dict[str, Any], role: str, password: str) -> bool:
    try:
        token = Token.parse(password)
    except ValueError:
        return False
    if token.host != cluster["endpoint"].partition(":")[0] or token.expires_at < datetime.now(UTC):
        return False
    if token.action != _ACTIONS[role == ADMIN]:
        return False
    caller = _caller(token.access_key)
    return _is_root(caller) or (_has_right(token, cluster) and (role == ADMIN or _knows(cluster, role, caller)))


def _caller(access_key: str) -> str:
    """The owner of an access key: a role's session if IAM is enforced, otherwise the account's root."""
    known = module("core.iam_evaluator").resolve_caller_identity(access_key) or {}
    return str(known.get("userArn", ""))


def _is_root(caller: str) -> bool:
    return caller.endswith(":root")


def _has_right(token: Token, cluster: dict[str, Any]) -> bool:
    region = cluster["arn"].split(":")[3]
    action = f"dsql:{token.action}"
    enforce = module("core.iam_evaluator").enforce
    return enforce(token.access_key, action, "dsql", region, resource_arn=cluster["arn"]) is None


def _knows(cluster: dict[str, Any], role: str, caller: str) -> bool:
    """Whether AWS IAM GRANT has named the IAM role of this session."""
    name = caller.split("/")[1] if "/" in caller else ""
    return any(arn.rpartition("/")[2] == name for arn in _iam_roles[cluster["identifier"]][role])


class _Replayed:
    """A reader that repeats the bytes that were read for authentication."""

    def __init__(self, read: bytes, reader: asyncio.StreamReader) -> None:
        self._read = read
        self._reader = reader

    async def readexactly(self, count: int) -> bytes:
        """As in StreamReader."""
        taken, self._read = self._read[:count], self._read[count:]
        return taken + (await self._reader.readexactly(count - len(taken)) if len(taken) < count else b"")


# After authentication


def _connecting(proxy: Any) -> Callable[..., Any]:
    """Connect to PostgreSQL as the authenticated role; ministack would use the superuser."""

    async def connect_backend_once(host: str, port: int, database: str) -> tuple[Any, Any]:
        reader, writer = await asyncio.open_connection(host, port)
        fields = b"\0".join(each.encode() for each in ("user", _role.get(), "database", database))
        body = struct.pack("!I", proxy._PROTOCOL_3) + fields + b"\0\0"
        writer.write(struct.pack("!I", len(body) + 4) + body)
        await writer.drain()
        while True:
            kind, payload = await proxy._read_frame(reader)
            if kind == b"E":
                writer.close()
                raise RuntimeError(f"PostgreSQL refuses {_role.get()}: {payload!r}")
            if kind == b"Z":
                return reader, writer

    return connect_backend_once


def _with_iam_grants(plan: Callable[..., Any], proxy: Any) -> Callable[..., Any]:
    """AWS IAM GRANT and REVOKE, and the view that lists their results; PostgreSQL has none of them."""

    async def plan_statement(connection: Any, sql: str, backend: Any, **more: Any) -> tuple[str, Any]:
        if _MAPPINGS.fullmatch(sql.strip()):
            known = _iam_roles[connection.cluster_id]
            rows = [[arn, role] for role, arns in known.items() for arn in sorted(arns)]
            return "rows", {"cols": ["arn", "pg_role_name"], "rows": rows, "tag": f"SELECT {len(rows)}"}
        found = _IAM_GRANT.fullmatch(sql.strip())
        if found is None:
            return await plan(connection, sql, backend, **more)  # type: ignore[no-any-return]
        if _role.get() != ADMIN:
            return "error", proxy.DsqlError("42501", "permission denied to grant IAM roles")
        role, verb = found["role"], found["verb"].upper()
        named = f"SELECT count(*) FROM pg_roles WHERE rolname = '{role}'"  # noqa: S608 (letters, digits, underscores)
        if not await proxy._probe_count(connection, backend, named):
            return "error", proxy.DsqlError("42704", f'role "{role}" does not exist')
        arns = _iam_roles[connection.cluster_id][role]
        arns.add(found["arn"]) if verb == "GRANT" else arns.discard(found["arn"])
        return "rows", {"cols": [], "rows": [], "tag": verb}

    return plan_statement
