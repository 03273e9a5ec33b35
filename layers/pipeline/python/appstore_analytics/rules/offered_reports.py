"""The comparison of Apple's report names with the catalogue's, by the rules for headers."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from appstore_analytics.contract.catalogue import REPORTS
from appstore_analytics.contract.catalogue.definition import header_key

_MOST_UNKNOWN_NAMES = 100
_LONGEST_NAME = 120
_NAMED = 20


@dataclass(frozen=True, slots=True)
class Offer:
    """The reports of a request. `report_ids` are Apple's ids by the catalogue's names.

    `unknown` are Apple's names without a report in the catalogue, `ambiguous` the catalogue's names that Apple gives to
    two reports. Apple offers no reports until it has prepared the request.
    """

    report_ids: dict[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()


def read_offer(offered: Iterable[tuple[str, str]]) -> Offer:
    """The offer in pairs of Apple's name and id, by the names of the catalogue."""
    by_key = {header_key(report.name): report.name for report in REPORTS}
    ids: dict[str, set[str]] = defaultdict(set)
    unknown: set[str] = set()
    for name, report_id in offered:
        known = by_key.get(header_key(name))
        if known is None:
            unknown.add(_printable(name))
        else:
            ids[known].add(report_id)
    return Offer(
        report_ids={name: found.copy().pop() for name, found in sorted(ids.items()) if len(found) == 1},
        unknown=tuple(sorted(unknown)[:_MOST_UNKNOWN_NAMES]),
        ambiguous=tuple(sorted(name for name, found in ids.items() if len(found) > 1)),
    )


def missing_sentence(report: str, unknown: Collection[str]) -> str:
    """The reason why a report that Apple does not offer has no data, and the new name that it might have."""
    names = ", ".join(f"'{name}'" for name in sorted(unknown)[:_NAMED])
    others = f"names that the catalogue does not know: {names}" if unknown else "no unknown name"
    return (
        f"Apple offers reports for this app, but none named '{report}'; it offers {others}. If the report was renamed, "
        "update the catalogue (docs/operations.md#a-report-that-apple-does-not-offer)."
    )


def unknown_sentence(unknown: Collection[str]) -> str:
    """The sentence about offered reports that have no table."""
    names = ", ".join(f"'{name}'" for name in sorted(unknown))
    return f"Apple offers reports that the catalogue does not know, so they are not fetched: {names}."


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name[:_LONGEST_NAME])
