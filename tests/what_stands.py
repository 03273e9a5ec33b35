"""The results of runs in a comparable form: the lake's bytes, the registry, Apple's requests."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from itertools import pairwise
from typing import Any, NamedTuple

from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.kpis.stored import amounts_of
from appstore_analytics.contract.layout import (
    CURATED_PREFIX,
    KPIS_PREFIX,
    PARTS_PREFIX,
    RAW_PREFIX,
    RUNS_PREFIX,
    TableDate,
)
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.lake.objects import Bucket, StoredObject
from appstore_analytics.lake.parts import batch_of_part
from appstore_analytics.lake.published import DIGEST, read_publication
from appstore_analytics.lake.run_notes import read_rows
from appstore_analytics.model.instances import InstanceStatus
from appstore_analytics.model.parts import Batch
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.registry import Registry
from appstore_analytics.registry.keys import is_instance, parse_instance_key
from local.apple import World

_OF_ONE_RUN = {"expires_at", "created_in_run", "requested_on", "report_ids", "offer_read_on", "converted_by"}
"""Differences between equal runs: times, the runs' names, and the creator of a request, which
is unknown for an adopted one. An adopted one is listed on its first day, and its report ids are known a day earlier."""

Things = dict[str, Any]


class Stood(NamedTuple):
    """The restatement ledger's entry about one vintage of a batch."""

    processing_date: str | None
    instance_id: str | None
    rows: int | None


class Restatement(NamedTuple):
    """One line of the restatement ledger, without its run."""

    before: Stood
    now: Stood


@dataclass(frozen=True)
class WhatStands:
    """Everything that must be the same whatever happened on the way, by its name.

    `restated`: per batch the first vintage that the restatement ledger says was replaced and the last that it says
    stands. A crash can leave a Date half finished, with a vintage of its own; two lines then describe the change of
    one. A run that died before it replaced anything may have noted the change already; the next run notes it again.
    `contradictions`: where ledger, parts, tables and notes do not agree; none once all runs have ended well.
    """

    curated: Things
    kpis: Things
    parts: Things
    raw: Things
    registry: Things
    requests_at_apple: Things
    verified: Things
    restated: Things
    contradictions: Things

    def differences(self, other: "WhatStands") -> list[str]:
        """One line per difference."""
        lines = []
        for kind in (field.name for field in fields(self)):
            here, there = getattr(self, kind), getattr(other, kind)
            names = sorted(name for name in {*here, *there} if here.get(name) != there.get(name))
            lines += [f"{kind}: {name}: {here.get(name)}, but {there.get(name)}" for name in names]
        return lines


def what_stands(world: World, registry: Registry, raw: Bucket, lake: Bucket) -> WhatStands:
    """The current state."""
    items = {f"{item['pk']} {item['sk']}": item for item in registry.table.scan(ConsistentRead=True)["Items"]}
    curated, parts = dict(_objects(lake, CURATED_PREFIX)), dict(_objects(lake, PARTS_PREFIX))
    kpis = dict(_objects(lake, KPIS_PREFIX))
    requests = {app_id: _requests(world, app_id) for app_id in world.apps}
    restated = _restated(lake)
    return WhatStands(
        curated={key: (stored.etag, stored.metadata[DIGEST]) for key, stored in curated.items()},
        kpis={key: (stored.etag, stored.metadata[DIGEST]) for key, stored in kpis.items()},
        parts={key: (stored.etag, _text(_batch(key, stored))) for key, stored in parts.items()},
        raw={stored.key: stored.etag for stored in raw.list(RAW_PREFIX)},
        registry=dict(_lasting(items)),
        requests_at_apple=requests,
        verified=_verified(lake),
        restated={name: (chain[0].before, chain[-1].now) for name, chain in restated.items()},
        contradictions=dict.fromkeys(
            [
                *_requests_too_many(requests),
                *(f"{name} is still dirty" for name in items if name.startswith("DIRTY#")),
                *_converted_but_older(items, _vintages(parts), world),
                *_published_but_not_the_parts(lake, curated, parts),
                *_kpis_of_other_rows(curated, kpis),
                *_gaps(restated),
            ]
        ),
    )


def _kpis_of_other_rows(curated: Mapping[str, StoredObject], kpis: Mapping[str, StoredObject]) -> Iterator[str]:
    """The Dates of a table with KPIs whose two objects do not have the same rows, or of which one is missing."""
    rows = {TableDate(key.split("/")[1], _day(key)): stored for key, stored in curated.items()}
    of_kpis = {
        TableDate(key.split("/")[-1].removesuffix(".parquet"), _day(key)): stored for key, stored in kpis.items()
    }
    for one in {*rows, *of_kpis}:
        if amounts_of(tables_by_name()[one.table]):
            digests = [found[one].metadata[DIGEST] if one in found else None for found in (rows, of_kpis)]
            if digests[0] != digests[1]:
                yield f"{one.kpis_key} is of other rows than {one.curated_key}"


def _day(key: str) -> date:
    return date.fromisoformat(key.split("dt=")[1].split("/", maxsplit=1)[0])


def _objects(bucket: Bucket, prefix: str) -> Iterator[tuple[str, StoredObject]]:
    for stored in bucket.list(prefix):
        standing = bucket.head(stored.key)
        assert standing is not None
        yield stored.key, standing


def _lasting(items: Mapping[str, Things]) -> Iterator[tuple[str, Things]]:
    """Requests, instances and dirty Dates; without the call budget and the runs, which depend on the history."""
    for name, item in items.items():
        if name.startswith(("APP#", "DIRTY#")):
            yield name, {key: item[key] for key in sorted(item.keys() - _OF_ONE_RUN)}


def _requests(world: World, app_id: str) -> list[tuple[str, AccessType]]:
    return sorted((request.id, request.access_type) for request in world.requests_of(app_id))


def _verified(lake: Bucket) -> Things:
    """The batches for which any run found Athena's counts equal to the converter's."""
    rows = _rows(lake, "verification/")
    return {f"{row['table_name']} {row['date']} {row['app_id']}": row["rows_athena"] for row in rows if row["equal"]}


def _restated(lake: Bucket) -> dict[str, list[Restatement]]:
    """The restatement ledger's entries about each batch, once, in the order of replacement.

    The order of the notes of two concurrent runs is unknown: the replaced vintages determine it.
    """
    told: defaultdict[str, dict[Restatement, None]] = defaultdict(dict)
    for row in _rows(lake, "batches/"):
        vintage = row["instance_id"] if tables_by_name()[row["table_name"]].keeps_vintages else ""
        restatement = Restatement(
            Stood(row["replaced_processing_date"], row["replaced_instance_id"], row["replaced_rows"]),
            Stood(row["processing_date"], row["instance_id"], row["rows"]),
        )
        told[f"{row['table_name']} {row['date']} {row['app_id']} {vintage}"][restatement] = None
    return {name: _in_order(list(restatements)) for name, restatements in told.items()}


def _in_order(restatements: list[Restatement]) -> list[Restatement]:
    results = {restatement.now for restatement in restatements}
    ordered = [one for one in restatements if one.before not in results]
    rest = [one for one in restatements if one.before in results]
    while following := [one for one in rest if one.before == ordered[-1].now]:
        ordered.append(following[0])
        rest.remove(following[0])
    return [*ordered, *rest]


def _gaps(restated: Mapping[str, list[Restatement]]) -> Iterator[str]:
    for name, chain in restated.items():
        if any(before.now != after.before for before, after in pairwise(chain)):
            yield f"the restatement ledger of {name} has a gap: {chain}"


def _rows(lake: Bucket, folder: str) -> Iterator[Things]:
    for stored in lake.list(RUNS_PREFIX):
        if f"/{folder}" in stored.key:
            yield from read_rows(lake, stored.key)


def _requests_too_many(requests: Mapping[str, list[tuple[str, AccessType]]]) -> Iterator[str]:
    for app_id, of_app in requests.items():
        if len(of_app) != len({access_type for _, access_type in of_app}):
            yield f"app {app_id} has several live report requests: {of_app}"


def _vintages(parts: Mapping[str, StoredObject]) -> dict[tuple[TableDate, int], Vintage]:
    """The newest current vintage, per Date of a table and app."""
    newest: dict[tuple[TableDate, int], Vintage] = {}
    for key, stored in parts.items():
        batch = _batch(key, stored)
        place = _table_date(key), batch.app_id
        newest[place] = max(batch.vintage, newest.get(place, batch.vintage))
    return newest


def _converted_but_older(
    items: Mapping[str, Things], newest: Mapping[tuple[TableDate, int], Vintage], world: World
) -> Iterator[str]:
    """Each Date that an instance was converted into must have its vintage or a newer one."""
    for name, item in items.items():
        if not is_instance(item) or item.get("status") != InstanceStatus.CONVERTED:
            continue
        app_id, vintage = parse_instance_key(item)
        for day in world.instance(vintage.instance_id).dates:
            standing = newest.get((TableDate(item["table"], day), int(app_id)))
            if standing is None or standing < vintage:
                yield f"{name} is converted, but {day} of {item['table']} stands with {standing}"


def _published_but_not_the_parts(
    lake: Bucket, curated: Mapping[str, StoredObject], parts: Mapping[str, StoredObject]
) -> Iterator[str]:
    """The note of a published object must agree with the parts of its Date, and every part must be published."""
    of_parts: defaultdict[TableDate, set[str]] = defaultdict(set)
    for key, stored in parts.items():
        of_parts[_table_date(key)].add(_text(_batch(key, stored)))
    for table_date in {*of_parts, *map(_table_date, curated)}:
        note = read_publication(lake, tables_by_name()[table_date.table], table_date.day)
        if {_text(batch) for batch in note} != of_parts[table_date]:
            yield f"{table_date} is published as {note}, but its parts are {of_parts[table_date]}"


def _batch(key: str, stored: StoredObject) -> Batch:
    return batch_of_part(stored, _table_date(key).app_id_of_part(key))


def _text(batch: Batch) -> str:
    return json.dumps([batch.app_id, str(batch.vintage), batch.rows, dict(batch.sums)], sort_keys=True)


def _table_date(key: str) -> TableDate:
    _, table, partition, *_ = key.split("/")
    return TableDate(table, date.fromisoformat(partition.removeprefix("dt=")))
