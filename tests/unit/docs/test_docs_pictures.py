"""The pictures that the pages show are those that the command makes, and small."""

import io
from pathlib import Path

from PIL import Image

from appstore_console.digest.words import text_of
from docs.pictures import DIGEST, FOLDER, LARGEST_BYTES, PICTURES, small, week_of
from tests.e2e.console.imitation.portfolio import Portfolio

ROOT = Path(__file__).parents[3]
OF_OTHERS = {"pipeline.svg", "run-page.png"}
"""docs/generate.py writes the first; the second is the page of a run of the demo."""


def test_every_picture_is_there_and_none_is_left_over() -> None:
    assert {path.name for path in FOLDER.iterdir()} - OF_OTHERS == {each.path.name for each in (*PICTURES, DIGEST)}


def test_every_picture_is_shown_on_a_page() -> None:
    pages = "".join(page.read_text() for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")))
    assert [path.name for path in FOLDER.iterdir() if f"pictures/{path.name}" not in pages] == []


def test_every_picture_is_small() -> None:
    assert [path.name for path in FOLDER.iterdir() if path.stat().st_size > LARGEST_BYTES] == []


def test_a_rare_colour_is_kept_among_many_others() -> None:
    rare, picture, png = (0, 120, 60), Image.new("RGB", (64, 64)), io.BytesIO()
    for place in range(64 * 64):
        picture.putpixel((place % 64, place // 64), (200 + place % 50, 200 + place // 64 % 50, 220))
    picture.putpixel((5, 5), rare)
    picture.save(png, "PNG")
    shown = Image.open(io.BytesIO(small(png.getvalue())))
    assert shown.mode == "P"
    assert max(abs(one - other) for one, other in zip(shown.convert("RGB").getpixel((5, 5)), rare, strict=True)) <= 8


def test_the_digest_of_the_picture_has_all_its_parts() -> None:
    text = text_of(week_of(Portfolio()), "https://console.example.com/")
    assert "Total downloads: " in text
    assert "Restated by Apple in the last" in text
    assert "Problems:" in text
