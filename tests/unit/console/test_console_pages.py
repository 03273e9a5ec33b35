"""Pages as a browser gets them: compressed once, cached forever by their hash, and protected by headers."""

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from appstore_console.pages import Pages, content_security_policy
from infra.console.pages import pages_of_this_project, stage_web

LIVE = "wss://abc.execute-api.eu-central-1.amazonaws.com/live"
FILES = {
    "index.html": b"<!doctype html><script src='assets/1a2b/console.js'></script>",
    "assets/1a2b/console.js": b"export const answer = 42;\n" * 50,
    "assets/1a2b/icon.svg": b"<svg/>",
}
GZIP = {"accept-encoding": "gzip, br"}


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    return Pages(stage_web(FILES, tmp_path) / "pages", LIVE)


def content(answer: dict[str, Any]) -> bytes:
    assert answer["isBase64Encoded"] is True
    sent = base64.b64decode(answer["body"])
    return gzip.decompress(sent) if answer["headers"].get("Content-Encoding") == "gzip" else sent


@pytest.mark.parametrize("path", ["/", "/index.html"])
def test_the_front_page_is_asked_for_each_time(pages: Pages, path: str) -> None:
    answer = pages.answer(path, GZIP)
    assert (answer["statusCode"], content(answer)) == (200, FILES["index.html"])
    assert answer["headers"]["Cache-Control"] == "no-cache"
    assert answer["headers"]["Content-Type"] == "text/html; charset=utf-8"


def test_what_it_names_is_kept_for_good(pages: Pages) -> None:
    answer = pages.answer("/assets/1a2b/console.js", GZIP)
    assert content(answer) == FILES["assets/1a2b/console.js"]
    assert answer["headers"]["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer["headers"]["Content-Type"] == "text/javascript; charset=utf-8"


def test_who_takes_no_gzip_gets_the_same_bytes_without_it(pages: Pages) -> None:
    answer = pages.answer("/assets/1a2b/console.js", {})
    assert "Content-Encoding" not in answer["headers"]
    assert content(answer) == FILES["assets/1a2b/console.js"]
    assert answer["headers"]["Vary"] == "Accept-Encoding"


def test_a_page_that_the_browser_has_is_not_sent_again(pages: Pages) -> None:
    etag = pages.answer("/", GZIP)["headers"]["ETag"]
    again = pages.answer("/", {**GZIP, "if-none-match": etag})
    assert (again["statusCode"], again["body"], again["headers"]["ETag"]) == (304, "", etag)
    assert pages.answer("/", {**GZIP, "if-none-match": '"other"'})["statusCode"] == 200


@pytest.mark.parametrize(
    "path",
    ["/favicon.ico", "/assets/0000/console.js", "/pages.json", "/../handler.py", "/assets/1a2b/../../handler.py"],
)
def test_there_is_nothing_else(pages: Pages, path: str) -> None:
    answer = pages.answer(path, GZIP)
    assert (answer["statusCode"], answer["body"]) == (404, "")


@pytest.mark.parametrize("path", ["/", "/assets/1a2b/icon.svg", "/nothing"])
def test_every_answer_is_guarded(pages: Pages, path: str) -> None:
    headers = pages.answer(path, GZIP)["headers"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert not [name for name in headers if name.lower().startswith("access-control-")]


def test_a_page_may_run_its_own_files_and_ask_its_own_api_and_nothing_else() -> None:
    rules = dict(rule.split(" ", 1) for rule in content_security_policy(LIVE).split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["connect-src"] == "'self' wss://abc.execute-api.eu-central-1.amazonaws.com"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert "unsafe" not in content_security_policy(LIVE)


def test_the_same_files_are_staged_at_the_same_place_and_others_elsewhere(tmp_path: Path) -> None:
    first = stage_web(FILES, tmp_path)
    assert stage_web(dict(reversed(FILES.items())), tmp_path) == first
    assert stage_web({**FILES, "index.html": b"<!doctype html>"}, tmp_path) != first
    assert not first.exists()  # what is no longer deployed


def test_every_file_of_the_console_has_a_type_and_is_small() -> None:
    files = pages_of_this_project()
    assert "index.html" in files
    assert sum(len(gzip.compress(content)) for content in files.values()) < 100_000


def test_the_handler_stands_beside_its_pages(tmp_path: Path) -> None:
    staged = stage_web(FILES, tmp_path)
    assert "def handler" in (staged / "handler.py").read_text()
    assert set(json.loads((staged / "pages" / "pages.json").read_text())) == set(FILES)
