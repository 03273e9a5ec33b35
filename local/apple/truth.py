"""The expected contents of the lake, according to the simulation."""

import datetime
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from appstore_analytics.contract.catalogue import REPORTS_BY_NAME
from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from local.apple.data import sums
from local.apple.model import Instance
from local.apple.publication import DAY, completeness_days
from local.apple.world import World


@dataclass(frozen=True, slots=True)
class Batch:
    """One Date of one app in one table: rows, and the sums of the additive measures by column name (decimal text)."""

    app_id: str
    date: datetime.date
    processing_date: datetime.date
    access_type: AccessType
    rows: int
    sums: dict[str, str]


def newest_vintages(
    world: World,
    report_name: str,
    granularity: Granularity = Granularity.DAILY,
    lost: Collection[str] = (),
) -> list[Batch]:
    """Per (app, Date) the newest vintage among all instances published so far, by app and Date.

    The newest processing date that holds a Date replaces all its rows. At equal processing dates ONGOING wins over a
    snapshot, and a snapshot covers only Dates that were complete on its request day. Instances that were not fetched in
    their 35 days count as well; `lost` are the ids of instances that do not count, because they never arrived intact.
    """
    newest: dict[tuple[str, date], Instance] = {}
    for instance, day in _spoken_for(world, report_name, granularity):
        if instance.id not in lost:
            newest[instance.series.app_id, day] = instance
    return [_batch(world, newest[key], key[1]) for key in sorted(newest)]


def every_vintage(world: World, report_name: str, granularity: Granularity = Granularity.DAILY) -> list[Batch]:
    """Every vintage, by processing date: for reports without a documented replacement rule."""
    return [_batch(world, instance, day) for instance, day in _spoken_for(world, report_name, granularity)]


def _spoken_for(world: World, report_name: str, granularity: Granularity) -> list[tuple[Instance, date]]:
    """Each instance with each Date that it covers, oldest vintage first."""
    instances = sorted(world.every_instance(report_name, granularity), key=_vintage)
    return [(instance, day) for instance in instances for day in instance.dates if _speaks_for(instance, day)]


def _vintage(instance: Instance) -> tuple[date, bool, str]:
    return instance.processing_date, instance.access_type is AccessType.ONGOING, instance.id


def _speaks_for(instance: Instance, day: date) -> bool:
    if instance.access_type is AccessType.ONGOING or instance.series.granularity is not Granularity.DAILY:
        return True
    settles_days = max(completeness_days(REPORTS_BY_NAME[instance.series.report_name]), 1)
    return day + DAY * settles_days <= instance.as_of


def _batch(world: World, instance: Instance, day: date) -> Batch:
    rows = world.rows(instance, day)
    report = REPORTS_BY_NAME[instance.series.report_name]
    return Batch(
        instance.series.app_id, day, instance.processing_date, instance.access_type, len(rows), sums(report, rows)
    )
