"""Athena: SELECT statements on DuckDB, over the objects in S3 and with the types in Glue."""

import asyncio
import csv
import io
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import duckdb

from local.aws.glue_tables import ObjectFiles, create_relation, find_table, find_view
from local.aws.ministack import module, original, replace
from local.aws.trino import QueryError, tables_of, translate, with_views

PATCH = "athena"
_LOG = logging.getLogger(__name__)

_SETTINGS = "SET TimeZone = 'UTC'; SET threads = 1; SET memory_limit = '1GB'"
_MACROS = """
CREATE MACRO format_datetime(moment, format) AS strftime(moment, replace(replace(replace(replace(replace(replace(
    format, 'yyyy', '%Y'), 'MM', '%m'), 'dd', '%d'), 'HH', '%H'), 'mm', '%M'), 'ss', '%S'));
CREATE MACRO present_key(map, key) AS
    CASE WHEN map IS NULL OR map_contains(map, key) THEN key ELSE error('Key not present in map: ' || key) END;
CREATE MACRO to_iso8601(moment) AS strftime(moment, '%Y-%m-%dT%H:%M:%S.%gZ');
"""
_TYPES = {"HUGEINT": "bigint", "TIMESTAMP WITH TIME ZONE": "timestamp with time zone"}


@dataclass(frozen=True, slots=True)
class QueryResult:
    """Columns with Athena's types, rows as Athena prints them (None is null), and the bytes of the objects read."""

    columns: list[str]
    types: list[str]
    rows: list[list[str | None]]
    scanned_bytes: int


class Engine:
    """One DuckDB in memory with only our macros, and the files that its queries read."""

    def __init__(self) -> None:
        self.files = ObjectFiles()
        self._database = duckdb.connect(":memory:")
        self._database.execute(_SETTINGS)
        self._database.execute(_MACROS)

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A separate connection, whose temporary views no other query sees."""
        return self._database.cursor()


def patch() -> None:
    """Replace the part of ministack that runs a query and stores its result."""
    service = module("services.athena")
    engine = Engine()
    original(service, "_start_query_execution", patch=PATCH)  # it schedules the function that is replaced here
    replace(service, "_execute_query", lambda _: _query_execution(service._executions, engine), patch=PATCH)


def _query_execution(executions: Any, engine: Engine) -> Callable[..., Any]:
    async def execute_query(query_id: str, query: str, database: str, ddl: object, catalog: object = None) -> None:  # noqa: ARG001
        execution = executions.get(query_id)
        location = _result_location(execution, query_id)
        execution["Status"]["State"] = "RUNNING"
        started = time.monotonic()
        try:
            result = await asyncio.to_thread(run_query, query, database, engine)
            _store_result(location, result)
        except (QueryError, duckdb.Error) as error:
            _LOG.info("query %s failed: %s", query_id, error)
            _fail(execution, str(error))
        except Exception as error:  # the waiting client sees that the query has ended; the log has the traceback
            _fail(execution, f"GENERIC_INTERNAL_ERROR: {type(error).__name__}: {error}")
            raise
        else:
            _succeed(execution, result, int((time.monotonic() - started) * 1000))

    return execute_query


def run_query(sql: str, database: str, engine: Engine) -> QueryResult:
    """Translate the query and run it; QueryError or duckdb.Error says why it failed."""
    sql = with_views(sql, database, find_view)
    tables = {name: find_table(*name) for name in tables_of(sql, database)}
    translation = translate(
        sql,
        database,
        {name: table.types for name, table in tables.items()},
        lambda *name: frozenset(filter(None, [tables[name].partition_key])),
    )
    with engine.connect() as connection:
        scanned_bytes = sum(
            create_relation(connection, scan, tables[scan.database, scan.table], engine.files)
            for scan in translation.scans
        )
        answer = connection.execute(translation.sql)
        described = answer.description or []
        rows = [[_printed(value) for value in row] for row in answer.fetchall()]
    return QueryResult([c[0] for c in described], [_athena_type(str(c[1])) for c in described], rows, scanned_bytes)


def _athena_type(kind: str) -> str:
    if kind.endswith("[]"):
        return "array"
    if kind.startswith("MAP("):
        return "map"
    return _TYPES.get(kind) or kind.partition("(")[0].lower()


def _printed(value: Any) -> str | None:
    if value is None or isinstance(value, bool):
        return {None: None, True: "true", False: "false"}[value]
    if isinstance(value, float):
        return _printed_double(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + (" UTC" if value.tzinfo else "")
    return _printed_collection(value) if isinstance(value, dict | list) else str(value)


def _printed_collection(value: dict[Any, Any] | list[Any]) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_printed(item) or 'null'}" for key, item in value.items()) + "}"
    return "[" + ", ".join(_printed(item) or "null" for item in value) + "]"


def _printed_double(value: float) -> str:
    """Java's Double.toString, with which Athena prints doubles."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return f"{Decimal(repr(value)):f}" if "e" in repr(value) else repr(value)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    shown = "".join(map(str, digits))
    power = len(digits) - 1 + int(exponent)
    return f"{'-' if sign else ''}{shown[0]}.{shown[1:] or '0'}E{power}"


def _result_location(execution: dict[str, Any], query_id: str) -> str:
    """Put a slash between the workgroup's location and the file's name if the location does not end with one."""
    configuration = execution["ResultConfiguration"]
    folder = configuration["OutputLocation"].removesuffix(f"{query_id}.csv").rstrip("/")
    configuration["OutputLocation"] = f"{folder}/{query_id}.csv"
    return str(configuration["OutputLocation"])


def _store_result(location: str, result: QueryResult) -> None:
    bucket, _, key = location.removeprefix("s3://").partition("/")
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([result.columns, *([value or "" for value in row] for row in result.rows)])
    put = original(module("services.s3"), "_put_object", patch=PATCH)
    status = put(bucket, key, text.getvalue().encode(), {"content-type": "application/octet-stream"})[0]
    if status != 200:
        raise QueryError(f"Unable to write the query result to {location}: HTTP {status}")


def _succeed(execution: dict[str, Any], result: QueryResult, milliseconds: int) -> None:
    execution["_results"] = {"columns": result.columns, "rows": result.rows}
    execution["_column_types"] = result.types
    execution["Statistics"].update(
        DataScannedInBytes=result.scanned_bytes,
        EngineExecutionTimeInMillis=milliseconds,
        TotalExecutionTimeInMillis=milliseconds,
    )
    execution["Status"].update(State="SUCCEEDED", CompletionDateTime=int(time.time()))


def _fail(execution: dict[str, Any], reason: str) -> None:
    execution["Status"].update(State="FAILED", StateChangeReason=reason[:2000], CompletionDateTime=int(time.time()))
