"""`releases`: what is known of the versions of apps."""

from collections.abc import Callable
from datetime import date

from appstore_analytics.answers.apps import known_accounts
from appstore_analytics.answers.releases import ReleaseLine, ReleaseList, list_releases
from appstore_analytics.model.releases import AppReleases, Platform, Release
from tests.integration.pipeline_in_process import APP, Pipeline

NAMES = {APP: "Tiny Chess"}
JUNE = date(2025, 6, 2)


def release(version: str, released_on: date | None, *, is_inferred: bool = False) -> Release:
    return Release(version, Platform.IOS, version, JUNE, "run", released_on, is_inferred, not_before=None)


def ask(pipeline: Pipeline, since: date | None = None) -> ReleaseList:
    accounts = known_accounts(pipeline.configuration, pipeline.lake)
    return list_releases(accounts, pipeline.registry, NAMES, since)


def test_versions_are_listed_newest_first_with_what_is_not_known(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"apps": 2})
    versions = (release("1.0", None), release("1.1", date(2025, 5, 1), is_inferred=True), release("2.0", JUNE))
    pipeline.registry.releases.write(AppReleases(APP, JUNE, JUNE, versions))
    pipeline.registry.releases.write(AppReleases("999", JUNE, JUNE, versions))
    found = ask(pipeline)
    assert [line.version for line in found.releases] == ["2.0", "1.1", "1.0"]
    assert found.releases[1] == ReleaseLine(APP, Platform.IOS, "1.1", date(2025, 5, 1), True, None, "Tiny Chess")
    assert len(found.apps_not_read) == 1
    assert found.sentence == (
        "3 versions. 1 without a known day of release. No run has read the versions of 1 app yet."
    )
    assert found.is_good


def test_earlier_releases_are_left_out_but_not_those_without_a_known_day(pipeline: Pipeline) -> None:
    versions = (release("1.0", None), release("1.1", date(2025, 5, 1)), release("2.0", JUNE))
    pipeline.registry.releases.write(AppReleases(APP, JUNE, JUNE, versions))
    assert [line.version for line in ask(pipeline, since=JUNE).releases] == ["2.0", "1.0"]


def test_before_the_first_look_nothing_is_known(pipeline: Pipeline) -> None:
    found = ask(pipeline)
    assert found.releases == ()
    assert found.apps_not_read == (APP,)
