"""`put-key`: stores an API key of App Store Connect in its secret. The key is checked first and never shown."""

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from appstore_analytics.answers.errors import Refused
from appstore_analytics.apple.keys import ApiKey
from appstore_analytics.contract.errors import ConfigurationRefused

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

STANDARD_INPUT = "-"
_NAME_OF_APPLES_FILE = re.compile(r"AuthKey_([A-Z0-9]{10,})\.p8")
_LONGEST_FILE_BYTES = 16_384
"""Apple's .p8 files have about 260 bytes."""


@dataclass(frozen=True, slots=True)
class KeyStored:
    """The place of the stored key. The answer never has the private key."""

    secret: str
    key_id: str
    kind: str

    @property
    def is_good(self) -> bool:
        """Always true: an invalid key has already been refused."""
        return True

    @property
    def sentence(self) -> str:
        """What happens next."""
        return "Functions use the key within five minutes. ./manage.py doctor asks Apple whether it accepts the key."


def read_key_file(file: str) -> str:
    """The text of a .p8 file, or of standard input for `-`; Refused if it cannot be read."""
    try:
        if file == STANDARD_INPUT:
            content = sys.stdin.buffer.read(_LONGEST_FILE_BYTES + 1)
        else:
            with Path(file).open("rb") as stream:
                content = stream.read(_LONGEST_FILE_BYTES + 1)
    except OSError as error:
        raise Refused(f"{file} cannot be read ({error.strerror}): name the .p8 file from App Store Connect.") from None
    if len(content) > _LONGEST_FILE_BYTES:
        raise Refused(f"{_shown(file)} is too long for a .p8 file from Apple: nothing was stored.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused(f"{_shown(file)} is not text, so it is not a .p8 file from Apple: nothing was stored.") from None


def key_id_of(file: str, given: str | None) -> str:
    """The key's id: as given, else from the name that Apple gives the file; Refused when the two differ."""
    named = _NAME_OF_APPLES_FILE.fullmatch(Path(file).name)
    if given and named and named[1] != given:
        raise Refused(f"--key-id is {given}, but the file's name has the key id {named[1]}: give the right one.")
    if given:
        return given
    if named:
        return named[1]
    raise Refused("--key-id is missing: App Store Connect shows it next to the key and in the file name AuthKey_….p8.")


def secret_text(key_id: str, issuer_id: str | None, private_key: str, file: str) -> str:
    """The secret's JSON, after parsing it as the functions do. Refused names the problem, and never the key."""
    secret = json.dumps({"key_id": key_id, "issuer_id": issuer_id or "", "private_key": private_key})
    try:
        ApiKey.from_secret(secret, "made of these")
    except ConfigurationRefused as refused:
        raise Refused(f"{_shown(file)}: {refused} Nothing was stored.") from None
    return secret


def put_key(
    secrets_manager: "SecretsManagerClient", secret: str, text: str, key_id: str, issuer_id: str | None
) -> KeyStored:
    """Store the key as the secret's newest version. A second run stores it again, which changes nothing."""
    secrets_manager.put_secret_value(SecretId=secret, SecretString=text)
    return KeyStored(secret, key_id, "team key" if issuer_id else "individual key")


def _shown(file: str) -> str:
    return "standard input" if file == STANDARD_INPUT else file
