"""The state of one app in the registry: its requests and its ledger."""

from collections import defaultdict
from datetime import date

from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.model.instances import LedgerInstance
from appstore_analytics.registry.registry import Registry
from appstore_analytics.rules.gaps import KnownApp


def known_app(app_id: str, registry: Registry, since: date = date.min) -> KnownApp:
    """An app's state in the registry; of its daily instances those built from `since` on."""
    ledger: dict[str, tuple[LedgerInstance, ...]] = defaultdict(tuple)
    for access_type, first in ((AccessType.ONGOING, since), (AccessType.ONE_TIME_SNAPSHOT, date.min)):
        for instance in registry.instances.since(app_id, access_type, first):
            ledger[instance.table] += (instance,)
    requests = registry.report_requests
    ongoing, snapshot = requests.get(app_id, AccessType.ONGOING), requests.get(app_id, AccessType.ONE_TIME_SNAPSHOT)
    return KnownApp(app_id, ongoing, snapshot, ledger)
