"""The query of `sql`, and its reading of Athena's text."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.facts import to_json
from appstore_analytics.answers.sql import ask
from appstore_analytics.athena.query import Athena
from appstore_analytics.contract.names import Names


class Client:
    """Athena's API for one query with this result."""

    def __init__(self, columns: list[tuple[str, str]], *rows: tuple[str | None, ...], reason: str = "") -> None:
        self.columns, self.all_rows, self.reason = columns, rows, reason
        self.asked: list[str] = []

    def start_query_execution(self, **wanted: Any) -> dict[str, str]:
        self.asked.append(wanted["QueryString"])
        return {"QueryExecutionId": "q"}

    def get_query_execution(self, **_: Any) -> dict[str, Any]:
        status = {"State": "FAILED", "StateChangeReason": self.reason} if self.reason else {"State": "SUCCEEDED"}
        return {"QueryExecution": {"Status": status, "Statistics": {"DataScannedInBytes": 0}}}

    def get_query_results(self, **_: Any) -> dict[str, Any]:
        info = [{"Name": name, "Type": kind} for name, kind in self.columns]
        cells = ([name for name, _ in self.columns], *self.all_rows)
        data = [{"Data": [{} if cell is None else {"VarCharValue": cell} for cell in row]} for row in cells]
        return {"ResultSet": {"ResultSetMetadata": {"ColumnInfo": info}, "Rows": data}}

    def get_paginator(self, _: str) -> "Client":
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        yield self.get_query_results()


def athena(client: Client) -> Athena:
    return Athena(client, "group", Names().databases)  # type: ignore[arg-type]


def test_every_cell_has_its_type_and_null_stays_null() -> None:
    columns = [("dt", "date"), ("n", "bigint"), ("usd", "decimal"), ("share", "double"), ("is", "boolean")]
    client = Client(columns, ("2026-11-01", "7", "1.10", "0.5", "true"), (None, None, None, None, None))
    found = ask("SELECT 1", athena(client))
    assert found.rows[0] == {"dt": "2026-11-01", "n": 7, "usd": Decimal("1.10"), "share": 0.5, "is": True}
    assert set(found.rows[1].values()) == {None}
    assert to_json(found)["rows"][0]["usd"] == 1.1


def test_of_many_rows_the_first_are_taken() -> None:
    client = Client([("n", "integer")], ("1",), ("2",), ("3",))
    assert [row["n"] for row in ask("select 1", athena(client), at_most=2).rows] == [1, 2]


@pytest.mark.parametrize(
    "query",
    ["SELECT 1", " select\n1", "WITH a AS (SELECT 1) SELECT * FROM a", "-- why\nSELECT 1", "/* a */ (SELECT 1)"],
)
def test_a_select_is_asked_as_it_is(query: str) -> None:
    client = Client([("n", "integer")])
    ask(query, athena(client))
    assert client.asked == [query]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "DROP TABLE downloads",
        "INSERT INTO t SELECT 1",
        "UNLOAD (SELECT 1) TO 's3://x'",
        "selection",
        "-- SELECT 1",
        "/* SELECT */ DELETE FROM t",
        "EXPLAIN SELECT 1",
        "MSCK REPAIR TABLE t",
    ],
)
def test_anything_else_is_refused_before_athena_is_asked(query: str) -> None:
    client = Client([("n", "integer")])
    with pytest.raises(Refused, match="Only SELECT"):
        ask(query, athena(client))
    assert client.asked == []


def test_athenas_reason_is_told_and_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(Refused, match="Bytes scanned limit was exceeded"):
        ask("SELECT 1", athena(Client([], reason="Bytes scanned limit was exceeded")))
    with pytest.raises(Refused, match="Two columns have the name n"):
        ask("SELECT 1, 1", athena(Client([("n", "integer"), ("n", "integer")])))


def test_it_says_whether_the_query_has_more_rows_than_were_taken() -> None:
    rows = [("1",), ("2",)]
    some = ask("select 1", athena(Client([("n", "integer")], *rows)), at_most=1)
    every = ask("select 1", athena(Client([("n", "integer")], *rows)), at_most=2)
    assert (some.has_more, every.has_more) == (True, False)
    assert some.sentence == "The first 1 row; the query has more."
    assert every.sentence == "2 rows."
