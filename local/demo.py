"""The demo: three simulated days on the embedded AWS with the simulated App Store Connect."""

import contextlib
import json
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from appstore_analytics.answers.executions import Execution, Pipeline
from appstore_analytics.answers.facts import counted
from appstore_analytics.athena.query import Athena
from appstore_analytics.contract.layout import CURATED_PREFIX
from appstore_analytics.contract.names import Database, Names
from appstore_analytics.contract.operations import STARTED_BY, Operation
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.lake.objects import Bucket
from local import screens
from local.apple.model import WorldSettings
from local.apple.server import SimulatedApple
from local.apple.world import World
from local.arguments import Arguments
from local.aws.server import EmbeddedAws
from local.console import invite_one_of_each_role
from local.deployment import deploy, deploy_console, open_athena, open_pipeline, put_api_key
from local.proof import count_in_athena, prove
from local.story import LATE_TABLE, REPORT_NAMES, RESTATED_TABLE, TABLES, Restated, Story
from operations.embedded import announced
from operations.progress import run_view

ACCOUNT = "main"
_CALLS_PER_APP = 45
_APPLE_QUOTA = 3500
_DAY = timedelta(days=1)

_FIRST_QUESTION = "SELECT dt, COUNT(*), COUNT(DISTINCT app_id) FROM curated.engagement WHERE dt >="


@dataclass
class Demo:
    """The running demo and its failed checks."""

    story: Story
    aws: EmbeddedAws
    pipeline: Pipeline
    athena: Athena
    raw: Bucket
    apps: int
    failures: int = 0

    def check(self, *checks: tuple[str, bool]) -> None:
        """Show a check, and count it if it fails."""
        screens.show_checks(checks)
        self.failures += sum(not holds for _, holds in checks)


def run_demo(arguments: Arguments) -> int:
    """Deploy, run three days and the third again, verify, and clean up; returns the number of failed checks."""
    today = datetime.now(UTC).date()
    calls_per_hour = max(_APPLE_QUOTA, _CALLS_PER_APP * arguments.apps)
    settings = WorldSettings(
        today=today - 2 * _DAY, seed=arguments.seed, apps=arguments.apps, calls_per_hour=calls_per_hour
    )
    with ExitStack() as running:
        world = World(settings)
        apple = running.enter_context(SimulatedApple(world))
        aws = running.enter_context(EmbeddedAws())
        context = _context(apple, calls_per_hour)
        demo = _deployed(aws, apple, context, Story(world, today))
        _day_one(demo)
        _day_two(demo)
        restated = _day_three(demo)
        _day_three_again(demo)
        _close(demo, restated)
        if arguments.keep:
            _check_now(demo)
            _keep(aws, apple, context)
    return demo.failures


def _context(apple: SimulatedApple, calls_per_hour: int) -> dict[str, Any]:
    return {
        "apple_base_url": apple.url,
        "segment_hosts": ["127.0.0.1"],
        "reports": list(REPORT_NAMES),
        "calls_per_hour": calls_per_hour,
        "accounts": [{"name": ACCOUNT, "app_ids": []}],
    }


def _deployed(aws: EmbeddedAws, apple: SimulatedApple, context: Mapping[str, Any], story: Story) -> Demo:
    screens.heading("Deploy: cdk bootstrap, cdk deploy onto the embedded AWS")
    started = time.monotonic()
    with screens.deployment_progress() as progress:
        deployment = deploy(aws, context, progress)
    key = apple.world.admin_key
    put_api_key(
        aws,
        deployment,
        ACCOUNT,
        {"key_id": key.key_id, "issuer_id": apple.world.keys.issuer_id, "private_key": key.private_key_pem},
    )
    apps = len(story.world.apps)
    screens.say(f"deployed in {time.monotonic() - started:.0f} s; App Store Connect (simulated) has {apps} apps")
    return Demo(
        story=story,
        aws=aws,
        pipeline=open_pipeline(aws, deployment),
        athena=open_athena(aws, deployment),
        raw=Bucket(aws.client("s3"), deployment.raw_bucket),
        apps=apps,
    )


def _day_one(demo: Demo) -> None:
    day = demo.story.days[0]
    screens.heading(f"Day 1, {day}: report requests are registered, nothing is ready")
    report = _run(demo, "day-1", day)
    demo.check(
        (f"{demo.apps} report requests were created, one per app", report["requests_created"] == demo.apps),
        ("every app is *not ready*, which does not count as verified", _count(report, Verdict.NOT_READY) == demo.apps),
    )


def _day_two(demo: Demo) -> None:
    day = demo.story.days[1]
    screens.heading(f"Day 2, {day}: data arrives")
    expected = demo.story.begin_day_two()
    report = _run(demo, "day-2", day)
    demo.check(
        ("every app is verified", _count(report, Verdict.VERIFIED) == demo.apps),
        (f"{expected} instances landed (one is late, Apple sends it tomorrow)", report["instances"] == expected),
        ("Athena has as many rows as Apple sent", report["rows_athena"] == report["rows_raw"] > 0),
    )


def _day_three(demo: Demo) -> Restated:
    story, day = demo.story, demo.story.today
    screens.heading(f"Day 3, {day}: Apple restates two earlier Dates and sends one late instance out of order")
    before = _restated_rows(demo)
    expected = story.begin_day_three()
    report = _run(demo, "day-3", day)
    after = _restated_rows(demo)
    restated = {date_: (before[date_], after[date_]) for date_ in after}
    demo.check(
        ("every app is verified", _count(report, Verdict.VERIFIED) == demo.apps),
        ("one instance per app and report, and the late one", report["instances"] == expected),
        ("newer vintages replaced whole Dates", report["parts_replaced"] > 0),
        ("the late instance counts only for the Date that no newer one holds", _late_is_placed(demo)),
        ("both restated Dates have the rows that Apple sends now", after == story.restated_rows()),
        ("rows of the complete Date have disappeared", story.rows_vanished(restated)),
    )
    return restated


def _day_three_again(demo: Demo) -> None:
    day = demo.story.today
    screens.heading(f"Day 3 again, {day}: a second run changes nothing")
    before = _etags(demo)
    report = _run(demo, "day-3-again", day)
    demo.check(
        ("no report request was created", report["requests_created"] == 0),
        (f"{demo.apps} duplicates were prevented", report["duplicates_prevented"] == demo.apps),
        ("no segment was downloaded", report["segments"] == 0),
        ("no row changed: every object is the same", _etags(demo) == before),
    )


def _close(demo: Demo, restated: Restated) -> None:
    screens.heading("What happened")
    _prove(demo)
    _show_records(demo, restated)
    _show_query(
        demo,
        f"{_FIRST_QUESTION} …",
        Database.CURATED,
        f"{_FIRST_QUESTION} DATE '{(demo.story.today - 7 * _DAY).isoformat()}' GROUP BY dt ORDER BY dt",
        ("dt", "rows", "apps"),
    )
    if demo.failures:
        screens.say(f"{counted(demo.failures, 'check')} failed.", style="bold red")
    else:
        screens.say("All checks passed.", style="bold green")


def _prove(demo: Demo) -> None:
    proofs = [prove(table, demo.raw, demo.athena) for table in TABLES]
    screens.show_proofs(proofs)
    truth = [demo.story.rows_of(table) == proof.in_athena for table, proof in zip(TABLES, proofs, strict=True)]
    demo.check(
        ("every table equals the raw files, app by app and Date by Date", all(proof.equal for proof in proofs)),
        ("and what the simulated App Store Connect reports that it has sent", all(truth)),
    )


def _show_records(demo: Demo, restated: Restated) -> None:
    """The pipeline's own records: the restated Dates, the registry's counters, the verdicts on freshness."""
    today = demo.story.today
    rows = [(day, old, new, new - old) for day, (old, new) in restated.items()]
    screens.show_rows(
        f"Restated by Apple: engagement of app {demo.story.restated_series.app_id}",
        ("Date", "rows before", "rows after", "change"),
        rows,
    )
    screens.show_rows("Registry", ("counter", "value"), sorted(demo.pipeline.registry.statistics.totals().items()))
    demo.aws.client("lambda").invoke(
        FunctionName=Names().function("check_freshness"), Payload=json.dumps({"at": f"{today}T14:00:00Z"})
    )
    _show_query(
        demo,
        "Freshness",
        Database.APPSTORE,
        "SELECT verdict, COUNT(*) AS tables, MIN(newest_processing_date) AS oldest FROM freshness "  # noqa: S608
        f"WHERE dt = DATE '{today}' GROUP BY verdict ORDER BY verdict",
        ("verdict", "tables of apps", "oldest processing date"),
    )


def _check_now(demo: Demo) -> None:
    """As the hourly schedule does: the console judges by the last check."""
    demo.aws.client("lambda").invoke(FunctionName=Names().function("check_freshness"), Payload="{}")


def _show_query(demo: Demo, title: str, database: Database, sql: str, columns: tuple[str, ...]) -> None:
    screens.show_rows(title, columns, list(demo.athena.rows(sql, database)))


def _run(demo: Demo, name: str, day: date) -> dict[str, Any]:
    """A daily run on a business day, independent of the machine's own date, even if midnight passes meanwhile."""
    payload = {"operation": Operation.DAILY, "as_of": day.isoformat(), STARTED_BY: "quick_start.sh"}
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


def _late_is_placed(demo: Demo) -> bool:
    sql = (
        f"SELECT dt, MIN(processing_date), MAX(processing_date) FROM {LATE_TABLE.name} "  # noqa: S608 (our own names)
        f"WHERE app_id = {demo.story.late_series.app_id} GROUP BY dt"
    )
    speaks = {cells[0]: cells[1:] for cells in demo.athena.rows(sql, Database.CURATED)}
    expected = demo.story.late_processing_dates()
    return speaks == {day.isoformat(): (built.isoformat(),) * 2 for day, built in expected.items()}


def _restated_rows(demo: Demo) -> dict[date, int]:
    """Athena's counts for the two restated Dates."""
    in_athena = count_in_athena(RESTATED_TABLE, demo.athena)
    app_id = int(demo.story.restated_series.app_id)
    return {day: in_athena.get((app_id, day), 0) for day in demo.story.restated_dates}


def _etags(demo: Demo) -> dict[str, str]:
    return {stored.key: stored.etag for stored in demo.pipeline.lake.list(CURATED_PREFIX)}


def _keep(aws: EmbeddedAws, apple: SimulatedApple, context: Mapping[str, Any]) -> None:
    screens.heading("The web console")
    with screens.deployment_progress() as progress:
        console = deploy_console(aws, context, progress)
    screens.show_console(console.url, invite_one_of_each_role(aws, console))
    screens.heading("Still running, until Ctrl-C")
    screens.show_environment(aws.environment)
    screens.say(f"The simulated App Store Connect, in a browser: {apple.url}/_control/state")
    screens.say("Ask it anything: ./manage.py --local status")
    with announced(aws.url), contextlib.suppress(KeyboardInterrupt):
        aws.wait()
