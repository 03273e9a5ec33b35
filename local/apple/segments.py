"""Segments: their list entries with signed links, and the files behind the links, which behave like S3."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

from appstore_analytics.contract.catalogue import REPORTS_BY_NAME
from local.apple import draw
from local.apple.faults import FILE_KINDS, LINK_KINDS, Fault, FaultKind
from local.apple.files import FileFault, segment_bytes
from local.apple.http import Answer, Call, Json
from local.apple.model import Instance
from local.apple.world import GoneError, World

PREFIX = "/segments/"
ROUTE = "GET /segments/{instance}/{segment}"
URL_LIVES_SECONDS = 5 * 60
FOREIGN_HOST = "https://files.example.net"


class SegmentStore:
    """The bucket of a world. Links are signed with a secret of this store and expire after five minutes of real
    time."""

    def __init__(self, world: World, wall_seconds: Callable[[], float] = time.time) -> None:
        self._world = world
        self._wall_seconds = wall_seconds
        self._named: dict[str, tuple[Instance, int]] = {}
        self._secret = secrets.token_bytes(32)
        self._written = lru_cache(maxsize=256)(self._written_file)
        self._checksum_of = lru_cache(maxsize=4096)(self._checksum_of_file)

    def named(self, segment_id: str) -> tuple[Instance, int]:
        """The instance and the number of a segment that was listed once. Raises GoneError."""
        if segment_id not in self._named:
            raise GoneError(segment_id)
        return self._named[segment_id]

    def entries(self, instance: Instance, call: Call, faults: Sequence[Fault]) -> list[Json]:
        """The instance's segments as the API lists them: checksum (MD5 of the gzip bytes), size and a fresh link."""
        inside = tuple(FileFault(fault.kind, fault.column) for fault in faults if fault.kind in FILE_KINDS)
        links = [fault.kind for fault in faults if fault.kind in LINK_KINDS]
        return [self._entry(instance, index, call, inside, links) for index in range(instance.segments)]

    def _entry(
        self, instance: Instance, index: int, call: Call, inside: tuple[FileFault, ...], links: list[FaultKind]
    ) -> Json:
        file = self._file(instance, index, inside)
        checksum = self._checksum(instance, index, inside)
        lives_seconds = -1 if FaultKind.EXPIRED_URL in links else URL_LIVES_SECONDS
        host = (
            FOREIGN_HOST if FaultKind.FOREIGN_HOST in links else self._world.settings.segment_base_url or call.base_url
        )
        attributes = {
            "checksum": checksum[::-1] if FaultKind.WRONG_CHECKSUM in links else checksum,
            "sizeInBytes": len(file) + (FaultKind.WRONG_SIZE in links),
            "url": host + self._signed(f"{PREFIX}{instance.id}/{index}.txt.gz", lives_seconds, inside),
        }
        segment_id = draw.identifier(self._world.settings.seed, instance.id, index)
        self._named[segment_id] = instance, index
        wanted = call.values("fields[analyticsReportSegments]") or attributes
        return {
            "type": "analyticsReportSegments",
            "id": segment_id,
            "attributes": {name: value for name, value in attributes.items() if name in wanted},
            "links": {"self": f"{call.base_url}/v1/analyticsReportSegments/{segment_id}"},
        }

    def _file(self, instance: Instance, index: int, inside: tuple[FileFault, ...]) -> bytes:
        given = self._world.file_of(instance)
        return self._written(instance, index, inside) if given is None else given.read_bytes()

    def _checksum(self, instance: Instance, index: int, inside: tuple[FileFault, ...]) -> str:
        """The MD5, computed again if a given file has changed since."""
        given = self._world.file_of(instance)
        state = given.stat() if given else None
        return self._checksum_of(instance, index, inside, state and (state.st_mtime_ns, state.st_size))

    def _checksum_of_file(
        self, instance: Instance, index: int, inside: tuple[FileFault, ...], _state: tuple[int, int] | None
    ) -> str:
        return hashlib.md5(self._file(instance, index, inside), usedforsecurity=False).hexdigest()

    def _written_file(self, instance: Instance, index: int, inside: tuple[FileFault, ...]) -> bytes:
        report = REPORTS_BY_NAME[instance.series.report_name]
        return segment_bytes(report, self._world.segment_rows(instance, index), inside)

    def _signed(self, path: str, lives_seconds: int, inside: tuple[FileFault, ...]) -> str:
        expires = str(int(self._wall_seconds()) + lives_seconds)
        fault = ",".join(f"{each.kind}:{each.column}" for each in inside)
        query = {"Expires": expires, "Signature": self._signature(path, expires, fault)}
        return f"{path}?{urlencode({**query, 'Fault': fault} if fault else query, quote_via=quote)}"

    def _signature(self, path: str, expires: str, fault: str) -> str:
        return hmac.new(self._secret, f"{path}|{expires}|{fault}".encode(), hashlib.sha256).hexdigest()

    def answer(self, call: Call) -> Answer:
        """The file behind a signed link; S3's XML errors otherwise."""
        if call.authorization is not None:
            return xml_error(400, "InvalidArgument", "Only one auth mechanism allowed")
        expires, fault = call.query.get("Expires", "0"), call.query.get("Fault", "")
        signature = self._signature(call.path, expires, fault)
        instance_id, _, name = call.path.removeprefix(PREFIX).partition("/")
        instance = self._world.known_instance(instance_id)
        if instance is None or not hmac.compare_digest(signature, call.query.get("Signature", "")):
            return xml_error(403, "SignatureDoesNotMatch", "The request signature does not match")
        if self._wall_seconds() > int(expires):
            return xml_error(403, "AccessDenied", "Request has expired")
        which = instance, int(name.partition(".")[0]), _read_faults(fault)
        file, tag = self._file(*which), self._checksum(*which)
        return Answer(200, file, {"Content-Type": "application/octet-stream", "ETag": f'"{tag}"'})


def _read_faults(text: str) -> tuple[FileFault, ...]:
    pairs = (each.partition(":") for each in text.split(",") if each)
    return tuple(FileFault(FaultKind(kind), column) for kind, _, column in pairs)


def xml_error(status: int, code: str, message: str) -> Answer:
    """An error as S3 writes it."""
    error = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{error}'
    return Answer(status, body.encode(), {"Content-Type": "application/xml"})
