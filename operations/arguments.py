"""A more forgiving reading of the command line than the parser's own."""

from collections.abc import Iterable, Iterator, Sequence

from appstore_analytics.answers.errors import Refused

_WITH_VALUE = ("--profile", "--region", "--stack")
_WITHOUT_VALUE = ("--local", "--json")
_LISTS = ("--apps", "--app", "--metrics", "--reports", "--tables")


def arranged(arguments: Sequence[str]) -> list[str]:
    """The arguments in the form that the parser expects.

    Global options are moved to the front, wherever they were; `--apps 1 2` and `--apps 1,2` mean `--apps 1 --apps 2`.
    Refused: a list without a value.
    """
    front: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word in _WITHOUT_VALUE or word.startswith(tuple(f"{name}=" for name in _WITH_VALUE)):
            front.append(word)
        elif word in _WITH_VALUE:
            front += [word, *(value for value in (next(words, None),) if value is not None)]
        else:
            rest.append(word)
    return [*front, *_repeated(rest)]


def _repeated(words: Iterable[str]) -> Iterator[str]:
    """Each value of a list after its own option; a list without a value is left for the parser to refuse."""
    option, is_new = "", False
    for word in words:
        if word.startswith("-"):
            if option and is_new:
                yield option
            name, sign, values = word.partition("=")
            option = name if name in _LISTS else ""
            is_new = bool(option) and not sign
            if not option:
                yield word
            elif sign:
                yield from _pairs(option, values)
        elif option:
            yield from _pairs(option, word)
            is_new = False
        else:
            yield word
    if option and is_new:
        yield option


def _pairs(option: str, values: str) -> Iterator[str]:
    """The option before each value. An empty list, for example from an empty shell variable, does not mean all."""
    found = [value.strip() for value in values.split(",") if value.strip()]
    if not found:
        raise Refused(f"{option} is empty: give at least one value, or leave it out.")
    for value in found:
        yield from (option, value)
