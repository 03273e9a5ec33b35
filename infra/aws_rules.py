"""AWS's rules: those that it checks during a deployment, checked here at synthesis."""

import re
from collections.abc import Mapping

MOST_TAGS = 50
"""AWS's limit of tags a resource."""

REGIONS_WITH_DSQL = frozenset(
    {
        "ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1",
        "ap-southeast-2", "ap-southeast-4", "ca-central-1", "ca-west-1", "eu-central-1", "eu-isoe-west-1", "eu-north-1",
        "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "eusc-de-east-1", "sa-east-1", "us-east-1", "us-east-2",
        "us-iso-east-1", "us-iso-west-1", "us-isob-east-1", "us-isob-west-1", "us-isof-east-1", "us-isof-south-1",
        "us-west-2",
    }
)  # fmt: skip
"""Regions in which CloudFormation has AWS::DSQL::Cluster; a test compares them with its schemas."""

_TAG_KEY = re.compile(r"(?!aws:)[\w .:/=+\-@]{1,128}", re.IGNORECASE)
_TAG_VALUE = re.compile(r"[\w .:/=+\-@]{0,256}")
_POLICY = re.compile(r"arn:aws[a-z-]*:iam::(?:\d{12}|aws):policy/[\w+=,.@/-]{1,512}|[\w+=,.@-]{1,128}", re.ASCII)
_KEY = re.compile(
    r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/"
    r"(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
)
_E_MAIL = re.compile(
    r"(?=.{3,254}$)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)

_CRON = re.compile(r"cron\(([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+)\)")
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), start=1
    )
}
_DAYS = {name: number for number, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], 1)}
_FIELDS: tuple[tuple[str, int, int, Mapping[str, int], str], ...] = (
    ("minutes", 0, 59, {}, ""),
    ("hours", 0, 23, {}, ""),
    ("day of month", 1, 31, {}, r"\?|L|LW|L-(?:[1-9]|[12]\d|30)|(?:[1-9]|[12]\d|3[01])W"),
    ("month", 1, 12, _MONTHS, ""),
    ("day of week", 1, 7, _DAYS, r"\?|L|(?:[1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(?:L|#[1-5])"),
    ("year", 1970, 2199, {}, ""),
)


def is_tag(key: str, value: str) -> bool:
    """Whether AWS accepts this tag: letters, digits, spaces and `_.:/=+-@`, the key not beginning with `aws:`."""
    return bool(_TAG_KEY.fullmatch(key) and _TAG_VALUE.fullmatch(value))


def is_policy(text: str) -> bool:
    """Whether this is the name or the ARN of a managed policy."""
    return _POLICY.fullmatch(text) is not None


def is_key_arn(text: str) -> bool:
    """Whether this is the ARN of a KMS key; an alias is not accepted, because IAM policies cannot name it."""
    return _KEY.fullmatch(text) is not None


def is_e_mail(text: str) -> bool:
    """Whether SNS can send to this address: ASCII, a local part of atoms, a domain with a dot."""
    return _E_MAIL.fullmatch(text) is not None and len(text.rpartition("@")[0]) <= 64


def refusal_of_cron(text: str) -> str:
    """The reason why EventBridge Scheduler would refuse this expression, worded to follow "must"; empty if it would
    accept it.

    Its rules: six fields with their ranges, names of months and days, lists, ranges and steps; `L`, `W` and `#` in the
    day fields; one of the two day fields is `?`, the other is not.
    """
    found = _CRON.fullmatch(text)
    if found is None:
        return "be a cron expression of six fields in UTC, like cron(0 10 * * ? *)"
    for field, (name, low, high, names, special) in zip(found.groups(), _FIELDS, strict=True):
        if not _is_field(field.upper(), low, high, names, special):
            return f"have {name} from {low} to {high} that EventBridge Scheduler takes; '{field}' is none"
    if (found[3] == "?") == (found[5] == "?"):
        return "have ? in one of the two day fields, like cron(0 10 * * ? *) or cron(0 10 ? * MON-FRI *)"
    return ""


def _is_field(field: str, low: int, high: int, names: Mapping[str, int], special: str) -> bool:
    if special and re.fullmatch(special, field):
        return True
    return all(_is_entry(entry, low, high, names) for entry in field.split(","))


def _is_entry(entry: str, low: int, high: int, names: Mapping[str, int]) -> bool:
    span, sign, step = entry.partition("/")
    if sign and not (step.isascii() and step.isdecimal() and 1 <= int(step) <= high):
        return False
    if span == "*":
        return True
    first, sign, last = span.partition("-")
    ends = [_number(end, names) for end in ((first, last) if sign else (first,))]
    return all(low <= end <= high for end in ends) and ends == sorted(ends)


def _number(text: str, names: Mapping[str, int]) -> int:
    """-1 if it is neither a number nor a name."""
    return int(text) if text.isascii() and text.isdecimal() else names.get(text, -1)
