"""Runs one Athena query to its end."""

import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING

from appstore_analytics.contract.errors import QueryFailed, QueryInterrupted
from appstore_analytics.contract.names import Database

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_athena.type_defs import QueryExecutionStatusTypeDef

_SUCCEEDED = "SUCCEEDED"
_POLL_SECONDS = 0.05
_LONGEST_POLL_SECONDS = 2.0
_ASKS = 3
_PATIENCE_SECONDS = 900.0
_REPLACED_MEANWHILE = ("HIVE_CANNOT_OPEN_SPLIT", "HIVE_CURSOR_ERROR", "HIVE_FILESYSTEM_ERROR", "NoSuchKey")


class Athena:
    """One workgroup. Its configuration sets the location of results and the limit of bytes scanned.

    `databases` has the Glue name of each database (contract/names.py). `count_bytes` receives the bytes that each query
    scanned, which Athena bills. `seconds_left` returns how long the caller can still wait.
    """

    def __init__(
        self,
        client: "AthenaClient",
        workgroup: str,
        databases: Mapping[Database, str],
        sleep: Callable[[float], None] = time.sleep,
        count_bytes: Callable[[int], None] = lambda _: None,
        seconds_left: Callable[[], float] = lambda: _PATIENCE_SECONDS,
    ) -> None:
        self._client = client
        self._workgroup = workgroup
        self._databases = databases
        self._sleep = sleep
        self._count_bytes = count_bytes
        self._seconds_left = seconds_left

    def rows(self, sql: str, database: Database) -> Iterator[tuple[str | None, ...]]:
        """The result's rows, each cell as Athena prints it, None for null.

        A query that was cancelled, or has not ended after half of the remaining time, is stopped and started again;
        after three attempts an eighth of the time is left to report the result. QueryInterrupted if an object was
        replaced while the query read it: repeat it. QueryFailed for anything else, including a last attempt without a
        result.
        """
        return self._results(self._succeeded(sql, database))

    def table(
        self, sql: str, database: Database, at_most: int | None = None
    ) -> tuple[list[tuple[str, str]], list[tuple[str | None, ...]]]:
        """The names and types of a result's columns, and its rows as in `rows`, at most `at_most` of them."""
        query_id = self._succeeded(sql, database)
        head = self._client.get_query_results(QueryExecutionId=query_id, MaxResults=1)
        info = head["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
        return [(column["Name"], column["Type"]) for column in info], list(islice(self._results(query_id), at_most))

    def _succeeded(self, sql: str, database: Database) -> str:
        """The id of a query that has succeeded."""
        for _ in range(_ASKS):
            query_id = self._client.start_query_execution(
                QueryString=sql,
                WorkGroup=self._workgroup,
                QueryExecutionContext={"Database": self._databases[database]},
            )["QueryExecutionId"]
            state = self._await_end(query_id, self._seconds_left() / 2)
            if state == _SUCCEEDED:
                return query_id
        raise QueryFailed(
            f"Athena did not finish a query in {_ASKS} attempts; the last one was {state}: see the workgroup's queries "
            "and the account's limit of concurrent queries. The next run tries again."
        )

    def _results(self, query_id: str) -> Iterator[tuple[str | None, ...]]:
        pages = self._client.get_paginator("get_query_results").paginate(QueryExecutionId=query_id)
        cells = (
            tuple(cell.get("VarCharValue") for cell in row["Data"])
            for page in pages
            for row in page["ResultSet"]["Rows"]
        )
        next(cells, None)  # the first row repeats the column names
        yield from cells

    def _await_end(self, query_id: str, patience_seconds: float) -> str:
        """SUCCEEDED, or the state of a query that was cancelled, or is stopped after this time."""
        pause_seconds, waited_seconds = _POLL_SECONDS, 0.0
        while True:
            execution = self._client.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
            status = execution["Status"]
            if status["State"] == _SUCCEEDED:
                self._count_bytes(execution["Statistics"]["DataScannedInBytes"])
                return _SUCCEEDED
            if status["State"] == "FAILED":
                raise _failure(status)
            if status["State"] == "CANCELLED":
                return "CANCELLED"
            if waited_seconds >= patience_seconds:
                self._client.stop_query_execution(QueryExecutionId=query_id)
                return str(status["State"])
            self._sleep(pause_seconds)
            waited_seconds += pause_seconds
            pause_seconds = min(pause_seconds * 1.5, _LONGEST_POLL_SECONDS)


def _failure(status: "QueryExecutionStatusTypeDef") -> QueryFailed | QueryInterrupted:
    reason = status.get("StateChangeReason") or status["State"]
    if status.get("AthenaError", {}).get("Retryable") or any(word in reason for word in _REPLACED_MEANWHILE):
        return QueryInterrupted(f"An Athena query was interrupted: {reason}")
    return QueryFailed(f"An Athena query failed: {reason}")
