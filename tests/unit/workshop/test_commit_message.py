from pathlib import Path

import pytest

from workshop.commit_message import faults_of, main

BODY = "\n\nA refused token was logged whole.\n"


@pytest.mark.parametrize(
    "subject", ["Keep the key out of the log", "Pass the clock in", "Bring Dates back", "Feed one table", "Embed it"]
)
def test_an_imperative_subject_with_a_reason_may_be_committed(subject: str) -> None:
    assert list(faults_of(subject + BODY)) == []


@pytest.mark.parametrize(
    "message", ["Merge branch 'x'", 'Revert "Keep it"\n\nThis reverts commit 1.', "fixup! Keep it"]
)
def test_what_git_writes_itself_may_be_committed(message: str) -> None:
    assert list(faults_of(message)) == []


@pytest.mark.parametrize(
    ("message", "word"),
    [
        ("", "imperative"),
        ("keep the key out of the log" + BODY, "'keep'"),
        ("Kept-out keys, adding" + BODY.replace("\n\n", "\n"), "second line"),
        ("Added a column" + BODY, "'Added'"),
        ("Adding a column" + BODY, "'Adding'"),
        ("Adds a column" + BODY, "'Adds'"),
        ("Keep it." + BODY, "full stop"),
        ("Keep " + "x" * 68 + BODY, "73 characters"),
        ("Keep the key out of the log\n", "no body"),
        ("Keep the key out of the log\n# Please enter the commit message\n#\n", "no body"),
        ("Keep it\n\n" + "long " * 21, "wrap"),
    ],
)
def test_any_other_message_is_refused_by_what_is_wrong_with_it(message: str, word: str) -> None:
    assert any(word in fault for fault in faults_of(message))


def test_the_hook_reads_gits_file_without_its_comments_and_diff(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "COMMIT_EDITMSG"
    path.write_text(f"Keep it{BODY}# comment\n# ------------------------ >8 ------------------------\n{'diff ' * 40}\n")
    assert main([str(path)]) == 0
    path.write_text("Keep it\n")
    assert main([str(path)]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "Commit message: it has no body; say after an empty line why the change is needed."
    ]
