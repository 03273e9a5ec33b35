"""Where `--local` finds the embedded AWS: whoever keeps one running for people leaves its address in `.build`."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from operations.exits import Unreachable

ADDRESS_FILE = Path(__file__).resolve().parents[1] / ".build" / "embedded-aws"
REGION = "us-east-1"
CREDENTIALS = ("test", "test")
"""Access key and secret: the embedded AWS takes any."""


@contextmanager
def announced(url: str, file: Path = ADDRESS_FILE) -> Iterator[None]:
    """Leave the address for `--local` while the block runs."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(url, encoding="utf-8")
    try:
        yield
    finally:
        if file.is_file() and file.read_text(encoding="utf-8") == url:  # a later one's address is not ours to remove
            file.unlink()


def address(environment: Mapping[str, str] = os.environ, file: Path = ADDRESS_FILE) -> str:
    """The address in AWS_ENDPOINT_URL, else the announced one; Unreachable when there is neither."""
    if url := environment.get("AWS_ENDPOINT_URL"):
        return url
    if file.is_file():
        return file.read_text(encoding="utf-8")
    raise Unreachable("No embedded AWS is running: start one with ./quick_start.sh --keep, or leave out --local.")
