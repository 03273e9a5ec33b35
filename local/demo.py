"""The product's story in three simulated days, told on the embedded AWS with the simulated App Store Connect."""

import contextlib
import json
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from appstore_analytics.athena.query import Athena
from appstore_analytics.contract.catalogue import REPORTS_BY_NAME
from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.layout import CURATED_PREFIX
from appstore_analytics.contract.messages import Verdict
from appstore_analytics.contract.tables import APPSTORE_DATABASE, CURATED_DATABASE, CuratedTable
from appstore_analytics.lake.objects import Bucket
from local import screens
from local.apple.model import Series, WorldSettings
from local.apple.server import SimulatedApple
from local.apple.truth import newest_vintages
from local.apple.world import World
from local.arguments import Arguments
from local.aws.server import EmbeddedAws
from local.deployment import deploy, open_pipeline, put_api_key
from local.proof import TableProof, prove
from operations.embedded import announced
from operations.executions import Execution, Pipeline
from operations.progress import run_view

REPORT_NAMES = (
    "App Downloads Standard",
    "App Store Installation and Deletion Standard",
    "App Sessions Standard",
    "App Store Purchases Standard",
    "App Store Discovery and Engagement Standard",
    "App Install Performance",
)
ACCOUNT = "main"
_CALLS_PER_APP = 45
_APPLE_QUOTA = 3500
_DAY = timedelta(days=1)

_FIRST_QUESTION = "SELECT dt, COUNT(*), COUNT(DISTINCT app_id) FROM curated.engagement WHERE dt >="

TABLES = tuple(CuratedTable(REPORTS_BY_NAME[name], Granularity.DAILY) for name in REPORT_NAMES)
ENGAGEMENT = CuratedTable(REPORTS_BY_NAME["App Store Discovery and Engagement Standard"], Granularity.DAILY)


@dataclass
class Demo:
    """Everything that runs, and what was found wrong."""

    world: World
    aws: EmbeddedAws
    pipeline: Pipeline
    athena: Athena
    raw: Bucket
    apps: int
    failures: int = 0

    def check(self, *checks: tuple[str, bool]) -> None:
        """Show what was expected and remember what did not come."""
        screens.show_checks(checks)
        self.failures += sum(not holds for _, holds in checks)


def run_demo(arguments: Arguments) -> int:
    """Deploy, run three days and the third once more, prove, and clean up; the number of things that differ."""
    today = datetime.now(UTC).date()
    calls_per_hour = max(_APPLE_QUOTA, _CALLS_PER_APP * arguments.apps)
    settings = WorldSettings(
        today=today - 2 * _DAY, seed=arguments.seed, apps=arguments.apps, calls_per_hour=calls_per_hour
    )
    with ExitStack() as running:
        world = World(settings)
        apple = running.enter_context(SimulatedApple(world))
        aws = running.enter_context(EmbeddedAws())
        demo = _deployed(aws, apple, calls_per_hour, arguments.apps)
        _day_one(demo, today - 2 * _DAY)
        _day_two(demo, today - _DAY)
        restated = _day_three(demo, today)
        _day_three_again(demo, today)
        _close(demo, today, restated)
        if arguments.keep:
            _keep(aws, apple)
    return demo.failures


def _deployed(aws: EmbeddedAws, apple: SimulatedApple, calls_per_hour: int, apps: int) -> Demo:
    screens.heading("Deploy: cdk bootstrap, cdk deploy onto the embedded AWS")
    context = {
        "apple_base_url": apple.url,
        "segment_hosts": ["127.0.0.1"],
        "reports": list(REPORT_NAMES),
        "calls_per_hour": calls_per_hour,
        "accounts": [{"name": ACCOUNT, "app_ids": []}],
    }
    started = time.monotonic()
    with screens.deployment_progress() as progress:
        deployment = deploy(aws, context, progress)
    key = apple.world.admin_key
    put_api_key(
        aws,
        ACCOUNT,
        {"key_id": key.key_id, "issuer_id": apple.world.keys.issuer_id, "private_key": key.private_key_pem},
    )
    screens.say(f"deployed in {time.monotonic() - started:.0f} s; App Store Connect (simulated) has {apps} apps")
    return Demo(
        world=apple.world,
        aws=aws,
        pipeline=open_pipeline(aws, deployment),
        athena=Athena(aws.client("athena"), deployment.workgroup),
        raw=Bucket(aws.client("s3"), deployment.raw_bucket),
        apps=apps,
    )


def _day_one(demo: Demo, day: date) -> None:
    screens.heading(f"Day 1, {day}: report requests are registered, nothing is ready")
    report = _run(demo, "day-1", {"operation": "daily", "as_of": day.isoformat()})
    demo.check(
        (f"{demo.apps} report requests were created, one per app", report["requests_created"] == demo.apps),
        ("every app is not ready, which is not success", _count(report, Verdict.NOT_READY) == demo.apps),
    )


def _day_two(demo: Demo, day: date) -> None:
    screens.heading(f"Day 2, {day}: data arrives")
    demo.world.move_to(day)
    series = _late_series(demo)
    demo.world.delay_instance(series, day, day + _DAY)
    report = _run(demo, "day-2", {"operation": "daily", "as_of": day.isoformat()})
    expected = demo.apps * len(TABLES) - 1
    demo.check(
        ("every app is verified", _count(report, Verdict.VERIFIED) == demo.apps),
        (f"{expected} instances landed (one is late, Apple sends it tomorrow)", report["instances"] == expected),
        ("Athena has as many rows as Apple sent", report["rows_athena"] == report["rows_raw"] > 0),
    )


def _day_three(demo: Demo, day: date) -> dict[date, tuple[int, int]]:
    screens.heading(f"Day 3, {day}: Apple restates two earlier Dates and sends one late instance out of order")
    dates = (day - 4 * _DAY, day - 3 * _DAY)
    before = {date_: _rows_of_date(demo, date_) for date_ in dates}
    for date_ in dates:
        demo.world.restate(_restated_series(demo), date_)
    demo.world.move_to(day)
    report = _run(demo, "day-3", {})
    after = {date_: _rows_of_date(demo, date_) for date_ in dates}
    restated = {date_: (before[date_], after[date_]) for date_ in dates}
    demo.check(
        ("every app is verified", _count(report, Verdict.VERIFIED) == demo.apps),
        ("one instance per app and report, and the late one", report["instances"] == demo.apps * len(TABLES) + 1),
        ("newer vintages replaced whole Dates", report["parts_replaced"] > 0),
        ("the late instance speaks only for the Date that no newer one holds", _late_is_placed(demo, day)),
        ("rows of both restated Dates vanished", all(new < old for old, new in restated.values())),
    )
    return restated


def _day_three_again(demo: Demo, day: date) -> None:
    screens.heading(f"Day 3 again, {day}: a second run changes nothing")
    before = _etags(demo)
    report = _run(demo, "day-3-again", {"operation": "daily"})
    demo.check(
        ("no report request was created", report["requests_created"] == 0),
        (f"{demo.apps} duplicates were prevented", report["duplicates_prevented"] == demo.apps),
        ("no segment was downloaded", report["segments"] == 0),
        ("no row changed: every object is the same", _etags(demo) == before),
    )


def _close(demo: Demo, today: date, restated: Mapping[date, tuple[int, int]]) -> None:
    screens.heading("What happened")
    _prove(demo)
    _show_records(demo, today, restated)
    _show_query(
        demo,
        f"{_FIRST_QUESTION} …",
        CURATED_DATABASE,
        f"{_FIRST_QUESTION} DATE '{(today - 7 * _DAY).isoformat()}' GROUP BY dt ORDER BY dt",
        ("dt", "rows", "apps"),
    )
    if demo.failures:
        screens.say(f"{demo.failures} things differ from what was expected.", style="bold red")
    else:
        screens.say("Everything is as it should be.", style="bold green")


def _prove(demo: Demo) -> None:
    proofs = [prove(table, demo.raw, demo.athena) for table in TABLES]
    screens.show_proofs(proofs)
    truth = [_truth(demo.world, proof) for proof in proofs]
    demo.check(
        ("every table equals the raw files, app by app and Date by Date", all(proof.equal for proof in proofs)),
        ("and what the simulated Apple says it has sent", all(truth)),
    )


def _show_records(demo: Demo, today: date, restated: Mapping[date, tuple[int, int]]) -> None:
    """What the pipeline knows about itself: the restated Dates, the registry's counters, the verdicts on freshness."""
    rows = [(day, old, new, new - old) for day, (old, new) in restated.items()]
    screens.show_rows(
        f"Restated by Apple: engagement of app {_restated_series(demo).app_id}",
        ("Date", "rows before", "rows after", "change"),
        rows,
    )
    screens.show_rows("Registry", ("counter", "value"), sorted(demo.pipeline.registry.statistics.totals().items()))
    demo.aws.client("lambda").invoke(
        FunctionName="appstore-analytics-check-freshness", Payload=json.dumps({"at": f"{today}T14:00:00Z"})
    )
    _show_query(
        demo,
        "Freshness",
        APPSTORE_DATABASE,
        "SELECT verdict, COUNT(*) AS tables, MIN(newest_processing_date) AS oldest FROM freshness "  # noqa: S608
        f"WHERE dt = DATE '{today}' GROUP BY verdict ORDER BY verdict",
        ("verdict", "tables of apps", "oldest processing date"),
    )


def _show_query(demo: Demo, title: str, database: str, sql: str, columns: tuple[str, ...]) -> None:
    screens.show_rows(title, columns, list(demo.athena.rows(sql, database)))


def _run(demo: Demo, name: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    with run_view(screens.console) as view:
        execution = demo.pipeline.run(name, payload, view.show)
    if execution.report is None:
        raise RuntimeError(f"The execution {name} ended {execution.status} without a report: {execution.cause}")
    screens.show_report(execution.report, str(_keep_report(demo, execution)))
    demo.check((f"the execution {execution.status}", execution.status == "SUCCEEDED"))
    return execution.report


def _keep_report(demo: Demo, execution: Execution) -> Path:
    """The run report and its page on this machine, under the same names as in the lake; the page."""
    path = Path(execution.report_key)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(execution.report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    page = path.with_suffix(".html")
    page.write_bytes(demo.pipeline.lake.read(str(page)) or b"")
    return page


def _count(report: Mapping[str, Any], verdict: Verdict) -> int:
    return len(report["apps_by_verdict"].get(verdict, ()))


def _restated_series(demo: Demo) -> Series:
    return Series(min(demo.world.apps), ENGAGEMENT.report.name, Granularity.DAILY)


def _late_series(demo: Demo) -> Series:
    return Series(max(demo.world.apps), TABLES[0].report.name, Granularity.DAILY)


def _late_is_placed(demo: Demo, day: date) -> bool:
    """The late instance holds three Dates; the two youngest stand in today's instance as well, which is newer."""
    sql = (
        f"SELECT dt, MIN(processing_date), MAX(processing_date) FROM {TABLES[0].name} "  # noqa: S608 (our own names)
        f"WHERE app_id = {_late_series(demo).app_id} GROUP BY dt"
    )
    speaks = {cells[0]: cells[1:] for cells in demo.athena.rows(sql, CURATED_DATABASE)}
    late, today = ((day - _DAY).isoformat(),) * 2, (day.isoformat(),) * 2
    expected = {4: late, 3: today, 2: today, 1: today}
    return speaks == {(day - back * _DAY).isoformat(): vintages for back, vintages in expected.items()}


def _rows_of_date(demo: Demo, day: date) -> int:
    app_id = _restated_series(demo).app_id
    sql = f"SELECT COUNT(*) FROM engagement WHERE dt = DATE '{day.isoformat()}' AND app_id = {app_id}"  # noqa: S608
    ((rows,),) = demo.athena.rows(sql, CURATED_DATABASE)
    return int(rows or 0)


def _etags(demo: Demo) -> dict[str, str]:
    return {stored.key: stored.etag for stored in demo.pipeline.lake.list(CURATED_PREFIX)}


def _truth(world: World, proof: TableProof) -> bool:
    report = next(table.report.name for table in TABLES if table.name == proof.table)
    return {(int(one.app_id), one.date): one.rows for one in newest_vintages(world, report)} == proof.in_athena


def _keep(aws: EmbeddedAws, apple: SimulatedApple) -> None:
    screens.heading("Still running, until Ctrl-C")
    screens.show_environment(aws.environment)
    screens.say(f"The simulated App Store Connect, in a browser: {apple.url}/_control/state")
    screens.say("Ask it anything: ./manage.py --local status")
    with announced(aws.url), contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
