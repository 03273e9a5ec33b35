"""The benchmark of stored KPIs reads what was published, from months and from Dates, and counts what it asks for."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from appstore_analytics.contract.kpis.stored import PORTFOLIO, TOTAL
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.lake.kpis.reader import read_kpis
from appstore_analytics.model.kpis import Storage, StoredKpis
from benchmarks import kpis
from benchmarks.publication import lake_of_files
from benchmarks.reading.far_lake import FarLake
from benchmarks.reading.job import compact_table
from benchmarks.reading.questions import AMOUNTS, QUESTIONS, TABLES, Question
from benchmarks.samples.data import APP_ID, LAST_DATE

APPS, DAYS = 3, 25


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patched:
        build = tmp_path_factory.mktemp("build")
        patched.setattr(kpis, "BUILD", build)
        patched.setattr(lake_of_files, "BUILD", build)
        lake = kpis._lake(APPS, 40)
        for table in TABLES:
            assert compact_table(str(lake), table, str(DAYS))["dates"] == LAST_DATE.day
        yield lake


def far(folder: Path, *, has_months: bool = True) -> FarLake:
    return FarLake(folder, DAYS, has_months=has_months, latency=timedelta(0))


def asked(lake: FarLake, question: Question) -> list[StoredKpis]:
    return [one for sources, wanted in question.reads(APPS) for one in read_kpis(lake, sources, wanted)]


def test_all_apps_are_every_total_that_is_stored(folder: Path) -> None:
    found = asked(far(folder), replace(QUESTIONS[0], days=2))
    assert {one.storage for one in found} == {Storage.CURRENT}
    stored = 0
    for table in TABLES:
        rows = pq.read_table(folder / TableDate(table, LAST_DATE).kpis_key).to_pylist()
        names = {amount.name for amount in AMOUNTS}
        stored += sum(row["dimension"] == TOTAL and row["kpi"] in names for row in rows)
    assert sum(len(by_app) for one in found for by_app in one.amounts.values()) == 2 * stored
    apps = {app_id for one in found for by_app in one.amounts.values() for app_id in by_app}
    assert apps == {PORTFOLIO, *range(APP_ID, APP_ID + APPS)}


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_months_answer_each_question_with_fewer_requests(folder: Path, question: Question) -> None:
    question = replace(question, days=DAYS)
    with_months, alone = far(folder), far(folder, has_months=False)
    assert asked(with_months, question) == asked(alone, question)
    reads = [sources for sources, _ in question.reads(APPS)]
    tables = sum(len({source.table for source in sources}) for sources in reads)
    single = DAYS - LAST_DATE.day  # too few for a month
    assert with_months.lists == alone.lists == tables
    assert tables * (2 + 2 * single) <= with_months.requests <= tables * (4 + 2 * single) < alone.requests
    assert alone.requests >= tables * 2 * DAYS


def test_each_request_is_counted_with_its_bytes(folder: Path) -> None:
    lake, question = far(folder), replace(QUESTIONS[2], days=7)
    ((sources, wanted),) = question.reads(APPS)
    list(read_kpis(lake, sources, wanted))
    objects = [folder / source.kpis_key for source in sources if source.day == LAST_DATE]
    assert lake.requests == 2 * len(sources)  # the rows' object is asked for its digest, the KPIs' for its end
    assert lake.bytes_read == 7 * sum(path.stat().st_size for path in objects)
