"""Reading the documentation: its pages, their code blocks, tables and links."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "layers" / "pipeline" / "python" / "appstore_analytics"
README = ROOT / "README.md"
_AT_THE_ROOT = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
PAGES = (README, *(ROOT / name for name in _AT_THE_ROOT), *sorted((ROOT / "docs").rglob("*.md")))
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")
_CELL_END = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Block:
    page: str
    language: str
    text: str


def blocks(*languages: str, pages: tuple[Path, ...] = PAGES) -> list[Block]:
    """The fenced code blocks in these languages."""
    return [
        Block(page.name, language, text)
        for page in pages
        for language, text in _BLOCK.findall(page.read_text(encoding="utf-8"))
        if language in languages
    ]


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return _BLOCK.sub("", page.read_text(encoding="utf-8"))


def code_words(page: Path) -> list[str]:
    """The text in backticks in the prose."""
    return [word for word in _CODE.findall(prose(page)) if word]


def rows(page: Path, first_header: str) -> list[list[str]]:
    """The rows below the first table whose first header cell is `first_header`, without backticks around cells."""
    lines = iter(page.read_text(encoding="utf-8").splitlines())
    header = next(line for line in lines if line.startswith(f"| {first_header} |"))
    next(lines)
    return [_cells(line) for line in _while_table(lines) if line != header]


def commands(block: Block) -> list[list[str]]:
    """The commands of a shell block as argument lists; pipes and `$( )` start new commands."""
    joined = re.sub(r"\\\n|(?<=\|)\n", " ", block.text)
    words = [*_lines_of_words(joined)]
    found: list[list[str]] = []
    for line in words:
        current: list[str] = []
        for word in line:
            if word in ("|", "&&", ";"):
                found.append(current)
                current = []
            else:
                current.append(word)
        found.append(current)
    return [command for command in found if command]


def _lines_of_words(text: str) -> Iterator[list[str]]:
    text = re.sub(r"^(\w+)=\$\((.*?)\)$", r"\2", text, flags=re.DOTALL | re.MULTILINE)
    pending = ""
    for line in text.splitlines():
        pending = f"{pending}\n{line}" if pending else line
        try:
            words = shlex.split(pending, comments=True)
        except ValueError:  # a quote is open: the command continues in the next line
            continue
        pending = ""
        if words:
            yield words
    if pending:
        raise ValueError(f"A quote is never closed in: {pending}")


def _while_table(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if not line.startswith("|"):
            return
        yield line


def _cells(line: str) -> list[str]:
    cells = [cell.strip().replace("\\|", "|") for cell in _CELL_END.split(line)[1:-1]]
    return [cell.strip("`") if cell.count("`") == 2 else cell for cell in cells]
