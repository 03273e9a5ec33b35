"""What the registry knows of one app."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.model.instances import LedgerInstance
from appstore_analytics.model.requests import KnownRequest


@dataclass(frozen=True, slots=True)
class KnownApp:
    """One app's requests, and its ledger by table."""

    app_id: str
    ongoing: KnownRequest
    snapshot: KnownRequest
    ledger: Mapping[str, tuple[LedgerInstance, ...]]

    def listed_until(self, granularity: Granularity) -> date:
        """The newest processing date that was listed for any table; `date.min` without any."""
        instances = (one for of_table in self.ledger.values() for one in of_table)
        built = (
            one.vintage.processing_date
            for one in instances
            if one.granularity is granularity and one.vintage.access_type is AccessType.ONGOING
        )
        return max(built, default=date.min)
