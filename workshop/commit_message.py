"""The commit-msg hook: `python -m workshop.commit_message FILE` refuses a message that breaks CONTRIBUTING's rules.

Keep the key out of the log          imperative, at most 72 characters, no full stop
                                     an empty line
A refused token was logged whole …   the why, lines of at most 100 characters
"""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

MOST_OF_A_SUBJECT = 72
MOST_OF_A_LINE = 100
_WRITTEN_BY_GIT = re.compile(r"(Merge|Revert|fixup!|squash!|amend!) ")
_SCISSORS = "# ------------------------ >8 ------------------------"
# "Added", "Adding" and "Adds", but not "Pass", "Bring", "Feed" or "Embed".
_NOT_IMPERATIVE = re.compile(r"\w+[^e]ed|\w{3,}ing|\w+[^s]s", re.IGNORECASE)
_IMPERATIVE_ALL_THE_SAME = frozenset({"bring", "embed", "focus", "shed", "string"})


def main(arguments: Sequence[str]) -> int:
    """0 for a valid message; 1 after one line per fault on stderr."""
    faults = list(faults_of(Path(arguments[0]).read_text(encoding="utf-8")))
    sys.stderr.writelines(f"Commit message: {fault}\n" for fault in faults)
    return 1 if faults else 0


def faults_of(message: str) -> Iterator[str]:
    """One sentence per fault, empty for a message in the right form or written by git itself.

    Comments and what follows git's scissors line do not count, as for git.
    """
    lines = [line for line in message.partition(_SCISSORS)[0].splitlines() if not line.startswith("#")]
    subject, *rest = "\n".join(lines).strip().splitlines() or [""]
    if not _WRITTEN_BY_GIT.match(subject):
        yield from _faults_of_subject(subject)
        yield from _faults_of_body(rest)


def _faults_of_subject(subject: str) -> Iterator[str]:
    if len(subject) > MOST_OF_A_SUBJECT:
        yield f"the subject has {len(subject)} characters; shorten it to {MOST_OF_A_SUBJECT}."
    if subject.endswith("."):
        yield "the subject ends with a full stop; leave it out."
    first = subject.partition(" ")[0]
    if not first[:1].isupper() or _is_no_imperative(first):
        yield f"the subject begins with {first!r}; begin with an imperative such as Add, Fix or Keep."


def _is_no_imperative(word: str) -> bool:
    return bool(_NOT_IMPERATIVE.fullmatch(word)) and word.lower() not in _IMPERATIVE_ALL_THE_SAME


def _faults_of_body(rest: Sequence[str]) -> Iterator[str]:
    if not any(line.strip() for line in rest):
        yield "it has no body; say after an empty line why the change is needed."
    elif rest[0].strip():
        yield "the second line is not empty; separate subject and body."
    if any(len(line) > MOST_OF_A_LINE and " " in line for line in rest):
        yield f"a line has more than {MOST_OF_A_LINE} characters; wrap the body."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
