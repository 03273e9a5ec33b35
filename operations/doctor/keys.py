"""The API keys: does each secret hold one, does Apple accept it, and is the quota of each wide enough."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from appstore_analytics.contract.configuration import Account
from appstore_analytics.rules.call_budget import calls_needed, calls_per_day
from operations.doctor.checks import Check, Result

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

AskApple = Callable[[str], dict[str, str]]
"""Invokes check_key for one key: its `verdict` and `sentence` (steps/check_key.py)."""


def check_key_function(functions: "LambdaClient", function_name: str, calls_per_hour: int) -> AskApple:
    """How to ask check_key, which alone may read the secrets; the doctor never sees a key."""

    def ask(key_name: str) -> dict[str, str]:
        payload = json.dumps({"key": key_name, "calls_per_hour": calls_per_hour})
        answer = functions.invoke(FunctionName=function_name, Payload=payload)
        told: dict[str, str] = json.load(answer["Payload"])
        if "FunctionError" in answer:
            return {
                "verdict": "unknown",
                "sentence": f"check_key failed: {told.get('errorMessage', 'no reason given')}",
            }
        return told

    return ask


def check_keys(accounts: Sequence[Account], ask: AskApple) -> Iterator[Check]:
    """One line per key: an Admin key where it registers, any accepted one where it only reads."""
    registering = [account.admin_key_name for account in accounts]
    reading = [account.reader_key_name for account in accounts]
    for name in dict.fromkeys((*registering, *reading)):
        yield _key(name, ask(name), registers=name in registering)


def _key(name: str, told: dict[str, str], *, registers: bool) -> Check:
    subject, verdict, sentence = f"API key {name}", told["verdict"], told["sentence"]
    if verdict == "admin":
        return Check(subject, Result.OK, f"{sentence} Whether Apple accepts a report request shows the first run.")
    if verdict == "not admin":
        if registers:
            return Check(
                subject, Result.FIX, "Apple accepts the key, but its role is not Admin, which report requests need: "
                f"make a key with the role Admin and run `./manage.py put-key --account {name} FILE`."
            )  # fmt: skip
        return Check(subject, Result.OK, "Apple accepts the key; it is not Admin, and reading needs no more.")
    if verdict == "unknown":
        return Check(subject, Result.WARNING, f"{sentence} Ask again later.")
    return Check(subject, Result.FIX, f"{sentence} `./manage.py put-key` puts a key into the secret.")


def check_quota(accounts: Sequence[Account], reports: int, calls_per_hour: int) -> Iterator[Check]:
    """Whether a day's calls fit into Apple's quota, key by key; accounts whose apps are not known yet are left out."""
    most = calls_per_day(calls_per_hour)
    for account in accounts:
        if not account.app_ids:
            continue
        least, apps = calls_needed(len(account.app_ids), reports), len(account.app_ids)
        finding = f"{apps:,} apps with {reports} reports take at least {least:,} calls a day; a key has {most:,}."
        if least > most:
            advice = " Fetch fewer reports, or split the apps among accounts with keys of their own (docs/apple.md)."
            yield Check(f"quota of {account.reader_key_name}", Result.FIX, finding + advice)
        else:
            yield Check(f"quota of {account.reader_key_name}", Result.OK, finding)


def check_sharing(others: Iterable[str]) -> Iterator[Check]:
    """Other pipelines in this account and region may use the same Apple key, and Apple counts them together."""
    if names := sorted(others):
        yield Check(
            "shared quota",
            Result.WARNING,
            f"{', '.join(names)} may use the same API key: Apple's quota is per key, so divide calls_per_hour "
            "among them.",
        )
