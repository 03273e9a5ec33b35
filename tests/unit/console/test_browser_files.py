"""The files for browsers: every module in one file, each in its own scope, under a hash of its bytes."""

import gzip
import json
import subprocess
from pathlib import Path

import pytest

from infra.console.browser_files import CONSOLE, browser_files
from infra.console.modules import PackageError, join_modules
from workshop.toolchain import node_path

NODE = str(node_path())
BYTES_OF_A_FIRST_VISIT = 120_000


def in_modules(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name}.js").write_text(text, encoding="utf-8")
    return folder / "main.js"


def run(script: str) -> str:
    done = subprocess.run([NODE, "--input-type=module"], input=script, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_each_form_of_import_and_export_means_what_it_did(tmp_path: Path) -> None:
    main = in_modules(
        tmp_path,
        main='import twice from "./leaf.js";\nimport { nine as many, Thing } from "./middle.js";\n'
        "console.log(twice(many), Thing.name);\n",
        middle='import * as leaf from "./leaf.js";\nexport { Thing } from "./leaf.js";\n'
        "export const nine = leaf.nine;\n",
        leaf="export const nine = 9;\nexport class Thing {}\nfunction hidden() {}\n"
        "export default function (number) { return 2 * number; }\nexport { hidden as shown };\n",
    )
    assert run(join_modules(main, tmp_path)) == "18 Thing"


def test_two_modules_may_use_the_same_name_for_different_things(tmp_path: Path) -> None:
    main = in_modules(
        tmp_path,
        main='import { told } from "./other.js";\nconst secret = 1;\nconsole.log(secret, told());\n',
        other="const secret = 2;\nexport function told() { return secret; }\n",
    )
    assert run(join_modules(main, tmp_path)) == "1 2"


def test_a_module_runs_once_however_many_import_it(tmp_path: Path) -> None:
    main = in_modules(
        tmp_path,
        main='import { a } from "./a.js";\nimport { b } from "./b.js";\nconsole.log(a, b);\n',
        a='import { next } from "./counter.js";\nexport const a = next();\n',
        b='import { next } from "./counter.js";\nexport const b = next();\n',
        counter="let number = 0;\nexport function next() { number += 1; return number; }\n",
    )
    assert run(join_modules(main, tmp_path)) == "1 2"


def test_comments_are_left_out_and_code_is_not(tmp_path: Path) -> None:
    text = "/**\n * What it says. /* once\n */\nconst said = '/** kept */'; /** @type {string} */ const more = '!';\n"
    joined = join_modules(in_modules(tmp_path, main=f"{text}console.log(said + more);\n"), tmp_path)
    assert "What it says" not in joined
    assert run(joined) == "/** kept */!"


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        ({"main": 'import "./effects.js";\n', "effects": ""}, "an unsupported form of import or export"),
        ({"main": "export let count = 0;\n"}, "an unsupported form of import or export"),
        ({"main": 'import { a } from "./gone.js";\n'}, "gone.js does not exist"),
        ({"main": 'import { a } from "nobody";\n'}, "package nobody is not installed"),
        (
            {"main": 'import { a } from "./a.js";\n', "a": 'import { b } from "./main.js";\n'},
            "main.js → a.js → main.js",
        ),
    ],
)
def test_what_cannot_be_joined_is_refused_in_a_sentence(tmp_path: Path, texts: dict[str, str], sentence: str) -> None:
    with pytest.raises(PackageError, match=sentence):
        join_modules(in_modules(tmp_path, **texts), tmp_path)


def test_the_page_names_files_that_are_served_under_a_hash_of_their_bytes() -> None:
    files = browser_files()
    page = files["index.html"].decode()
    (folder,) = {path.rsplit("/", 1)[0] for path in files if path != "index.html"}
    assert len(folder.removeprefix("assets/")) == 16
    for name in ("console.js", "console.css", "theme.js", "icon.svg"):
        assert f'"{folder}/{name}"' in page
    assert files == browser_files(), "the same bytes each time"


def test_nothing_is_inline_and_nothing_comes_from_elsewhere() -> None:
    page = browser_files()["index.html"].decode()
    assert "<style" not in page
    assert "style=" not in page
    assert "://" not in page
    assert page.count("<script") == page.count("<script src=") + page.count('<script type="module" src=')


def test_a_first_visit_is_small_and_asks_for_few_files() -> None:
    files = browser_files()
    first = {path: body for path, body in files.items() if not path.endswith("licenses.txt")}
    over_the_wire = sum(len(gzip.compress(body, 9)) for body in first.values())
    assert len(first) <= 5
    assert over_the_wire < BYTES_OF_A_FIRST_VISIT


def test_licenses_of_what_is_shipped_are_shipped() -> None:
    (texts,) = (body.decode() for path, body in browser_files().items() if path.endswith("licenses.txt"))
    locked = json.loads((CONSOLE / "package.json").read_text(encoding="utf-8"))["dependencies"]
    for name, version in locked.items():
        assert f"{name} {version}" in texts


def test_the_joined_file_is_a_module_that_parses(tmp_path: Path) -> None:
    (script,) = (body for path, body in browser_files().items() if path.endswith("console.js"))
    joined = tmp_path / "console.mjs"
    joined.write_bytes(script)
    subprocess.run([NODE, "--check", str(joined)], check=True)
