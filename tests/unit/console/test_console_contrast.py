"""Every pair of text and background colours has enough contrast, in both themes: computed from the tokens."""

import re
from itertools import product

import pytest

from infra.console.browser_files import CONSOLE

TEXT, MARK = 4.5, 3.0
GROUNDS = ("canvas", "surface", "sunken", "hover")
FAMILIES = ("good", "wait", "calm", "late", "bad", "restated")
THEMES = {"light": ":root {", "dark": ':root[data-theme="dark"] {'}


def tokens(theme: str) -> dict[str, str]:
    """The colours of a theme; the dark one changes some of the light one's."""
    sheet = (CONSOLE / "styles" / "tokens.css").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for name in ("light", theme):
        block = sheet.split(THEMES[name], 1)[1].split("\n}", 1)[0]
        found |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    return found


def luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


TEXT_PAIRS = [
    *product(("ink", "ink-2", "ink-3", "accent"), GROUNDS),
    *((family, f"{family}-paper") for family in FAMILIES),
    *((family, "surface") for family in FAMILIES),
    ("ink", "accent-soft"),
    ("accent", "accent-soft"),
    ("on-accent", "accent"),
    ("on-bad-solid", "bad-solid"),
    ("ink", "late-paper"),
    ("ink", "bad-paper"),
    ("ink", "series-soft"),
    ("surface", "ink"),
]
MARK_PAIRS = [
    *product(("control", "focus", "series", "restated"), ("canvas", "surface")),
    ("previous", "surface"),
    ("late-solid", "late-paper"),
    ("bad-solid", "bad-paper"),
    ("bad-solid", "surface"),
    ("hatch", "surface"),
]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("ink", "ground"), TEXT_PAIRS)
def test_text_can_be_read(theme: str, ink: str, ground: str) -> None:
    colours = tokens(theme)
    assert contrast(colours[ink], colours[ground]) >= TEXT


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("mark", "ground"), MARK_PAIRS)
def test_marks_can_be_seen(theme: str, mark: str, ground: str) -> None:
    colours = tokens(theme)
    assert contrast(colours[mark], colours[ground]) >= MARK


def test_both_themes_have_the_same_colours() -> None:
    sheet = (CONSOLE / "styles" / "tokens.css").read_text(encoding="utf-8")
    named = {
        theme: set(re.findall(r"--([\w-]+): #", sheet.split(head, 1)[1].split("\n}", 1)[0]))
        for theme, head in THEMES.items()
    }
    assert named["light"] == named["dark"]


def test_colours_are_named_in_the_tokens_alone() -> None:
    """Except for QR codes, which cameras read in both themes, and for print."""
    allowed = {"states.css", "base.css"}
    for path in sorted((CONSOLE / "styles").glob("*.css")):
        if path.name not in {"tokens.css", *allowed}:
            assert not re.findall(r"#[0-9a-fA-F]{3,8}\b", path.read_text(encoding="utf-8")), path.name
