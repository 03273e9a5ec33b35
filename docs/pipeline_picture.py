"""docs/pictures/pipeline.svg: the data's path from Apple to Athena, drawn from the stages below."""

from collections.abc import Iterator
from html import escape

STAGES = (
    ("Register", "ask Apple for", "each app's reports"),
    ("Land", "download, check,", "type each file"),
    ("Publish", "replace each Date", "that changed"),
    ("Verify", "compare Athena", "with Apple's files"),
)
_ENDS = ("App Store Connect", "Athena")
_STORES = ((1, "S3: Apple's files,", "typed rows by app"), (2, "S3: one Parquet", "object per Date"))
_WIDTH, _HEIGHT, _BOX, _GAP, _TOP, _EDGE = 980, 220, 150, 36, 30, 64

_STYLE = (
    "text{font:14px system-ui,sans-serif;fill:#1f2933;text-anchor:middle}.b{font-weight:600}"
    "rect{fill:#e3f0fb;stroke:#2f6f9f}.store{fill:#f4efe0;stroke:#8a6d1f}path{stroke:#52606d;fill:none}"
)

_ARROWHEAD = (
    '<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto-start-reverse">'
    '<path d="M1 1 L7 4 L1 7"/></marker></defs>'
)


def pipeline_picture() -> str:
    """The SVG; the same stages give the same text. It has a white background, to be readable on dark pages too."""
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
            f"<title>From {_ENDS[0]} to {_ENDS[1]}: {', '.join(name for name, *_ in STAGES).lower()}</title>",
            f"<style>{_STYLE}</style>",
            _ARROWHEAD,
            f'<path d="M0 0H{_WIDTH}V{_HEIGHT}H0Z" style="fill:#fff;stroke:none"/>',
            *_ends(),
            *(line for place, stage in enumerate(STAGES) for line in _stage(place, *stage)),
            *(line for store in _STORES for line in _store(*store)),
            "</svg>\n",
        )
    )


def _left(place: int) -> int:
    return 130 + place * (_BOX + _GAP)


def _ends() -> Iterator[str]:
    apple, athena = (escape(each) for each in _ENDS)
    middle = _TOP + _EDGE // 2
    yield from _text(52, middle - 4, *apple.rsplit(" ", 1), style="b")
    yield _arrow(f"M104 {middle}H{_left(0) - 4}")
    right = _left(len(STAGES) - 1) + _BOX
    yield from _text(right + _GAP + 36, middle + 5, athena, style="b")
    yield f'<path marker-end="url(#tip)" marker-start="url(#tip)" d="M{right + 4} {middle}H{right + _GAP}"/>'


def _stage(place: int, name: str, *words: str) -> Iterator[str]:
    left, middle = _left(place), _TOP + _EDGE // 2
    yield f'<rect x="{left}" y="{_TOP - 14}" width="{_BOX}" height="{_EDGE + 28}" rx="8"/>'
    yield from _text(left + _BOX // 2, _TOP + 10, name, style="b")
    yield from _text(left + _BOX // 2, _TOP + 36, *words)
    if place:
        yield _arrow(f"M{left - _GAP} {middle}H{left - 4}")


def _store(place: int, *words: str) -> Iterator[str]:
    left, top = _left(place), _TOP + _EDGE + 50
    yield f'<rect class="store" x="{left}" y="{top}" width="{_BOX}" height="52" rx="8"/>'
    yield from _text(left + _BOX // 2, top + 22, *words)
    yield _arrow(f"M{left + _BOX // 2} {top - 36}V{top - 4}")


def _arrow(way: str) -> str:
    return f'<path marker-end="url(#tip)" d="{way}"/>'


def _text(x: int, y: int, *lines: str, style: str = "") -> Iterator[str]:
    for place, line in enumerate(lines):
        yield f'<text x="{x}" y="{y + place * 20}" class="{style}">{escape(line)}</text>'
