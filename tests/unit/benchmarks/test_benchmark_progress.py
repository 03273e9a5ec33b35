import io

import pytest

from benchmarks.measuring.progress import say


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_a_line_gives_way_to_the_next_and_none_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", "20")
    say("Run 1 of 3: deploying the stack")
    say("")
    assert terminal.getvalue() == "\r\x1b[KRun 1 of 3: deployi\r\x1b[K"


def test_where_there_is_no_terminal_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    say("Run 1 of 3")
    assert capsys.readouterr() == ("", "")
