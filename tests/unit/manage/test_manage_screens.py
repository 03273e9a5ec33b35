import importlib
import json
import pkgutil
import re
from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest

import operations
from appstore_analytics import answers
from appstore_analytics.answers.facts import counted, to_json
from operations import screens

PACKAGES = (answers, operations)


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


def at_width(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(width))


def without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_a_narrow_terminal_loses_no_column_and_folds_no_date(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_width(26, monkeypatch)
    lines = without_colours(shown(capsys)).splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.startswith("1000000001")]
    assert lines[at : at + 3] == ["1000000001  1,200  fresh", "    newest: 2026-11-20", "1000000002         late"]


def every_answer() -> list[type]:
    """What the commands answer with."""
    found: dict[str, type] = {}
    for package in PACKAGES:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for each in vars(importlib.import_module(module.name)).values():
                if is_dataclass(each) and isinstance(each, type) and hasattr(each, "sentence"):
                    found[each.__qualname__] = each
    return [found[name] for name in sorted(found)]


def table_rows() -> list[type]:
    """The kinds of rows in the tables of every command's answer."""
    found: dict[str, type] = {}
    for answer in every_answer():
        for hint in get_type_hints(answer).values():
            if get_origin(hint) is tuple and is_dataclass(row := get_args(hint)[0]):
                found[row.__qualname__] = row  # type: ignore[union-attr]
    return [found[name] for name in sorted(found)]


LONG = "Apple built no instance of this report since 2026-11-20, so the next daily run looks again, and then a backfill"
WORDS = {
    "run_id": "20261123T060000123Z-manage-backfill-1a2b3c4d",
    "app_id": "1000000001",
    "table_name": "subscription_event_detailed_monthly_vintages",
    **dict.fromkeys(("reason", "cause"), LONG),
}


def sample_of(kind: Any, number: int) -> Any:
    """A row, or a part of one, with something in each field."""
    return kind(**{name: cell_of(name, hint, number) for name, hint in get_type_hints(kind).items()})


def cell_of(name: str, hint: Any, number: int) -> Any:
    """A long value of a field's type."""
    options = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    kind = get_origin(options[0]) or options[0]
    if is_dataclass(kind):
        return sample_of(kind, number)
    if kind is tuple and get_args(options[0])[0] is str:
        return tuple(f"{name} {each} as long as it gets" for each in range(9))
    if kind is tuple and is_dataclass(row := get_args(options[0])[0]):
        return tuple(sample_of(row, each) for each in range(2))
    samples: dict[Any, Any] = {
        int: 1_234_567_890 + number,
        float: 12_345.6789,
        bool: True,
        date: date(2026, 11, 20),
        datetime: datetime(2026, 11, 23, 6, 0, 12, tzinfo=UTC),
        tuple: tuple(date(2026, 11, day) for day in range(1, 20)),
        Mapping: {"fresh": 60, "late": 8, "below threshold": 2},
    }
    if isinstance(kind, type) and issubclass(kind, str):
        return next(iter(kind)) if issubclass(kind, Enum) else WORDS.get(name, f"{name} as long as it gets")
    return samples[kind]


def test_every_command_that_answers_with_a_table_is_met() -> None:
    assert {"RunLine", "StaleApp", "Gap", "TableCompleteness", "ErrorLine", "SnapshotPlan"} <= {
        row.__name__ for row in table_rows()
    }


@pytest.mark.parametrize("width", [80, 120, 200])
@pytest.mark.parametrize("kind", table_rows(), ids=lambda kind: str(kind.__name__))
def test_every_table_of_every_command_is_readable_at_any_usual_width(
    kind: Any, width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_width(width, monkeypatch)
    rows = tuple(sample_of(kind, number) for number in range(3))
    columns, cells = screens._table(rows)
    screens.show_table(screens.console(), columns, cells)
    out = without_colours(capsys.readouterr().out)
    assert max(map(len, out.splitlines())) <= width
    told = " ".join(out.split())
    for row in cells:
        for cell in row:
            assert " ".join(cell.plain.split()) in told
    for column in columns:
        assert all(word in told for word in column.heading.split())


@pytest.mark.parametrize("width", [80, 120, 200])
@pytest.mark.parametrize("kind", every_answer(), ids=lambda kind: str(kind.__name__))
def test_the_whole_screen_of_every_command_fits_and_ends_with_its_sentence(
    kind: Any, width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_width(width, monkeypatch)
    answer = sample_of(kind, 1)
    screens.show(answer, as_json=False)
    lines = without_colours(capsys.readouterr().out).splitlines()
    assert [line for line in lines if len(line) > width and "./manage.py" not in line] == []
    assert " ".join(" ".join(lines).split()).endswith(" ".join(answer.sentence.split()))


def test_a_value_is_folded_between_words_and_a_command_stays_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_width(60, monkeypatch)
    names = ("Harbor Notes", "Maple Notes", "Tiny Chess", "Quay Timetable", "Copper Clock")
    command = f"./manage.py refetch --apps 1000000001 --reports {'engagement ' * 5}--from 2026-11-20 --to 2026-11-22"
    screens.show(Answer(ANSWER.as_of, ANSWER.started_at, {}, names, command, "", ()), as_json=False)
    lines = without_colours(capsys.readouterr().out).splitlines()
    assert lines[2:5] == [
        "names       Harbor Notes, Maple Notes, Tiny Chess, Quay",
        "            Timetable, Copper Clock",
        f"empty       {command}",
    ]


def test_a_terminal_wide_enough_has_everything_beside_each_other(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_width(200, monkeypatch)
    lines = without_colours(shown(capsys)).splitlines()
    assert "1000000001  1,200  2026-11-20  fresh" in lines
    assert "1000000002                     late" in lines


def test_the_names_of_values_are_dim_and_the_values_are_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert re.search(r"\x1b\[2mas of +\x1b\[0m2026-11-23\n", shown(capsys))
