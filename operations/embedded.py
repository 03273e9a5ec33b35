"""How `--local` finds the embedded AWS: a program that keeps one running writes its address to `.build`."""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config

from appstore_analytics.answers.errors import Refused, Unreachable

ADDRESS_FILE = Path(__file__).resolve().parents[1] / ".build" / "embedded-aws"
REGION = "us-east-1"
CREDENTIALS = ("test", "test")
"""Access key and secret: the embedded AWS accepts any."""

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_CONNECT_SECONDS = 5.0


def session() -> boto3.Session:
    """A boto3 session for the embedded AWS, unaffected by the user's environment or configuration.

    A profile (AWS_PROFILE) or a proxy (HTTP_PROXY) is meant for the real AWS.
    """
    settings = dict.fromkeys(("profile", "config_file", "credentials_file"), (None, None, None, None))
    isolated = botocore.session.Session(session_vars=settings)
    isolated.set_default_client_config(Config(proxies={}))
    return boto3.Session(*CREDENTIALS, region_name=REGION, botocore_session=isolated)


@contextmanager
def announced(url: str, file: Path = ADDRESS_FILE) -> Iterator[None]:
    """Announce the address for `--local` while the block runs."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(url, encoding="utf-8")
    try:
        yield
    finally:
        if file.is_file() and file.read_text(encoding="utf-8") == url:  # keep the address of one that was started later
            file.unlink()


def address(environment: Mapping[str, str] = os.environ, file: Path = ADDRESS_FILE) -> str:
    """The announced address or, if there is none, the one in AWS_ENDPOINT_URL.

    Refused if the two differ, because one of them is another deployment, and if AWS_ENDPOINT_URL is not on this
    machine. Unreachable if there is neither, or if nothing answers at the address.
    """
    wanted = environment.get("AWS_ENDPOINT_URL", "")
    announced_url = file.read_text(encoding="utf-8") if file.is_file() else ""
    if announced_url and not _answers(announced_url):
        announced_url = ""
    if wanted and announced_url and wanted.rstrip("/") != announced_url:
        raise Refused(
            f"AWS_ENDPOINT_URL is {wanted}, but the embedded AWS of this folder is {announced_url}: unset "
            "AWS_ENDPOINT_URL, or leave out --local."
        )
    if wanted and urlsplit(wanted).hostname not in _LOOPBACK:
        raise Refused(f"AWS_ENDPOINT_URL is {wanted}, which is not on this machine: unset it, or leave out --local.")
    if not announced_url and not (wanted and _answers(wanted)):
        where = f" at {wanted} (AWS_ENDPOINT_URL)" if wanted else ""
        raise Unreachable(
            f"No embedded AWS is running{where}: start one with ./quick_start.sh --keep, or leave out --local."
        )
    return announced_url or wanted


def _answers(url: str) -> bool:
    """Whether a server listens at the address; a killed server leaves its announcement behind."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname, parts.port or 80), timeout=_CONNECT_SECONDS):
            return True
    except (OSError, ValueError):
        return False
