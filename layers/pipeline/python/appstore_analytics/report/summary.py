"""The summary of a run, from the records of its items: verdicts, totals, and the cause of its failure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.facts import ConvertFacts, ListFacts, PlannedFacts, RestoreFacts, VerifyFacts, totals
from appstore_analytics.contract.maps import MAPS_OF_APPS, MapName
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.model.items import ItemRecord
from appstore_analytics.model.plan import RunPlan, named
from appstore_analytics.model.waits import Wait
from appstore_analytics.report.notices import missing_reports, notices, unknown_reports
from appstore_analytics.rules.verdicts import app_verdict, item_reason, item_verdict

_APPS_NAMED = 20

Records = Mapping[MapName, Sequence[ItemRecord]]


@dataclass(frozen=True, slots=True)
class AppSummary:
    """One app's day. `reason` says why it failed or waits; `name` is Apple's, empty if it is unknown."""

    account: str
    app_id: str
    verdict: Verdict
    reason: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class ItemError:
    """An item that failed; `table` if it belongs to one, `app_name` if it is about one app."""

    item: str
    verdict: Verdict
    reason: str
    table: str = ""
    app_name: str = ""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run, in words and numbers.

    `skipped_dates` are Dates that Apple left out, by table and app; `repeated_dates` are Dates for which it repeated
    every row. `missing_reports` are those that Apple does not offer, by name with their apps; `notices` are sentences
    about what did not fail but should be known.
    """

    apps: tuple[AppSummary, ...]
    errors: tuple[ItemError, ...]
    totals: dict[str, int] = field(default_factory=dict)
    unknown_columns: dict[str, list[str]] = field(default_factory=dict)
    missing_columns: dict[str, list[str]] = field(default_factory=dict)
    skipped_dates: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    repeated_dates: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    missing_reports: dict[str, list[str]] = field(default_factory=dict)
    unknown_reports: list[str] = field(default_factory=list)
    notices: tuple[str, ...] = ()
    superseded: tuple[dict[str, str], ...] = ()
    execution_error: str = ""

    @property
    def failed_apps(self) -> tuple[AppSummary, ...]:
        """The apps whose verdict fails the run."""
        return tuple(app for app in self.apps if app.verdict.is_failure)

    @property
    def has_failed(self) -> bool:
        """Whether any item, or any app, failed."""
        return bool(self.errors or self.failed_apps)

    @property
    def cause(self) -> str:
        """One sentence for a failed execution, empty for a successful one. It names at most twenty apps."""
        if not self.has_failed:
            return ""
        if self.failed_apps and self.execution_error:
            return f"{self._failed_apps} The execution broke off: {self.execution_error}"
        if self.failed_apps:
            return self._failed_apps
        return f"{len(self.errors)} items failed: {self.errors[0].item}: {self.errors[0].reason}"

    @property
    def _failed_apps(self) -> str:
        first = ", ".join(named(app.app_id, app.name, app.verdict) for app in self.failed_apps[:_APPS_NAMED])
        more = f" and {len(self.failed_apps) - _APPS_NAMED} more" if len(self.failed_apps) > _APPS_NAMED else ""
        return f"{len(self.failed_apps)} of {len(self.apps)} apps failed: {first}{more}."


def summarize(
    plan: RunPlan,
    records: Records,
    execution_error: str = "",
    waits: Iterable[Wait] = (),
    left: Sequence[str] = (),
    calls: int = 0,
) -> RunSummary:
    """The summary of a run that had these waits. `execution_error` ended a Map or a plan before its items ended.

    `left` are notices from steps without items, and `calls` their calls to Apple.
    """
    every = [record for map_name in MapName for record in records[map_name]]
    errors = [
        ItemError(record.record, item_verdict(record), item_reason(record), _table(record), _app_name(record, plan))
        for record in every
        if item_verdict(record).is_failure
    ]
    if execution_error:
        errors.append(ItemError("execution", Verdict.FAILED, execution_error))
    return RunSummary(
        apps=tuple(_apps(plan, records)),
        errors=tuple(errors),
        totals=_totals(records, calls),
        unknown_columns=_columns(records, "unknown_columns"),
        missing_columns=_columns(records, "missing_columns"),
        skipped_dates=_dates(records, "skipped_dates"),
        repeated_dates=_dates(records, "repeated_dates"),
        missing_reports=missing_reports(records[MapName.REGISTER]),
        unknown_reports=unknown_reports(records[MapName.REGISTER]),
        notices=(*notices(plan, records[MapName.REGISTER], _converted(records), waits), *left),
        superseded=tuple(
            part for record in records[MapName.RESTORE] for part in RestoreFacts.of(record.facts).superseded
        ),
        execution_error=execution_error,
    )


def _apps(plan: RunPlan, records: Records) -> Iterator[AppSummary]:
    by_app: dict[str, list[tuple[Verdict, str]]] = defaultdict(list)
    for record in (record for map_name in MAPS_OF_APPS for record in records[map_name]):
        by_app[record.event["app_id"]].append((item_verdict(record), item_reason(record)))
    changed = (*_converted(records), *_restored(records))
    for app_id, table in {(record.event["app_id"], _table(record)) for record in changed}:
        by_app[app_id] += _of_table(table, records)
    for record in records[MapName.VERIFY]:
        for app_id in VerifyFacts.of(record.facts).apps_different:
            by_app[str(int(app_id))].append((Verdict.MISMATCH, item_reason(record)))
    for account in plan.accounts:
        for app_id in account.app_ids:
            yield _app(account, app_id, by_app[app_id], plan)


def _app(account: Account, app_id: str, ends: Sequence[tuple[Verdict, str]], plan: RunPlan) -> AppSummary:
    verdict = app_verdict((verdict for verdict, _ in ends), plan.operation.traits.verdict_without_items)
    reason = next((reason for one, reason in ends if one is verdict), "")
    return AppSummary(account.name, app_id, verdict, reason, plan.app_names.get(app_id, ""))


def _of_table(table: str, records: Records) -> Iterator[tuple[Verdict, str]]:
    """The verdict of publishing and verifying a table, for an app with rows in it. A mismatch names its own apps."""
    for record in (*records[MapName.PUBLISH], *records[MapName.VERIFY]):
        if record.event["table"] != table:
            continue
        verdict = item_verdict(record)
        if verdict is Verdict.MISMATCH:
            yield Verdict.VERIFIED, ""
        elif verdict.is_failure or verdict in (Verdict.PUBLISHED, Verdict.VERIFIED):
            yield verdict, item_reason(record)


def _converted(records: Records) -> list[ItemRecord]:
    return [record for record in records[MapName.LAND] if item_verdict(record) is Verdict.CONVERTED]


def _restored(records: Records) -> list[ItemRecord]:
    ends = (Verdict.ROLLED_BACK, Verdict.SUPERSEDED)
    return [record for record in records[MapName.RESTORE] if item_verdict(record) in ends]


def _app_name(record: ItemRecord, plan: RunPlan) -> str:
    return plan.app_names.get(record.event.get("app_id", ""), "")


def _table(record: ItemRecord) -> str:
    """The table that an item belongs to; empty for an app."""
    return PlannedFacts.of(record.facts).table or str(record.event.get("table", ""))


def verdict_grid(records: Records) -> dict[tuple[str, str], str]:
    """The verdict of each table of each app, by app id and table; without new data, whether the table holds any."""
    cells: dict[tuple[str, str], str] = {}
    for record in records[MapName.REGISTER]:
        facts = ListFacts.of(record.facts)
        for table in facts.tables:
            held = table in facts.converted
            cells[record.event["app_id"], table] = Verdict.UNCHANGED if held else Verdict.NOT_READY
    ends: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
    for record in records[MapName.LAND]:
        ends[record.event["app_id"], _table(record)].append(item_verdict(record))
    for record in _converted(records):
        ends[record.event["app_id"], _table(record)] += (verdict for verdict, _ in _of_table(_table(record), records))
    for record in records[MapName.VERIFY]:
        for app_id in VerifyFacts.of(record.facts).apps_different:
            ends[str(int(app_id)), record.event["table"]].append(Verdict.MISMATCH)
    return cells | {key: app_verdict(verdicts) for key, verdicts in ends.items()}


def _totals(records: Records, calls: int) -> dict[str, int]:
    return {
        "instances": len(records[MapName.LAND]),
        **{total: _sum(records[map_name], fact) for total, map_name, fact in totals()},
        "dates_published": sum(item_verdict(record) is Verdict.PUBLISHED for record in records[MapName.PUBLISH]),
        "apple_calls": calls + sum(_sum(records[map_name], "calls") for map_name in MapName),
    }


def _sum(records: Iterable[ItemRecord], fact: str) -> int:
    return sum(int(record.facts.get(fact, 0)) for record in records)


def _columns(records: Records, fact: str) -> dict[str, list[str]]:
    """Columns by table that are in the files but not in the catalogue, or the other way round."""
    found: dict[str, set[str]] = defaultdict(set)
    for record in _converted(records):
        found[_table(record)].update(getattr(ConvertFacts.of(record.facts), fact))
    return {table: sorted(columns) for table, columns in sorted(found.items()) if columns}


def _dates(records: Records, fact: str) -> dict[str, dict[str, list[str]]]:
    """The Dates, by table and app, that a file left out between others, or for which it repeats every row."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for record in _converted(records):
        if days := getattr(ConvertFacts.of(record.facts), fact):
            found[_table(record)][record.event["app_id"]].update(days)
    return {table: {app_id: sorted(days) for app_id, days in sorted(of.items())} for table, of in sorted(found.items())}


def count_verdicts(apps: Iterable[AppSummary]) -> dict[str, int]:
    """The number of apps per verdict."""
    return dict(sorted(Counter(str(app.verdict) for app in apps).items()))
