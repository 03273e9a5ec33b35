import functools
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from docs.pages import anchor
from tests.unit.docs.reading_docs import PACKAGE, PAGES, README, ROOT, code_words, prose, rows

PROSE_PAGES = tuple(page for page in PAGES if page.name != "reports.md")
LINK = re.compile(r"\]\(([^)\s]+)\)")
REFERENCE = re.compile(r"(?P<path>[\w./-]+\.(?:py|json|sh|md|toml|yaml))(?::(?P<name>\w+))?")
MADE_BY_A_RUN = re.compile(r"^(runs|reports|publications|curated|parts|raw|appstore)/|^(key|data)\.")
OF_THE_PREDECESSOR = {
    "config/etl_config.json",
    "list_ongoing_registry.py",
    "monitor_data_freshness.py",
    "production_request_registry.json",
    "unified_etl.py",
    "verify_registry_requests.py",
}
DECISION = re.compile(r"\d{4}-[a-z-]+\.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(prose(page)):
        parts = urlsplit(link)
        if parts.scheme:
            assert parts.scheme == "https", link
        else:
            target = page.parent / parts.path if parts.path else page
            assert target.exists(), link
            assert not parts.fragment or parts.fragment in _anchors(target), link


@pytest.mark.parametrize("page", PROSE_PAGES, ids=lambda page: page.name)
def test_every_file_and_name_in_the_prose_exists(page: Path) -> None:
    for word in code_words(page):
        found = REFERENCE.fullmatch(word)
        if found is None or MADE_BY_A_RUN.match(word) or word in OF_THE_PREDECESSOR:
            continue
        path = _file(found["path"], page)
        assert path is not None, word
        if found["name"]:
            assert re.search(rf"\b{found['name']}\b", path.read_text(encoding="utf-8")), word


PRIVATE = re.compile(r"\b(vintages?|dirty|ledger|journal|lease|quarantined?|patient(ly)?|restatement|Dates)\b")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_that_uses_the_projects_own_words_leads_to_the_glossary(page: Path) -> None:
    if page.name not in ("CHANGELOG.md", "glossary.md", "crash-matrix.md") and PRIVATE.search(prose(page)):
        assert "glossary.md)" in page.read_text(encoding="utf-8")


def test_apples_rules_all_say_where_they_live() -> None:
    lines = (ROOT / "docs" / "apple.md").read_text(encoding="utf-8").splitlines()
    facts = [line for line in lines if line.startswith("| ") and not line.startswith(("| fact", "| ---"))]
    assert len(facts) > 30
    assert [line for line in facts if not REFERENCE.search(line.rsplit("|", 2)[-2])] == []


def test_the_map_of_rooms_lists_the_folders_that_exist() -> None:
    mapped = {row[0] for row in rows(ROOT / "docs" / "architecture.md", "folder")}
    assert mapped == {f"{path.relative_to(ROOT)}/" for path in _rooms()}


def test_the_readme_can_be_read_in_one_go() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 200


def test_every_decision_says_why_and_what_else_was_possible() -> None:
    folder = ROOT / "docs" / "decisions"
    decisions = sorted(set(folder.iterdir()) - {folder / "README.md"})
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        text = path.read_text(encoding="utf-8")
        assert DECISION.fullmatch(path.name)
        assert f"]({path.name})" in (folder / "README.md").read_text(encoding="utf-8")
        assert text.startswith(f"# {int(path.name[:4])}. ")
        assert re.findall(r"^## (\w+)$", text, re.MULTILINE) == ["Context", "Decision", "Alternatives", "Consequences"]


@functools.cache
def _anchors(page: Path) -> set[str]:
    return {anchor(heading) for heading in re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)}


def _file(name: str, page: Path) -> Path | None:
    """A path from the root, in the package, next to the page, or a unique file name."""
    for folder in (ROOT, PACKAGE, page.parent):
        if (folder / name).is_file():
            return folder / name
    if "/" in name:
        return None
    found = [path for folder in ("infra", "docs", "local") for path in (ROOT / folder).glob(name)]
    return found[0] if len(found) == 1 else None


def _rooms() -> set[Path]:
    ignored = {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line.endswith("/")}

    def folders(parent: Path) -> set[Path]:
        return {
            path
            for path in parent.iterdir()
            if path.is_dir() and not path.name.startswith(".") and path.name not in ignored
        }

    parents = {ROOT / "layers", ROOT / "local"}
    below = folders(ROOT / "layers") - {ROOT / "layers" / "pipeline"}
    return (folders(ROOT) - parents) | below | folders(ROOT / "local") | folders(PACKAGE)
