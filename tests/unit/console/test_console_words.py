"""The console uses the API's words for verdicts, roles and operations; and every text is in one file."""

import re
from pathlib import Path

import pytest
from node import evaluated

from appstore_analytics.answers.status import RequestVerdict
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.operations import OPERATIONS, Operation
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.model.kpis import DateState
from appstore_analytics.rules.date_verdicts import DateVerdict
from appstore_console.rights import RIGHTS, Right
from infra.console.browser_files import CONSOLE

MODULES = [path for path in CONSOLE.rglob("*.js") if "node_modules" not in path.parts]
API_WORDS = sorted({*map(str, DateVerdict), *map(str, DateState), *map(str, Verdict), *map(str, RequestVerdict)})
WITHOUT_A_SENTENCE = {"final", "ready", "converted", "published", "verified", "unchanged", "rolled back", "superseded"}


def words() -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = evaluated(
        "const { words } = await load('words/en.js'); const answer = words;"
    )
    return found


def verdict_source() -> str:
    return (CONSOLE / "parts" / "verdict.js").read_text(encoding="utf-8")


def letters() -> dict[str, tuple[str, str]]:
    table = verdict_source().split("export const VERDICTS = {", 1)[1].split("};", 1)[0]
    found = re.findall(r'^\s*"?([a-z ]+)"?: \["(.)", "(\w+)"\]', table, re.MULTILINE)
    return {word: (letter, family) for word, letter, family in found}


@pytest.mark.parametrize("word", [word for word in API_WORDS if word != "none"])
def test_every_verdict_has_a_letter_and_a_family(word: str) -> None:
    assert word in letters()


@pytest.mark.parametrize("word", [word for word in API_WORDS if word not in WITHOUT_A_SENTENCE])
def test_every_verdict_that_is_not_well_has_a_sentence(word: str) -> None:
    assert word in words()["verdicts"]


def test_no_verdict_is_known_that_the_api_does_not_say() -> None:
    assert set(letters()) <= {*API_WORDS, "key expired"}
    assert set(words()["verdicts"]) <= {*API_WORDS, "key expired"}


def test_what_needs_somebody_is_late_or_bad_and_nothing_else_is() -> None:
    families = {word: letters()[word][1] for word in map(str, DateVerdict) if word != "none"}
    needing = {str(verdict) for verdict in DateVerdict if verdict.needs_action}
    assert {word for word, family in families.items() if family in ("late", "bad")} == needing


def test_verdicts_of_one_family_are_told_apart_without_colour() -> None:
    shown = [letters()[str(verdict)][0] for verdict in DateVerdict if verdict.needs_action]
    assert len(set(shown)) == len(shown)


def test_chips_come_in_the_apis_order() -> None:
    source = verdict_source().split("export const WORST_FIRST = [", 1)[1].split("];", 1)[0]
    order = [word for word in re.findall(r'"([a-z ]+)"', source) if word in set(map(str, DateVerdict))]
    assert order == [str(verdict) for verdict in DateVerdict if str(verdict) in order]


def test_the_matrix_of_roles_is_the_apis() -> None:
    source = (CONSOLE / "pages" / "roles.js").read_text(encoding="utf-8")
    least = dict(re.findall(r'\["([a-z ]+)", "(viewer|operator|admin)"\]', source))
    assert least == {str(right): str(next(role for role in RIGHTS if right in RIGHTS[role])) for right in Right}


def test_every_operation_can_be_started_with_what_it_takes() -> None:
    source = (CONSOLE / "pages" / "start_fields.js").read_text(encoding="utf-8")
    table = source.split("export const FIELDS = {", 1)[1].split("\n};", 1)[0]
    named = {"APPS": "app_ids", "TABLES": "reports", "RUN": "run_id"}
    for operation in Operation:
        of_operation = re.search(rf"^  {operation}: \[(.*?)\],?$", table, re.MULTILINE | re.DOTALL)
        assert of_operation, operation
        found = re.findall(r'"(\w+_date)"|\b(APPS|TABLES|RUN)\b', of_operation[1])
        fields = {date or named[name] for date, name in found}
        assert fields == {*OPERATIONS[operation].required, *OPERATIONS[operation].optional} - {"as_of"}
    assert set(words()["operations"]) == {*map(str, Operation), "unknown"}


def test_every_stage_of_a_run_has_a_name() -> None:
    assert set(words()["run"]["stageNames"]) == {name.lower() for name in MapName}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_no_sentence_stands_outside_the_words(path: Path) -> None:
    """Text between tags, and English in attributes that are spoken or shown."""
    if path.parent.name == "words":
        return
    source = path.read_text(encoding="utf-8")
    code = re.sub(r"/\*.*?\*/|^\s*//.*$", "", source, flags=re.DOTALL | re.MULTILINE)
    shown = re.findall(r"(?<![=\s(])>\s*([A-Za-z][A-Za-z ,.’]{3,})\s*<", code)
    shown += re.findall(r'(?:aria-label|title|placeholder|alt)="([^"$]+)"', code)
    assert [text for text in shown if text not in ("App Store ", "Analytics", "appstore.batches")] == []


def test_every_word_is_used() -> None:
    used = "\n".join(path.read_text(encoding="utf-8") for path in MODULES if path.name != "en.js")
    unused = []
    for room, entries in words().items():
        for name in entries if isinstance(entries, dict) else ():
            if not re.search(rf"\b{re.escape(name)}\b", used):
                unused.append(f"{room}.{name}")
    by_key = ("dimensions.", "operations.", "statuses.", "kpis.", "verdicts.", "starters.")
    assert [name for name in unused if not name.startswith(by_key)] == []


def test_places_of_a_sentence_are_filled_by_whoever_says_it() -> None:
    """A place that no module fills would stay empty."""
    used = "\n".join(path.read_text(encoding="utf-8") for path in MODULES if path.name != "en.js")
    places = set(re.findall(r"\{(\w+)\}", (CONSOLE / "words" / "en.js").read_text(encoding="utf-8"))) - {"n"}
    assert {place for place in places if not re.search(rf"\b{place}\b", used)} == set()
