"""Every key of the registry's DynamoDB table is built and parsed here; a test searches the code for other places.

pk                   sk                                              one item per
APP#<app id>         REQUEST#<access type>                           report request, with its claim
APP#<app id>         INSTANCE#<access type>#<processing date>#<id>   instance: the ledger
(as its item)        PAGE#<sk of its item>#<list>#<page>              page of a list that is too long for its item
DIRTY#<table>        <Date>                                          Date whose parts changed since it was verified
KPIS#<table>         BUILD                                           table: the oldest Date whose KPIs were planned
BUDGET#<key name>    CALLS                                           API key: calls of the rolling hour
RUN#<run id>         <MAP>#<item>                                    manifest item: planned, then how it ended
RUN#<run id>         PART#<app id>#<instance>#<table>#<Date>         part that the run wrote: the journal
APP#<app id>         REFUSED#<table>#<digest>                        entry of Apple's list that no run can use
RUN#<run id>         WAIT#<until>#<what for>                         what the run waits for until then
RELEASES             <app id>                                        app: its versions on the App Store
STATISTICS           TOTAL                                           counters over all time

`RUN_PARTITION` is in contract/layout.py, because the state machine writes an item's failure itself.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.layout import RUN_PARTITION, TableDate
from appstore_analytics.contract.maps import MAPS_OF_APPS, MapName
from appstore_analytics.contract.waits import WaitFor
from appstore_analytics.model.items import Item
from appstore_analytics.model.vintage import Vintage

Key = dict[str, str]

STATISTICS_KEY: Key = {"pk": "STATISTICS", "sk": "TOTAL"}

_APP, _DIRTY, _KPIS, _BUDGET = "APP#", "DIRTY#", "KPIS#", "BUDGET#"
_REQUEST, _INSTANCE, _PART, _REFUSED, _PAGE = "REQUEST#", "INSTANCE#", "PART#", "REFUSED#", "PAGE#"
WAITS_PREFIX = "WAIT#"
RELEASES_PARTITION = "RELEASES"
_OF_ONE_APP = frozenset({_PART, *(f"{name}#" for name in MAPS_OF_APPS)})
"""The prefixes of sort keys of a run's items that are followed by an app id."""

_LAST = "~"
"""Sorts after every character of a key."""


def app_partition(app_id: str) -> str:
    """The partition of an app: its report requests and its ledger."""
    return f"{_APP}{app_id}"


def request_key(app_id: str, access_type: AccessType) -> Key:
    """The key of an app's report request."""
    return {"pk": app_partition(app_id), "sk": f"{_REQUEST}{access_type}"}


def instance_key(app_id: str, vintage: Vintage) -> Key:
    """The key of an instance in the app's ledger."""
    return {"pk": app_partition(app_id), "sk": _instance(vintage)}


def instance_range(app_id: str, access_type: AccessType, since: date) -> tuple[str, str, str]:
    """The partition of an app, and the lowest and the highest sort key of its instances from a processing date on."""
    prefix = f"{_INSTANCE}{access_type}#"
    return app_partition(app_id), f"{prefix}{since.isoformat()}", f"{prefix}{_LAST}"


def is_instance(key: Mapping[str, Any]) -> bool:
    """Whether an item with this key is an instance of a ledger."""
    return str(key["sk"]).startswith(_INSTANCE)


def parse_instance_key(key: Mapping[str, Any]) -> tuple[str, Vintage]:
    """The app id and the vintage in a key that `instance_key` built."""
    _, access_type, processing_date, instance_id = key["sk"].split("#", 3)
    vintage = Vintage(date.fromisoformat(processing_date), AccessType(access_type), instance_id)
    return key["pk"].removeprefix(_APP), vintage


def refusal_key(app_id: str, table: str, digest: str) -> Key:
    """The key of an entry of a table's list that is refused; `digest` names the entry and the reason."""
    return {"pk": app_partition(app_id), "sk": f"{_REFUSED}{table}#{digest}"}


def page_key(key: Key, name: str, page: int) -> Key:
    """The key of a page of the list `name`, which belongs to the item with this key."""
    return {"pk": key["pk"], "sk": f"{_PAGE}{key['sk']}#{name}#{page:04d}"}


def dirty_partition(table: str) -> str:
    """The partition of a table's dirty Dates."""
    return f"{_DIRTY}{table}"


def dirty_key(table_date: TableDate) -> Key:
    """The key of a Date's dirty mark."""
    return {"pk": dirty_partition(table_date.table), "sk": table_date.day.isoformat()}


def parse_dirty_key(key: Mapping[str, Any]) -> TableDate:
    """The Date in a key that `dirty_key` built."""
    return TableDate(key["pk"].removeprefix(_DIRTY), date.fromisoformat(key["sk"]))


def kpi_build_key(table: str) -> Key:
    """The key of the note up to which Date a table's KPIs were planned to be built."""
    return {"pk": f"{_KPIS}{table}", "sk": "BUILD"}


def releases_key(app_id: str) -> Key:
    """The key of the known versions of an app."""
    return {"pk": RELEASES_PARTITION, "sk": app_id}


def app_of_releases_key(key: Mapping[str, Any]) -> str:
    """The app in a key that `releases_key` built."""
    app_id: str = key["sk"]
    return app_id


def budget_key(key_name: str) -> Key:
    """The key of an API key's call budget."""
    return {"pk": f"{_BUDGET}{key_name}", "sk": "CALLS"}


def run_partition(run_id: str) -> str:
    """The partition of a run: its items and its journal."""
    return RUN_PARTITION.format(run_id)


def item_key(item: Item) -> Key:
    """The key of a manifest item's record."""
    names = (_instance(name) if isinstance(name, Vintage) else name for name in item.identity)
    return {"pk": run_partition(item.run_id), "sk": "#".join((item.map_name, *names))}


def record_key(run_id: str, record: str) -> Key:
    """The key of the item of a run that has this record."""
    return {"pk": run_partition(run_id), "sk": record}


def record_of(key: Mapping[str, Any]) -> str:
    """The name of an item's record within its run: the event's `record`."""
    record: str = key["sk"]
    return record


def items_prefix(map_name: MapName, *names: str) -> str:
    """The prefix of the sort keys of a Map's items; `names` are the first parts of their identity."""
    return "".join(f"{name}#" for name in (map_name, *names))


def journal_key(run_id: str, app_id: str, vintage: Vintage, table_date: TableDate) -> Key:
    """The key of a journal line."""
    place = f"{table_date.table}#{table_date.day.isoformat()}"
    return {"pk": run_partition(run_id), "sk": f"{journal_prefix(app_id, vintage)}{place}"}


def journal_prefix(app_id: str, vintage: Vintage) -> str:
    """The prefix of the sort keys of one instance's journal lines."""
    return f"{_PART}{app_id}#{_instance(vintage)}#"


def parse_journal_key(key: Mapping[str, Any]) -> tuple[str, str, TableDate]:
    """The run id, the app id and the Date in a key that `journal_key` built."""
    _, app_id, _ = key["sk"].split("#", 2)
    _, table, day = key["sk"].rsplit("#", 2)
    return key["pk"].removeprefix(run_partition("")), app_id, TableDate(table, date.fromisoformat(day))


def parse_run_key(key: Mapping[str, Any]) -> tuple[str, str]:
    """The run id in the key of any item of a run, and the app id, which is empty for items of no single app."""
    kind, _, rest = key["sk"].partition("#")
    app_id = rest.partition("#")[0] if f"{kind}#" in _OF_ONE_APP else ""
    return key["pk"].removeprefix(run_partition("")), app_id


def wait_key(run_id: str, waits_for: WaitFor, until: datetime) -> Key:
    """The key of a wait: waits for the same reason that end in the same minute share it."""
    return {"pk": run_partition(run_id), "sk": f"{WAITS_PREFIX}{until:%Y-%m-%dT%H:%M}#{waits_for.name}"}


def _instance(vintage: Vintage) -> str:
    return f"{_INSTANCE}{vintage.access_type}#{vintage.processing_date.isoformat()}#{vintage.instance_id}"
