"""The one DuckDB of the test's process: to open another takes longer than most queries."""

from collections.abc import Iterator, Mapping

import duckdb
import pyarrow as pa

_DUCKDB = duckdb.connect(config={"threads": 1})  # several only wait for each other, with so few rows


def answer(sql: str, relations: Mapping[str, pa.Table]) -> Iterator[tuple[str | None, ...]]:
    """The rows of a query over these relations, as text; from any thread, and nothing of it stays."""
    with _DUCKDB.cursor() as connection:
        for name, rows in relations.items():
            connection.register(name, rows)
        found = connection.execute(sql).fetchall()
    return iter([tuple(None if cell is None else str(cell) for cell in row) for row in found])
