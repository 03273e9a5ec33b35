"""The list of runs at a fixed key, next to their pages: newest first, one line for each run.

A row of the list holds its entry as JSON in an attribute, so the list is read back from itself, and one object with
compare-and-swap is all there is: of two runs that end at the same moment, the later writer reads the other one's entry.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from html.parser import HTMLParser
from typing import Any
from xml.etree.ElementTree import SubElement

from appstore_analytics.contract.layout import INDEX_KEY
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.rewriting import rewrite
from appstore_analytics.report.elements import add_document, add_head, add_link, add_text, duration_text, markup_of

RUNS_LISTED = 400
"""The newest: more than a year of daily runs. The list stays below half a megabyte."""

_ENTRY = "data-run"
_LONGEST_TEXT = 300


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One run of the list; `page` is the name of its page, in the same folder. Its id begins with its start."""

    run_id: str
    page: str
    operation: str
    as_of: str
    started_at: str
    started_by: str
    seconds: float
    apps: int
    has_failed: bool = False
    cause: str = ""


def list_run(bucket: Bucket, entry: RunEntry) -> None:
    """Add the run to the list, or replace its entry. A second call changes nothing.

    Raises ObjectContended if other runs were first too often.
    """
    rewrite(bucket, INDEX_KEY, lambda page: index_page(_with(entry, entries_of(page))), "text/html; charset=utf-8")


def entries_of(page: bytes) -> tuple[RunEntry, ...]:
    """The entries of a list, as it was written. What is no entry of this version or an earlier one is left out."""
    reader = _Reader()
    reader.feed(page.decode())
    reader.close()
    return tuple(reader.entries)


def index_page(entries: Sequence[RunEntry]) -> bytes:
    """The list as UTF-8 HTML."""
    page, body = add_document("Runs")
    add_text(body, "h1", "Runs")
    caption = f"The newest first, at most {RUNS_LISTED}. A run is listed when it has ended; its page says the rest."
    rows = add_head(body, caption, ("started", "result", "operation", "took", "apps", "started by", "cause"))
    for entry in entries:
        row = SubElement(rows, "tr", {_ENTRY: json.dumps(asdict(entry)).replace("<", r"\u003c")})
        head = SubElement(row, "th", scope="row")
        add_link(head, entry.started_at[:16].replace("T", " "), entry.page)
        word, kind = ("failed", "bad") if entry.has_failed else ("succeeded", "good")
        add_text(SubElement(row, "td"), "span", word, kind=f"badge {kind}")
        add_text(row, "td", f"{entry.operation} {entry.as_of}")
        for text in (duration_text(entry.seconds), f"{entry.apps:,}", entry.started_by):
            add_text(row, "td", text)
        add_text(row, "td", entry.cause, kind="told")
    return markup_of(page)


def _with(entry: RunEntry, others: Iterable[RunEntry]) -> list[RunEntry]:
    cut = replace(entry, cause=entry.cause[:_LONGEST_TEXT])
    every = [cut, *(one for one in others if one.run_id != entry.run_id)]
    return sorted(every, key=lambda one: one.run_id, reverse=True)[:RUNS_LISTED]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.entries: list[RunEntry] = []

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the entry of a row."""
        for name, text in attrs:
            if name == _ENTRY and (entry := _entry(text or "")):
                self.entries.append(entry)


def _entry(text: str) -> RunEntry | None:
    try:
        values: dict[str, Any] = json.loads(text)
        return RunEntry(**{each.name: values[each.name] for each in fields(RunEntry) if each.name in values})
    except (ValueError, TypeError):  # not written here: it must not keep the newest runs out of the list
        return None
