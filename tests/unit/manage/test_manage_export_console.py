"""./manage.py export-console, over a console whose answers are given."""

import io
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from appstore_analytics.answers.errors import Refused, Unreachable
from appstore_console.database.copying import KEYS
from operations import commands
from operations.console_api import ConsoleApi
from operations.console_copy import TABLES, ConsoleCopy
from operations.where import Where

OUTPUTS = {
    "ConsoleActFunction": "act",
    "ConsoleMigrateFunction": "migrate",
    "ConsoleUrl": "https://console.example.com",
}
ADA = {"user_id": "a1", "email": "ada@example.com", "role": "admin"}
GRANTS = [{"grant_id": str(number), "app_id": "1000000001"} for number in range(3)]


class Functions:
    """console_act, which knows everybody, and console_migrate, which answers two rows at a time."""

    def __init__(self, people: list[dict[str, Any]], error: str = "") -> None:
        self._people = people
        self._error = error

    def invoke(self, FunctionName: str, Payload: str) -> dict[str, Any]:  # noqa: N803
        event = json.loads(Payload)
        if FunctionName == "act":
            return _answered({"statusCode": 200, "body": json.dumps({"people": self._people})})
        if self._error:
            return {**_answered({"errorMessage": self._error}), "FunctionError": "Unhandled"}
        rows = GRANTS if event["copy"]["table"] == "grants" else []
        behind = [row for row in rows if row["grant_id"] > event["copy"]["after"]]
        return _answered({"rows": behind[:2], "next": behind[1]["grant_id"] if len(behind) > 2 else ""})


def _answered(facts: dict[str, Any]) -> dict[str, Any]:
    return {"Payload": io.BytesIO(json.dumps(facts).encode())}


def ran(monkeypatch: pytest.MonkeyPatch, functions: Any, *arguments: str) -> Any:
    monkeypatch.setattr(Where, "open_console", lambda _: ConsoleApi(functions, OUTPUTS, "arn"))
    monkeypatch.setattr(Where, "open_console_copy", lambda _: ConsoleCopy(functions, OUTPUTS))
    return CliRunner().invoke(commands.app, commands.arranged(["export-console", *arguments]), catch_exceptions=False)


def test_the_file_has_everybody_and_every_row_of_every_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "console.jsonl"
    result = ran(monkeypatch, Functions([ADA]), str(file), "--json")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert lines == [{"table": "people", **ADA}, *({"table": "grants", **row} for row in GRANTS)]
    assert json.loads(result.stdout)["rows"] == {"people": 1, "grants": 3}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_that_is_there_is_never_overwritten(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "console.jsonl"
    file.write_text("mine")
    with pytest.raises(Refused, match="exists already"):
        ran(monkeypatch, Functions([ADA]), str(file))
    assert file.read_text() == "mine"


def test_a_failure_is_told_with_the_functions_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="PostgreSQL cannot be reached"):
        ran(monkeypatch, Functions([ADA], error="PostgreSQL cannot be reached."), str(tmp_path / "console.jsonl"))


def test_a_console_of_an_earlier_version_says_so() -> None:
    with pytest.raises(Unreachable, match="earlier version"):
        ConsoleCopy(Functions([]), {"ConsoleActFunction": "act"})  # type: ignore[arg-type]


def test_the_copy_has_the_tables_of_the_function() -> None:
    assert tuple(KEYS) == TABLES
