"""Running one Athena query to its end."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from appstore_analytics.contract.errors import QueryFailed, QueryInterrupted

_POLL_SECONDS = 0.05
_LONGEST_POLL_SECONDS = 2.0
_REPLACED_MEANWHILE = ("HIVE_CANNOT_OPEN_SPLIT", "HIVE_CURSOR_ERROR", "HIVE_FILESYSTEM_ERROR", "NoSuchKey")


class Athena:
    """One workgroup. Its configuration says where results go and how much a query may scan.

    `count_bytes` is told what each query scanned, which is what Athena bills.
    """

    def __init__(
        self,
        client: Any,
        workgroup: str,
        sleep: Callable[[float], None] = time.sleep,
        count_bytes: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._client = client
        self._workgroup = workgroup
        self._sleep = sleep
        self._count_bytes = count_bytes

    def rows(self, sql: str, database: str) -> Iterator[tuple[str | None, ...]]:
        """The result's rows, each cell as Athena prints it, None for null.

        QueryInterrupted when an object was replaced under the query: ask once more. QueryFailed for anything else.
        """
        query_id = self._client.start_query_execution(
            QueryString=sql, WorkGroup=self._workgroup, QueryExecutionContext={"Database": database}
        )["QueryExecutionId"]
        self._await_end(query_id)
        pages = self._client.get_paginator("get_query_results").paginate(QueryExecutionId=query_id)
        cells = (
            tuple(cell.get("VarCharValue") for cell in row["Data"])
            for page in pages
            for row in page["ResultSet"]["Rows"]
        )
        next(cells, None)  # the first row repeats the column names
        yield from cells

    def _await_end(self, query_id: str) -> None:
        pause_seconds = _POLL_SECONDS
        while True:
            execution = self._client.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
            status = execution["Status"]
            if status["State"] == "SUCCEEDED":
                self._count_bytes(execution["Statistics"]["DataScannedInBytes"])
                return
            if status["State"] in ("FAILED", "CANCELLED"):
                raise _failure(status)
            self._sleep(pause_seconds)
            pause_seconds = min(pause_seconds * 1.5, _LONGEST_POLL_SECONDS)


def _failure(status: dict[str, Any]) -> QueryFailed | QueryInterrupted:
    reason = status.get("StateChangeReason") or status["State"]
    if status.get("AthenaError", {}).get("Retryable") or any(word in reason for word in _REPLACED_MEANWHILE):
        return QueryInterrupted(f"An Athena query was interrupted: {reason}")
    return QueryFailed(f"An Athena query failed: {reason}")
