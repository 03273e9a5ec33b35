"""Docs, docstrings, comments and output avoid words that native engineers stumbled over; each with a better choice."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.docs.reading_docs import PAGES, prose

ROOT = Path(__file__).resolve().parents[2]
ROOMS = (
    "layers/pipeline/python",
    "layers/console/python",
    "benchmarks",
    "docs",
    "functions",
    "infra",
    "local",
    "operations",
    "workshop",
)
FILES = (ROOT / "app.py", ROOT / "manage.py", *sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py")))
BROWSER_FILES = sorted(
    path
    for path in (ROOT / "console").rglob("*")
    if path.suffix in (".js", ".css", ".html") and "node_modules" not in path.parts
)
BETTER = {
    r"stands?(?! for\b|-in)|stood": "is in, is stored in, exists, is current",
    r"whoever|(?:no|every|some)body(?:'s)?": "name the thing, or use the passive voice",
    r"hearsay": "reportedly; not documented",
    r"proved": "verified, shown",
    r"anew": "again, new",
    r"so (?:many|much|long)(?! (?:that|as)\b|,? that\b)": "this many, a number of; name the number",
    r"(?:is|are) none, because": "is not one",
    r"(?:is|are|was|were|be) told(?! to\b)": "is reported, is shown",
    r"(?:is|are) ringing|rings": "is in ALARM",
    r"(?<!wait )(?<!waits )for nothing(?! else)": "free, without effect",
    r"makes no sense": "invalid",
    r"out comes?": "returns",
    r"without a word": "without reporting",
    r"(?:lies|lie) (?:in|on|at)": "is in, is on",
    r"(?:goes|go|went) on with": "continues with",
    r"none of its business": "not affected",
    r"once more": "again",
    r"all the same": "nevertheless, but",
    r"but for": "except for",
    r"for ever": "forever",
    r"so often": "name the number",
    r"of which Apple|needs whom|by what each": "a sentence of its own, with a subject",
    r"sp(?:eak|oke)s? for": "covers",
    r"reach(?:es)? back": "goes back",
    r"g(?:i|a)ves? way": "is replaced",
    r"died? of": "dies on, because of",
    r"goes? by": "is identified by, is sorted by",
    r"of yours": "your own",
    r"how near": "how close",
    r"steers?": "controls",
    r"learnt": "learned",
    r"shall": "must, is to",
    r"(?:there|here|where)(?:of|by|in|upon)|lest|hither(?:to)?": "modern words",
}
CODE = re.compile(r"`[^`]+`")
WORST = re.compile("|".join(rf"(?P<w{number}>\b(?:{words})\b)" for number, words in enumerate(BETTER)), re.IGNORECASE)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_docstring_comment_or_output_uses_them(path: Path) -> None:
    assert [found for text in _texts(path) for found in _found(text)] == []


@pytest.mark.parametrize("path", BROWSER_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_of_the_browser_uses_them(path: Path) -> None:
    assert list(_found(path.read_text("utf-8"))) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_uses_them(page: Path) -> None:
    assert list(_found(prose(page))) == []


def test_each_pattern_finds_what_it_is_for() -> None:
    for text in (
        "it stands in S3",
        "Whoever asks",
        "so many apps",
        "written anew",
        "an alias is none, because",
        "all but for one",
    ):
        assert list(_found(text)), text
    for text in ("a stand-in", "so long as", "so many that", "AWS stands for"):
        assert not list(_found(text)), text


def _found(text: str) -> Iterator[str]:
    """Each match with its surroundings and what to write instead."""
    plain = " ".join(CODE.sub("`…`", text).split())
    for found in WORST.finditer(plain):
        (advice,) = (BETTER[words] for number, words in enumerate(BETTER) if found[f"w{number}"])
        yield f"…{plain[max(0, found.start() - 40) : found.end() + 40]}… → {advice}"


def _texts(path: Path) -> Iterator[str]:
    """Docstrings, other texts of several words, and comments."""
    source = path.read_text("utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            yield node.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string
