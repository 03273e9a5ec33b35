"""The API keys: whether each secret holds one, whether Apple accepts it, and whether its quota is large enough."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.verdicts import KeyVerdict
from appstore_analytics.rules.call_budget import calls_needed, calls_per_day
from operations.doctor.checks import Check, Result

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_PUT_KEY = "`./manage.py put-key`"

AskApple = Callable[[str], dict[str, str]]
"""Invokes check_key for one key: its `verdict` (KeyVerdict) and `sentence` (steps/check_key.py)."""


def check_key_function(functions: "LambdaClient", function_name: str, calls_per_hour: int) -> AskApple:
    """Invokes check_key, the only function that can read all secrets; the doctor never sees a key."""

    def ask(key_name: str) -> dict[str, str]:
        payload = json.dumps({"key": key_name, "calls_per_hour": calls_per_hour})
        answer = functions.invoke(FunctionName=function_name, Payload=payload)
        told: dict[str, str] = json.load(answer["Payload"])
        if "FunctionError" in answer:
            reason = told.get("errorMessage", "no reason given")
            return {"verdict": KeyVerdict.UNKNOWN, "sentence": f"The function check_key failed: {reason}."}
        return told

    return ask


def check_keys(accounts: Sequence[Account], ask: AskApple) -> Iterator[Check]:
    """One line per key: an Admin key if it registers, any accepted key if it only reads."""
    registering = [account.admin_key_name for account in accounts]
    reading = [account.reader_key_name for account in accounts]
    for name in dict.fromkeys((*registering, *reading)):
        yield _key(name, ask(name), registers=name in registering)


def _key(name: str, told: dict[str, str], *, registers: bool) -> Check:
    subject, sentence = f"API key {name}", told["sentence"]
    match KeyVerdict(told["verdict"]):
        case KeyVerdict.ADMIN:
            return Check(
                subject, Result.OK, f"{sentence} Only the first run shows whether Apple accepts a report request."
            )
        case KeyVerdict.NOT_ADMIN if registers:
            return Check(subject, Result.FIX, f"{sentence} Report requests need Admin: {_PUT_KEY} stores another key.")
        case KeyVerdict.NOT_ADMIN:
            return Check(subject, Result.OK, f"{sentence} Reading does not need Admin.")
        case KeyVerdict.UNKNOWN:
            return Check(subject, Result.WARNING, f"{sentence} Ask again later.")
        case KeyVerdict.REJECTED | KeyVerdict.UNUSABLE:
            return Check(subject, Result.FIX, f"{sentence} {_PUT_KEY} stores another key.")


def check_quota(accounts: Sequence[Account], reports: int, calls_per_hour: int, *, releases: bool) -> Iterator[Check]:
    """Whether a day's calls fit into Apple's quota, key by key; accounts whose apps are not known yet are left out."""
    most = calls_per_day(calls_per_hour)
    for account in accounts:
        if not account.app_ids:
            continue
        apps = len(account.app_ids)
        least = calls_needed(apps, reports, releases=releases)
        finding = f"{apps:,} apps with {reports} reports take at least {least:,} calls a day; a key has {most:,}."
        if least > most:
            advice = " Fetch fewer reports, or split the apps among accounts with keys of their own (docs/apple.md)."
            yield Check(f"quota of {account.reader_key_name}", Result.FIX, finding + advice)
        else:
            yield Check(f"quota of {account.reader_key_name}", Result.OK, finding)


def check_sharing(others: Iterable[str]) -> Iterator[Check]:
    """Other pipelines in this account and region that may use the same Apple key; Apple counts their calls together."""
    if names := sorted(others):
        yield Check(
            "shared quota",
            Result.WARNING,
            f"{', '.join(names)} may use the same API key: Apple's quota is per key, so divide calls_per_hour "
            "among them.",
        )
