"""Numbers, dates and scales, in the languages of readers."""

import pytest
from node import evaluated

SPACE, MINUS = "\u00a0", "\u2212"


def shown(call: str, language: str = "en-GB") -> str:
    text: str = evaluated(
        "const numbers = await load('words/numbers.js'); const dates = await load('words/dates.js');"
        f"const say = await load('words/say.js'); const answer = {call};",
        language,
    )
    return text


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("numbers.short(11299)", "11,299"),
        ("numbers.short(99999)", "99,999"),
        ("numbers.short(99999.5)", f"100{SPACE}k"),
        ("numbers.short(341200)", f"341{SPACE}k"),
        ("numbers.short(1204118)", f"1.20{SPACE}M"),
        ("numbers.short(12400000)", f"12.4{SPACE}M"),
        ("numbers.short(-310)", f"{MINUS}310"),
        ("numbers.short(null)", "–"),
        ("numbers.short(0)", "0"),
        ("numbers.whole(-0.2)", "0"),
        ("numbers.share(0.0321)", f"3.2{SPACE}%"),
        ("numbers.share(0.0034)", f"0.34{SPACE}%"),
        ("numbers.share(0)", f"0.0{SPACE}%"),
        ("numbers.changed(0.204).text", f"▲ 20.4{SPACE}%"),
        ("numbers.changed(-0.0017, 'pp').text", f"▼ 0.17{SPACE}pp"),
        ("numbers.changed(0).text", f"· 0.0{SPACE}%"),
        ("numbers.changed(null).text", "–"),
        ("numbers.bounded('1,873', 'at most')", f"≤{SPACE}1,873"),
        ("numbers.bounded('–', 'at most')", "–"),
        ("numbers.bounded('5', 'exact')", "5"),
        ("numbers.signed(81)", "+81"),
        ("numbers.signed(-310)", f"{MINUS}310"),
        ("numbers.dollars(0.41)", f"US${SPACE}0.41"),
        ("numbers.dollars(0.001)", f"US${SPACE}0.001"),
        ("numbers.money(0.83)", "0.83"),
        ("dates.weekday('2026-11-24')", "Tue 24 Nov"),
        ("dates.span('2026-10-31', '2026-11-02')", "31 Oct to 2 Nov"),
        ("dates.clock('2026-11-29T10:24:02+00:00')", "10:24 UTC"),
        ("dates.clock('2026-11-29T00:04:02+00:00')", "00:04 UTC"),
        ("dates.clock('2026-11-29T12:24:02+02:00')", "10:24 UTC"),
        ("dates.plusDays('2026-02-28', 1)", "2026-03-01"),
        ("dates.duration(372)", "6 min 12 s"),
        ("dates.duration(11460)", "3 h 11 min"),
        ("dates.axisDuration(6000)", "1 h 40"),
        ("say.many({ one: '{n} app', other: '{n} apps' }, 1)", "1 app"),
        ("say.listed(['a', 'b', 'c'])", "a, b and c"),
        ("say.text('{a} and {b}', { a: 1 })", "1 and {b}"),
    ],
)
def test_as_people_read_it(call: str, text: str) -> None:
    assert shown(call) == text


@pytest.mark.parametrize(
    ("language", "number", "date"),
    [("de-DE", "11.299", "Tue 24 Nov"), ("ja-JP", "11,299", "Tue 24 Nov"), ("en-US", "11,299", "Tue, Nov 24")],
)
def test_numbers_are_the_readers_and_dates_the_texts_language(language: str, number: str, date: str) -> None:
    assert shown("numbers.short(11299)", language) == number
    assert shown("dates.weekday('2026-11-24')", language) == date


def test_a_big_change_is_bold_and_never_coloured() -> None:
    assert evaluated(
        "const { changed } = await load('words/numbers.js');"
        "const answer = [[0.2], [0.19], [0.011, 'pp'], [0.009, 'pp']].map((change) => changed(...change).isBig);"
    ) == [True, False, True, False]


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [("[412, 331]", 0, 500), ("[0.032]", 0, 0.04), ("[null]", 0, 1), ("[-3, 9]", -5, 10), ("[0, 0]", 0, 1)],
)
def test_every_value_fits_its_scale(values: str, low: float, high: float) -> None:
    scale = evaluated(f"const {{ scaleOf }} = await load('charts/scale.js'); const answer = scaleOf({values});")
    assert (scale["low"], scale["high"]) == (low, high)
    assert scale["lines"][0] == low
    assert scale["lines"][-1] == high


def test_a_gap_interrupts_the_line_and_is_never_zero() -> None:
    path = evaluated(
        "const { pathOf } = await load('charts/scale.js');"
        "const answer = pathOf([1, 2, null, 4, 5], (index) => index, (value) => value);"
    )
    assert path == "M0 1L1 2M3 4L4 5"


def test_stretches_of_neighbours() -> None:
    assert evaluated(
        "const { stretches } = await load('charts/scale.js');"
        "const answer = stretches(6, (index) => [0, 1, 3, 5].includes(index));"
    ) == [[0, 1], [3, 3], [5, 5]]
