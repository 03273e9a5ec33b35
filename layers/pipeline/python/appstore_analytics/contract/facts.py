"""The facts of a run: what each step records about its item, in one frozen dataclass per step.

The record in the registry, the totals of the run report, and the columns of `appstore.runs`, `appstore.report_requests`
and `appstore.instances` follow from the fields here. A fact has the same name in all of them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, ClassVar, Self

from appstore_analytics.contract.maps import MapName

_GLUE, _TOTAL = "glue", "total"


def _count(*, total: str | bool = True) -> Any:
    """A number, which the run report adds up: under the fact's own name, under another, or not at all."""
    return field(default=0, metadata={_GLUE: "bigint", _TOTAL: total})


def _column(glue: str, default: Any = None) -> Any:
    """A fact that an `appstore` table has as it is. One without `_count` or `_column` is only recorded."""
    return field(default=default, metadata={_GLUE: glue})


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts that one step records about an item. A fact that was not recorded has its default.

    `map_name` is the Map of its items, `in_table` the `appstore` table that has its facts as columns.
    """

    map_name: ClassVar[MapName]
    in_table: ClassVar[str] = ""

    def to_record(self) -> dict[str, Any]:
        """The facts as the registry keeps them; they are plain values of DynamoDB."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        """The facts in a record, which may have those of other steps as well, or none."""
        nothing = cls()
        noted = (each.name for each in fields(cls) if each.name in record)
        return cls(**{name: _like(getattr(nothing, name), record[name]) for name in noted})


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _like(default: Any, value: Any) -> Any:
    """A recorded value in the type of the fact's default: DynamoDB has neither int nor tuple."""
    if isinstance(default, bool) or default is None:
        return value
    return type(default)(value)


@dataclass(frozen=True, slots=True)
class RegisterFacts(Facts):
    """register_request: the report request that the app uses, and whether this run created it."""

    map_name = MapName.REGISTER
    in_table = "report_requests"

    request_id: str | None = _column("string")
    requested_on: str | None = _column("date")
    requests_created: int = field(default=0, metadata={_TOTAL: True})
    duplicates_prevented: int = field(default=0, metadata={_TOTAL: True})


@dataclass(frozen=True, slots=True)
class ListFacts(Facts):
    """list_instances: what Apple lists for the app, and the progress of an attempt that did not finish.

    `refused` says, by table and name, why a list of Apple's or one of its entries could not be used. `tables` are the
    tables of a run that covers all, `converted` those of them that had data before it. `listed`, `empty` and
    `known_refusals` are the state from which the next attempt continues.
    """

    map_name = MapName.REGISTER
    in_table = "report_requests"

    missing_reports: tuple[str, ...] = _column("array<string>", ())
    unknown_reports: tuple[str, ...] = _column("array<string>", ())
    refused: dict[str, str] = field(default_factory=dict)
    tables: tuple[str, ...] = ()
    converted: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    known_refusals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedFacts(Facts):
    """The facts about an instance when it is planned: its table, and the day on which Apple built it."""

    map_name = MapName.LAND

    table: str = ""
    processing_date: str = ""


@dataclass(frozen=True, slots=True)
class DownloadFacts(Facts):
    """download_segments: how much of the instance landed. The segments are recorded one by one (registry/runs.py)."""

    map_name = MapName.LAND
    in_table = "instances"

    segments: int = _count()
    bytes: int = _count()


@dataclass(frozen=True, slots=True)
class ConvertFacts(Facts):
    """convert_instance: the instance's rows, its parts, and the anomalies of its files.

    `skipped_dates` and `repeated_dates` list only the newest. The run's `rows_curated` counts the published rows, not
    the converted ones.
    """

    map_name = MapName.LAND
    in_table = "instances"

    rows_raw: int = _count()
    rows_curated: int = _count(total=False)
    rows_dropped: int = _count()
    parts_written: int = _count()
    parts_replaced: int = _count()
    parts_unchanged: int = _count()
    parts_refused: int = _count()
    digits_rounded: int = _count()
    unknown_columns: tuple[str, ...] = _column("array<string>", ())
    missing_columns: tuple[str, ...] = _column("array<string>", ())
    dates_skipped: int = _count()
    skipped_dates: tuple[str, ...] = _column("array<date>", ())
    rows_repeated: int = _count()
    dates_repeated: int = _count()
    repeated_dates: tuple[str, ...] = _column("array<date>", ())
    segments_repeated: int = _count()


@dataclass(frozen=True, slots=True)
class RestoreFacts(Facts):
    """restore_parts: the restored parts of the instance. `superseded` are the parts that a later run had replaced."""

    map_name = MapName.RESTORE
    in_table = "instances"

    is_rolled_back: bool = _column("boolean", False)
    parts_restored: int = _count()
    parts_deleted: int = _count()
    parts_superseded: int = _count()
    superseded: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PublishFacts(Facts):
    """publish_date: the Date's object. `token` is the dirty mark's token, `announced` is the number of changes that
    took effect."""

    map_name = MapName.PUBLISH

    rows: int = _count(total="rows_curated")
    batches_changed: int = _count(total=False)
    token: str | None = None
    announced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifyFacts(Facts):
    """verify_table: what Athena counted, and the apps for which the converter counted something else."""

    map_name = MapName.VERIFY

    rows: int = _count(total="rows_athena")
    batches: int = _count(total=False)
    apps_different: tuple[int, ...] = ()


EVERY_STEP: tuple[type[Facts], ...] = (
    RegisterFacts,
    ListFacts,
    PlannedFacts,
    DownloadFacts,
    ConvertFacts,
    RestoreFacts,
    PublishFacts,
    VerifyFacts,
)


def totals() -> Iterator[tuple[str, MapName, str]]:
    """Every number that the run report adds up: its name there, the Map of its items, and the fact's name."""
    for facts in EVERY_STEP:
        for each in fields(facts):
            if total := each.metadata.get(_TOTAL):
                yield each.name if total is True else total, facts.map_name, each.name


def columns_of(table: str) -> tuple[tuple[str, str], ...]:
    """The facts that an `appstore` table has as columns: name and Glue type."""
    return tuple((each.name, each.metadata[_GLUE]) for each in _facts_of(table))


def row_of(table: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """The facts in one item's record as columns of an `appstore` table; facts that were not recorded have their
    default."""
    every = (facts.of(record).to_record() for facts in EVERY_STEP if facts.in_table == table)
    plain: dict[str, Any] = {name: value for record in every for name, value in record.items()}
    return {each.name: plain[each.name] for each in _facts_of(table)}


def _facts_of(table: str) -> Iterable["Field[Any]"]:
    return (each for facts in EVERY_STEP if facts.in_table == table for each in fields(facts) if _GLUE in each.metadata)
