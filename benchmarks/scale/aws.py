"""AWS's answers about a day of many apps, each generated when it is read: the measured memory is the function's.

Every app has an instance for each report with the usual Dates, and all of it is well.
"""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, BinaryIO

from boto3.dynamodb.conditions import ConditionExpressionBuilder

from appstore_analytics.contract.catalogue import CORE_REPORT_NAMES
from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.tables import CuratedTable, curated_tables
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.lake.objects import StoredObject
from appstore_analytics.model.items import LandItem, PublishItem, RegisterItem, VerifyItem
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.registry.keys import item_key, record_of, run_partition

TODAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 14, tzinfo=UTC)
RUN_ID = "20261123T100000123Z-daily-2026-11-23-0a1b2c3d"
ACCOUNT = "main"
DATES = 4
_ITEMS_OF_A_PAGE = 1_000  # of about 1 KB; DynamoDB answers 1 MB at a time


@dataclass(frozen=True, slots=True)
class Day:
    """A day of this many apps and core reports; `is_open` if the items of its run have no verdict yet."""

    apps: int
    reports: int
    is_open: bool = False

    @property
    def app_ids(self) -> tuple[str, ...]:
        """The apps, in order."""
        return tuple(str(1_000_000_001 + number) for number in range(self.apps))

    @property
    def plan(self) -> RunPlan:
        """The plan that plan_run would have written."""
        return RunPlan(
            run_id=RUN_ID,
            operation=Operation.DAILY,
            as_of=TODAY,
            started_at=datetime(2026, 11, 23, 10, tzinfo=UTC),
            accounts=(Account(ACCOUNT, self.app_ids),),
            reports=CORE_REPORT_NAMES[: self.reports],
            granularities=(Granularity.DAILY,),
            calls_per_hour=3_500,
        )

    @property
    def tables(self) -> tuple[CuratedTable, ...]:
        """The tables of the reports."""
        return curated_tables(self.plan.reports, self.plan.granularities)

    def records(self) -> Iterator[dict[str, Any]]:
        """The items of the run, sorted as DynamoDB sorts them."""
        yield from (self._land(app_id, table) for app_id in self.app_ids for table in self.tables)
        yield from (self._publish(table, age) for table in self.tables for age in range(DATES))
        yield from (self._register(app_id) for app_id in self.app_ids)
        yield from (self._verify(table) for table in self.tables)

    def _register(self, app_id: str) -> dict[str, Any]:
        tables = [table.name for table in self.tables]
        facts = {"tables": tables, "converted": tables, "request_id": f"r-{app_id}", "requested_on": "2026-10-01"}
        return self._record(RegisterItem(RUN_ID, ACCOUNT, app_id), Verdict.UNCHANGED, **facts, calls=Decimal(7))

    def _land(self, app_id: str, table: CuratedTable) -> dict[str, Any]:
        instance_id = f"{app_id}-{table.name}-0a1b2c3d-4e5f-6789"
        key = f"raw/{table.name}/{app_id}/{instance_id}/segment-1.txt.gz"
        segment = {"segment_id": f"{instance_id}-1", "checksum": "0" * 32, "key": key, "bytes": Decimal(4_321)}
        facts = {
            "table": table.name,
            "processing_date": TODAY.isoformat(),
            "landed": [segment],
            **{name: Decimal(number) for name, number in (("segments", 1), ("bytes", 4_321), ("calls", 1))},
            **{name: Decimal(DATES * 100) for name in ("rows_raw", "rows_curated")},
            **{name: Decimal(DATES - 1) for name in ("parts_written", "parts_replaced")},
            **{name: Decimal(0) for name in ("parts_refused", "dates_skipped", "rows_dropped", "digits_rounded")},
            **{name: list[str]() for name in ("unknown_columns", "missing_columns", "skipped_dates")},
        }
        vintage = Vintage(TODAY, AccessType.ONGOING, instance_id)
        return self._record(LandItem(RUN_ID, ACCOUNT, app_id, vintage), Verdict.CONVERTED, **facts)

    def _publish(self, table: CuratedTable, age: int) -> dict[str, Any]:
        item = PublishItem(RUN_ID, table.name, (TODAY - timedelta(days=age + 2)).isoformat())
        return self._record(item, Verdict.PUBLISHED, rows=Decimal(self.apps * 100))

    def _verify(self, table: CuratedTable) -> dict[str, Any]:
        return self._record(VerifyItem(RUN_ID, table.name), Verdict.VERIFIED, rows=Decimal(self.apps * DATES * 100))

    def _record(self, item: Any, verdict: Verdict, **facts: Any) -> dict[str, Any]:
        key = item_key(item)
        ended = {} if self.is_open else {"verdict": str(verdict), "reason": ""}
        return {**key, "event": {**item.to_event(), "record": record_of(key)}, **facts, **ended}


class Table:
    """The registry's DynamoDB table: the records of the run, and nothing else."""

    def __init__(self, day: Day) -> None:
        self._day = day

    def query(self, *, KeyConditionExpression: Any, **query: Any) -> dict[str, Any]:  # noqa: N803 (boto3's names)
        """One page. A condition names the run's partition and the beginning of the sort key."""
        values = ConditionExpressionBuilder().build_expression(KeyConditionExpression, is_key_condition=True)
        pk, beginning, *_ = values.attribute_value_placeholders.values()
        if pk != run_partition(RUN_ID):
            return {"Items": []}
        if not hasattr(self, "_ahead") or "ExclusiveStartKey" not in query:
            self._ahead = (each for each in self._day.records() if record_of(each).startswith(beginning))
        items = list(islice(self._ahead, _ITEMS_OF_A_PAGE))
        return {"Items": items, **({"LastEvaluatedKey": {}} if len(items) == _ITEMS_OF_A_PAGE else {})}

    def get_item(self, **_: Any) -> dict[str, Any]:
        """Call budgets, all unused."""
        return {}

    def put_item(self, **_: Any) -> None:
        """A note of a wait."""

    def update_item(self, **_: Any) -> dict[str, Any]:
        """An item that is planned again."""
        return {}


class Lake:
    """The lake bucket: the run's plan and the notes of publishing; written objects are counted and dropped."""

    def __init__(self, day: Day) -> None:
        self._day = day
        self.bytes_written = 0

    def read(self, key: str) -> bytes | None:
        """The plan, or the rows of `batches` of one Date."""
        if key.endswith("/plan.json"):
            return json.dumps(self._day.plan.to_json()).encode()
        if "/batches/" in key:
            table, day = key.rsplit("/", 2)[1:]
            return b"".join(self._batches(table, day))
        return None

    def list(self, prefix: str, _after: str = "") -> Iterator[StoredObject]:
        """The notes of published changes; there are no other objects."""
        if prefix.endswith("/batches/"):
            for table in self._day.tables:
                for age in range(DATES):
                    day = TODAY - timedelta(days=age + 2)
                    yield StoredObject(f"{prefix}{table.name}/{day}", '"etag"', 0, NOON)

    def read_stored(self, _: str) -> None:
        """Neither a list of runs nor states yet: all of them are written."""

    def swap(self, key: str, body: bytes, **_: Any) -> bool:
        """The list of runs, and states."""
        self.write(key, body)
        return True

    def write(self, _: str, body: bytes | BinaryIO, **__: Any) -> str:
        """Read the body once, as sending it would."""
        file = io.BytesIO(body) if isinstance(body, bytes) else body
        while piece := file.read(1 << 20):
            self.bytes_written += len(piece)
        return '"etag"'

    def _batches(self, table: str, day: str) -> Iterator[bytes]:
        for app_id in self._day.app_ids:
            row = {
                "run_id": RUN_ID,
                "table_name": table,
                "app_id": int(app_id),
                "date": day,
                "access_type": "ONGOING",
                "processing_date": TODAY.isoformat(),
                "instance_id": f"{app_id}-{table}-0a1b2c3d-4e5f-6789",
                "rows": 100,
                "replaced_processing_date": "2026-11-22",
                "replaced_rows": 99,
                "is_final": False,
            }
            yield json.dumps(row).encode() + b"\n"


class Athena:
    """The answers to the queries of check_freshness: everything has arrived."""

    def __init__(self, day: Day) -> None:
        self._day = day

    def rows(self, sql: str, _: str) -> Iterator[tuple[str | None, ...]]:
        """The rows of one answer, selected by the query."""
        if "FROM report_requests" in sql:
            for app_id in self._day.app_ids:
                yield app_id, RUN_ID, "unchanged", "", "2026-10-01", "1", None, None
            return
        come = [(TODAY - timedelta(days=age)).isoformat() for age in range(10)]
        present = " ".join(f"{TODAY - timedelta(days=age)}={TODAY - timedelta(days=age - 2)}" for age in range(2, 9))
        for app_id in self._day.app_ids:
            for table in self._day.tables:
                if "FROM instances" in sql:
                    yield app_id, table.name, " ".join(come), " ".join(come), RUN_ID, None, None, None, None
                elif f"'{table.name}'" in sql:
                    yield app_id, table.name, present


def answers(day: Day) -> Mapping[str, Any]:
    """The AWS of a day, for a function of the pipeline."""
    return {"table": Table(day), "lake": Lake(day), "athena": Athena(day)}
