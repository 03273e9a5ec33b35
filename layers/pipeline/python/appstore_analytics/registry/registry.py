"""The parts of the registry, which share one DynamoDB table and one clock."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.model.clock import Clock
from appstore_analytics.model.instances import LedgerInstance
from appstore_analytics.model.known_apps import KnownApp
from appstore_analytics.registry.call_budget import CallBudget
from appstore_analytics.registry.dirty_dates import DirtyDates
from appstore_analytics.registry.instances import Instances
from appstore_analytics.registry.journal import Journal
from appstore_analytics.registry.kpi_builds import KpiBuilds
from appstore_analytics.registry.refetches import Refetches
from appstore_analytics.registry.refusals import Refusals
from appstore_analytics.registry.releases import Releases
from appstore_analytics.registry.report_requests import ReportRequests
from appstore_analytics.registry.runs import Runs
from appstore_analytics.registry.statistics import Statistics
from appstore_analytics.registry.waits import Waits

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


@dataclass(frozen=True)
class Registry:
    """Everything that is remembered. `table` is a boto3 DynamoDB Table; `clock` answers the time, in UTC."""

    table: "Table"
    clock: Clock

    @property
    def report_requests(self) -> ReportRequests:
        """Report requests, one per app and access type."""
        return ReportRequests(self.table, self.clock)

    @property
    def instances(self) -> Instances:
        """The ledger of instances."""
        return Instances(self.table, self.clock)

    @property
    def refetches(self) -> Refetches:
        """Segments that were downloaded again."""
        return Refetches(self.table, self.clock)

    @property
    def refusals(self) -> Refusals:
        """Refused entries of Apple's lists."""
        return Refusals(self.table, self.clock)

    @property
    def releases(self) -> Releases:
        """Versions of apps on the App Store."""
        return Releases(self.table)

    @property
    def dirty_dates(self) -> DirtyDates:
        """Dirty marks of Dates."""
        return DirtyDates(self.table)

    @property
    def kpi_builds(self) -> KpiBuilds:
        """The Date back to which KPIs were planned to be built."""
        return KpiBuilds(self.table)

    @property
    def runs(self) -> Runs:
        """Manifest items and their records."""
        return Runs(self.table, self.clock)

    @property
    def journal(self) -> Journal:
        """The journal of part writes."""
        return Journal(self.table, self.clock)

    @property
    def statistics(self) -> Statistics:
        """Counters over all time."""
        return Statistics(self.table)

    @property
    def waits(self) -> Waits:
        """Waits of runs."""
        return Waits(self.table)

    def known_app(self, app_id: str, since: date = date.min) -> KnownApp:
        """An app's requests and its ledger; of its daily instances those built from `since` on."""
        instances, requests = self.instances, self.report_requests
        ledger: dict[str, tuple[LedgerInstance, ...]] = defaultdict(tuple)
        for access_type, first in ((AccessType.ONGOING, since), (AccessType.ONE_TIME_SNAPSHOT, date.min)):
            for instance in instances.since(app_id, access_type, first):
                ledger[instance.table] += (instance,)
        ongoing, snapshot = (requests.get(app_id, kind) for kind in (AccessType.ONGOING, AccessType.ONE_TIME_SNAPSHOT))
        return KnownApp(app_id, ongoing, snapshot, ledger)

    def call_budget(self, key_name: str) -> CallBudget:
        """The call budget of one API key."""
        return CallBudget(self.table, key_name)
