"""Notices of a run: one sentence each about something that did not fail but that people should know."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from appstore_analytics.contract.facts import ConvertFacts, ListFacts, PlannedFacts
from appstore_analytics.model.items import ItemRecord
from appstore_analytics.model.plan import RunPlan, named
from appstore_analytics.model.waits import Wait, by_cause
from appstore_analytics.rules.offered_reports import missing_sentence, unknown_sentence

_NAMED = 20
_KEPT = "All rows are kept, because equal rows are legal: compare the sums with App Store Connect."


def missing_reports(register: Sequence[ItemRecord]) -> dict[str, list[str]]:
    """The apps for which Apple does not offer a configured report, by the report's name in the catalogue."""
    apps: dict[str, list[str]] = defaultdict(list)
    for record in register:
        for report in ListFacts.of(record.facts).missing_reports:
            apps[report].append(record.event["app_id"])
    return {report: sorted(found) for report, found in sorted(apps.items())}


def unknown_reports(register: Sequence[ItemRecord]) -> list[str]:
    """The names of reports that Apple offers to any app and that are not in the catalogue."""
    return sorted({name for record in register for name in ListFacts.of(record.facts).unknown_reports})


def notices(
    plan: RunPlan, register: Sequence[ItemRecord], converted: Sequence[ItemRecord] = (), waits: Iterable[Wait] = ()
) -> tuple[str, ...]:
    """All notices of a run, those about whole apps first, its waits last."""
    return (
        *(gone.sentence for gone in plan.vanished),
        *plan.notices,
        *_missing(register, plan.app_names),
        *_unknown(register),
        *_refused(register, plan.app_names),
        *_repeated(converted, plan.app_names),
        *(wait.past for wait in by_cause(waits)),
    )


def _missing(register: Sequence[ItemRecord], names: Mapping[str, str]) -> Iterator[str]:
    unknown = unknown_reports(register)
    for report, apps in missing_reports(register).items():
        yield f"{_apps(apps, names)}: {missing_sentence(report, unknown)}"


def _unknown(register: Sequence[ItemRecord]) -> Iterator[str]:
    if unknown := unknown_reports(register):
        yield unknown_sentence(unknown)


def _refused(register: Sequence[ItemRecord], names: Mapping[str, str]) -> Iterator[str]:
    """Those that failed the run are also among its errors; an earlier run reported the others."""
    for record in register:
        for _, sentence in sorted(ListFacts.of(record.facts).refused.items()):
            yield f"App {_app(record, names)}: {sentence}"


def _repeated(converted: Sequence[ItemRecord], names: Mapping[str, str]) -> Iterator[str]:
    """Equal rows are legal and kept, but a file that repeats all of them is suspicious."""
    for record in converted:
        facts = ConvertFacts.of(record.facts)
        subject = f"App {_app(record, names)}, {PlannedFacts.of(record.facts).table}"
        if days := facts.repeated_dates:
            more = len(days) < facts.dates_repeated
            yield (
                f"{subject}: every row of {', '.join(days)}{' and earlier Dates' if more else ''} occurs "
                f"more than once, all equally often: {facts.rows_repeated:,} rows too many if Apple "
                f"repeated them by mistake. {_KEPT}"
            )
        if segments := facts.segments_repeated:
            yield f"{subject}: {segments} segments have the same bytes as another segment of the instance. {_KEPT}"


def _app(record: ItemRecord, names: Mapping[str, str]) -> str:
    app_id = record.event["app_id"]
    return named(app_id, names.get(app_id, ""))


def _apps(app_ids: Sequence[str], names: Mapping[str, str]) -> str:
    first = ", ".join(named(app_id, names.get(app_id, "")) for app_id in app_ids[:_NAMED])
    more = f" and {len(app_ids) - _NAMED} more" if len(app_ids) > _NAMED else ""
    return f"{'App' if len(app_ids) == 1 else 'Apps'} {first}{more}"
