"""The same numbers in PostgreSQL: one row per app, Date, amount and value, with the index that the question needs."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pg8000.native

from appstore_analytics.lake.kpis.reader import read_kpis
from benchmarks.reading.far_lake import FarLake
from benchmarks.reading.questions import Question
from local.aws.postgres import HOST, SUPERUSER, Postgres

_TABLE = """CREATE TABLE kpis (
    app_id bigint NOT NULL, dt date NOT NULL, kpi text NOT NULL, dimension text NOT NULL, value text, number numeric
)"""
_QUERY = (
    "SELECT app_id, dt, kpi, value, number FROM kpis WHERE dimension = :dimension"
    " AND app_id = ANY(CAST(:apps AS bigint[])) AND dt BETWEEN :start AND :end"
)


def measure(folder: Path, apps: int, question: Question) -> dict[str, Any]:
    """Fill a table with the numbers of this question and ask for them; the faster of two times, as caches are warm."""
    server = Postgres()
    server.start()
    try:
        with pg8000.native.Connection(SUPERUSER, HOST, port=server.port, database="postgres") as connection:
            connection.run(_TABLE)
            rows = "".join(_lines(FarLake(folder, question.days, latency=timedelta(0)), apps, question))
            connection.run("COPY kpis FROM STDIN", stream=[rows])
            connection.run("CREATE INDEX ON kpis (dimension, app_id, dt)")
            connection.run("ANALYZE kpis")
            asked = [_ask(connection, apps, question) for _ in range(2)]
            (size,) = connection.run("SELECT pg_total_relation_size('kpis')")[0]
    finally:
        server.stop()
    return {"rows": asked[0][1], "wall_seconds": min(wall for wall, _ in asked), "bytes": int(size)}


def _lines(lake: FarLake, apps: int, question: Question) -> Iterator[str]:
    """The rows as COPY reads them."""
    for sources, wanted in question.reads(apps):
        for stored in read_kpis(lake, sources, wanted):
            for (name, value), by_app in stored.amounts.items():
                for app_id, number in by_app.items():
                    cells = (app_id, stored.table_date.day, name, wanted.dimension, value, number)
                    yield "\t".join(map(_cell, cells)) + "\n"


def _cell(value: object) -> str:
    return r"\N" if value is None else str(value).replace("\\", r"\\").replace("\t", r"\t")


def _ask(connection: pg8000.native.Connection, apps: int, question: Question) -> tuple[float, int]:
    started, rows = time.perf_counter(), 0
    for sources, wanted in question.reads(apps):
        days = [source.day for source in sources]
        rows += len(
            connection.run(
                _QUERY,
                dimension=wanted.dimension,
                apps=sorted(wanted.app_ids),
                start=min(days),
                end=max(days),
            )
        )
    return time.perf_counter() - started, rows
