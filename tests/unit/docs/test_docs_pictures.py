"""The pictures that the pages show are those that the command makes, and small."""

import struct
import zlib
from pathlib import Path

from docs.pictures import DIGEST, FOLDER, LARGEST_BYTES, PICTURES
from docs.small_png import small_png

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


def png(width: int, rows: list[bytes], kind: int = 2) -> bytes:
    """A picture of these filtered rows."""
    chunks = (
        (b"IHDR", struct.pack(">2I5B", width, len(rows), 8, kind, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"".join(rows))),
    )
    bodies = (struct.pack(">I", len(body)) + name + body + b"\0\0\0\0" for name, body in (*chunks, (b"IEND", b"")))
    return b"\x89PNG\r\n\x1a\n" + b"".join(bodies)


def shown(png: bytes) -> list[list[tuple[int, ...]]]:
    """The colours of a picture with a palette."""
    place, chunks = 8, {}
    while place < len(png):
        (size,) = struct.unpack_from(">I", png, place)
        name, body = png[place + 4 : place + 8], png[place + 8 : place + 8 + size]
        assert zlib.crc32(name + body) == struct.unpack_from(">I", png, place + 8 + size)[0]
        chunks[name] = body
        place += size + 12
    width, height, *kind = struct.unpack(">2I5B", chunks[b"IHDR"])
    assert kind == [8, 3, 0, 0, 0]
    palette = [tuple(chunks[b"PLTE"][at : at + 3]) for at in range(0, len(chunks[b"PLTE"]), 3)]
    rows = zlib.decompress(chunks[b"IDAT"])
    return [[palette[each] for each in rows[row * (width + 1) + 1 : (row + 1) * (width + 1)]] for row in range(height)]


RED, BLUE, GREY = (250, 0, 10), (0, 20, 250), (120, 121, 122)


def test_every_kind_of_row_that_a_picture_has_is_read() -> None:
    """PNG subtracts the pixel to the left, the one above, their mean, or the best of three."""
    plain = [bytes((0, *RED, *BLUE, *GREY)), bytes((1, *RED)) + b"\0" * 6, bytes((2,)) + b"\0" * 9]
    assert shown(small_png(png(3, plain))) == [[RED, BLUE, GREY], [RED] * 3, [RED] * 3]
    mean = bytes((3, *(value - value // 2 for value in RED), *[0] * 6))
    best = bytes((4, *(((value - other) & 255) for value, other in zip(BLUE, RED, strict=True)), *[0] * 6))
    rows = shown(small_png(png(3, [bytes((1, *RED)) + b"\0" * 6, mean, best])))
    assert rows[1][0] == RED
    assert rows[2][0] == BLUE


def test_a_rare_colour_of_its_own_is_kept_before_one_more_shade_of_a_frequent_one() -> None:
    greys = [(value, value, value) for value in range(200, 220)]
    row = b"".join(bytes(colour) * 3 for colour in greys) + bytes(RED)
    (seen,) = shown(small_png(png(61, [b"\0" + row]), colours=4))
    assert seen[-1] == RED
    assert len(set(seen)) == 4


def test_of_too_many_colours_the_frequent_ones_stay_and_others_become_the_nearest() -> None:
    near = (RED[0] - 1, *RED[1:])
    row = b"".join(bytes((*colour, 255)) for colour in (RED, RED, BLUE, BLUE, near))
    assert shown(small_png(png(5, [b"\0" + row], kind=6), colours=2)) == [[RED, RED, BLUE, BLUE, RED]]
