"""The boto3 session of the functions: boto3's own, but it reads AWS's timestamps without guessing their format.

botocore passes each timestamp to dateutil, which takes long; and a listing has one for each object.
"""

from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore.utils import parse_timestamp


@cache
def aws() -> boto3.Session:
    """The session, always the same one."""
    session = botocore.session.get_session()
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=read_timestamp)
    return boto3.Session(botocore_session=session)


def read_timestamp(value: Any) -> datetime:
    """A timestamp of an answer, in UTC: ISO 8601 as in bodies, an HTTP date as in headers, else as botocore reads it.

    Raises ValueError if it is none.
    """
    if isinstance(value, str):
        if value.endswith("Z"):
            return datetime.fromisoformat(value)
        if value.endswith(" GMT"):
            return parsedate_to_datetime(value)
    return parse_timestamp(value)
