import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest

from appstore_analytics.answers.facts import counted, to_json
from operations import screens


@dataclass(frozen=True)
class Row:
    app_id: str
    rows: int | None
    newest: date | None
    verdict: str = ""


@dataclass(frozen=True)
class Answer:
    as_of: date
    started_at: datetime
    totals: dict[str, int]
    names: tuple[str, ...]
    empty: str
    patch: str
    lines: tuple[Row, ...]
    is_good: bool = True

    @property
    def sentence(self) -> str:
        return "All is well."


ANSWER = Answer(
    as_of=date(2026, 11, 23),
    started_at=datetime(2026, 11, 23, 10, 0, tzinfo=UTC),
    totals={"rows_raw": 1234567, "apps": 2},
    names=("Harbor Notes", "[bold]Quay[/bold]"),
    empty="",
    patch="--- a/x\n+++ b/x\n",
    lines=(Row("1000000001", 1200, date(2026, 11, 20), "fresh"), Row("1000000002", None, None, "late")),
)


def shown(capsys: pytest.CaptureFixture[str], **how: bool) -> str:
    screens.show(ANSWER, **({"as_json": False} | how))
    return capsys.readouterr().out


def test_json_has_the_names_and_values_of_the_facts(capsys: pytest.CaptureFixture[str]) -> None:
    answer = json.loads(shown(capsys, as_json=True))
    assert answer == to_json(ANSWER)
    assert list(answer)[:2] == ["is_good", "sentence"]
    assert answer["lines"][0] == {"app_id": "1000000001", "rows": 1200, "newest": "2026-11-20", "verdict": "fresh"}
    assert answer["totals"] == {"rows_raw": 1234567, "apps": 2}


def test_piped_output_is_plain_and_says_everything(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys)
    assert "\x1b" not in text
    for words in ("2026-11-23 10:00:00", "1,234,567", "rows raw", "1000000002", "2026-11-20", "All is well."):
        assert words in text


def test_what_looks_like_markup_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert "[bold]Quay[/bold]" in shown(capsys)


def test_a_patch_is_piped_byte_for_byte(capsys: pytest.CaptureFixture[str]) -> None:
    assert ANSWER.patch in shown(capsys)


def test_what_is_empty_takes_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert not re.search(r"^empty", shown(capsys), re.MULTILINE)


def test_a_column_that_is_empty_in_every_row_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    rows = (Row("1000000001", 1, None), Row("1000000002", 2, None))
    screens.show(
        Answer(ANSWER.as_of, ANSWER.started_at, {}, (), "", "", rows),
        as_json=False,
    )
    header = next(line for line in capsys.readouterr().out.splitlines() if "app id" in line)
    assert header.split() == ["app", "id", "rows"]


def test_a_long_line_is_not_folded_when_piped(capsys: pytest.CaptureFixture[str]) -> None:
    long = Answer(ANSWER.as_of, ANSWER.started_at, {}, ("x" * 400,), "", "", ())
    screens.show(long, as_json=False)
    assert "x" * 400 in capsys.readouterr().out


def test_colours_are_for_terminals(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = shown(capsys)
    assert "\x1b[32mfresh" in text
    assert "\x1b[31mlate" in text


@pytest.mark.parametrize(("count", "words"), [(0, "0 batches"), (1, "1 batch"), (1200, "1,200 batches")])
def test_a_noun_follows_its_number(count: int, words: str) -> None:
    assert counted(count, "batch", "batches") == words


@pytest.mark.parametrize("text", ["\x1b[2J\x1b]0;title\x07gone", "a\rb", "\x9b31m", "\u202egnp.exe"])
def test_no_command_reaches_the_terminal(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = (Row(text, 1, None),)
    answer = Answer(ANSWER.as_of, ANSWER.started_at, {text: 1}, (text,), text, "", rows)
    for as_json in (False, True):
        screens.show(answer, as_json=as_json)
        assert not set("\x1b\x07\r\x9b\u202e") & set(capsys.readouterr().out)


def test_a_narrow_terminal_loses_no_column_and_folds_no_date(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "20")
    out = re.sub(r"\x1b\[[0-9;]*m", "", shown(capsys))
    (line,) = [line for line in out.splitlines() if "1000000001" in line]
    assert line.split() == ["1000000001", "1,200", "2026-11-20", "fresh"]


def test_the_names_of_values_are_dim_and_the_values_are_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert re.search(r"\x1b\[2mas of +\x1b\[0m2026-11-23\n", shown(capsys))
