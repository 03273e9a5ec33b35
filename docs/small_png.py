"""Makes the PNG of a screenshot small: a palette of at most 256 colours, without any other package.

A page has few colours, and the edges of its letters many. The palette has the most frequent colour of each part of the
colour cube, so that a green dot stays green, and then the most frequent of all; others become the nearest of these.
"""

import struct
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PALETTE, _NO_FILTER = 3, b"\x00"
_CHANNELS = {2: 3, 6: 4}
"""RGB and RGBA, by the type of colour that the header states."""

_STEP = 32
"""The colour cube in 512 parts."""

Colour = tuple[int, int, int]


def small_png(png: bytes, colours: int = 256) -> bytes:
    """The same picture with at most this number of colours. Only for pictures without transparency."""
    width, height, pixels = _pixels(png)
    counted = Counter(pixels)
    palette = _palette(counted, colours)
    place = {colour: _nearest(colour, palette) for colour in counted} | {each: n for n, each in enumerate(palette)}
    places = bytes(map(place.__getitem__, pixels))
    rows = b"".join(_NO_FILTER + places[start : start + width] for start in range(0, width * height, width))
    header = struct.pack(">2I5B", width, height, 8, _PALETTE, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", b"".join(map(bytes, palette))), (b"IDAT", zlib.compress(rows, 9)))
    return _SIGNATURE + b"".join(_chunk(name, body) for name, body in (*chunks, (b"IEND", b"")))


def _palette(counted: Counter[Colour], colours: int) -> list[Colour]:
    frequent = [colour for colour, _ in counted.most_common()]
    of_parts = dict.fromkeys(_part(colour) for colour in frequent)
    first = {_part(colour): colour for colour in reversed(frequent)}
    chosen = dict.fromkeys([first[part] for part in of_parts][: colours // 2])
    return list(dict.fromkeys([*chosen, *frequent]))[:colours]


def _part(colour: Colour) -> Colour:
    red, green, blue = colour
    return red // _STEP, green // _STEP, blue // _STEP


def _pixels(png: bytes) -> tuple[int, int, list[Colour]]:
    chunks = list(_chunks(png))
    width, height, depth, kind, *_ = struct.unpack(">2I5B", chunks[0][1])
    if depth != 8 or kind not in _CHANNELS:
        raise ValueError(f"A picture of {depth} bits and colour type {kind} is not a screenshot of Chromium.")
    step = _CHANNELS[kind]
    data = zlib.decompress(b"".join(body for name, body in chunks if name == b"IDAT"))
    pixels: list[Colour] = []
    before = bytes(width * step)
    for number in range(height):
        start = number * (width * step + 1)
        row = bytearray(data[start + 1 : start + 1 + width * step])
        _unfilter(data[start], row, before, step)
        pixels += zip(row[0::step], row[1::step], row[2::step], strict=True)
        before = bytes(row)
    return width, height, pixels


def _unfilter(kind: int, row: bytearray, above: bytes, step: int) -> None:
    """PNG specification, "Filter types": what was subtracted from each byte is added again."""
    if kind == 2:
        row[:] = bytes((one + up) & 255 for one, up in zip(row, above, strict=True))
        return
    for place in range(len(row)) if kind else ():
        left = row[place - step] if place >= step else 0
        corner = above[place - step] if place >= step else 0
        predicted = (left, left, above[place], (left + above[place]) // 2, _paeth(left, above[place], corner))[kind]
        row[place] = (row[place] + predicted) & 255


def _paeth(left: int, up: int, corner: int) -> int:
    """The one of the three that is nearest to left + up - corner."""
    guess = left + up - corner
    return min((left, up, corner), key=lambda each: abs(guess - each))


def _nearest(colour: Colour, palette: Sequence[Colour]) -> int:
    red, green, blue = colour
    return min(
        range(len(palette)),
        key=lambda n: (palette[n][0] - red) ** 2 + (palette[n][1] - green) ** 2 + (palette[n][2] - blue) ** 2,
    )


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(_SIGNATURE)
    while place < len(png):
        (size,) = struct.unpack_from(">I", png, place)
        yield png[place + 4 : place + 8], png[place + 8 : place + 8 + size]
        place += size + 12


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
