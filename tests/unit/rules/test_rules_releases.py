from collections.abc import Mapping
from datetime import date, timedelta

import pytest

from appstore_analytics.model.releases import AppReleases, Platform, Release, StoreVersion
from appstore_analytics.rules.releases import MOST_APPS_OF_A_DAY, apps_to_ask, is_to_infer, with_sessions, with_versions

DAY = timedelta(days=1)
TODAY = date(2026, 11, 23)
APP = "1000000001"


def listed(*versions: str, platform: Platform = Platform.IOS) -> list[StoreVersion]:
    """Versions by number, the first of them on sale."""
    return [StoreVersion(f"{platform}-{number}", platform, number, number == versions[0]) for number in versions]


def known(*looks: tuple[date, list[StoreVersion]]) -> AppReleases:
    app = AppReleases(APP)
    for day, versions in looks:
        app = with_versions(app, versions, day, f"run of {day}")
    return app


def by_version(app: AppReleases) -> dict[str, Release]:
    return {release.version: release for release in app.releases}


def first_dates(devices: Mapping[tuple[str | None, str | None], int]) -> dict[tuple[str | None, str | None], date]:
    """By version and device, the first Date as days before today."""
    return {key: TODAY - DAY * days for key, days in devices.items()}


def test_every_app_is_asked_once_a_day() -> None:
    asked = {APP: AppReleases(APP, asked_on=TODAY), "2": AppReleases("2", asked_on=TODAY - DAY)}
    assert apps_to_ask([APP, "2", "3"], asked, TODAY) == ["3", "2"]
    assert apps_to_ask([APP, "2", "3"], asked, TODAY + DAY) == ["3", "2", APP]


def test_of_more_than_a_thousand_apps_those_that_were_asked_longest_ago_come_first_and_everyone_has_a_turn() -> None:
    apps = [str(number) for number in range(1, 2_501)]
    remembered: dict[str, AppReleases] = {}
    for day in range(3):
        chosen = apps_to_ask(apps, remembered, TODAY + DAY * day)
        assert len(chosen) == MOST_APPS_OF_A_DAY
        remembered |= {app_id: AppReleases(app_id, asked_on=TODAY + DAY * day) for app_id in chosen}
    assert remembered.keys() == set(apps)


def test_what_was_on_sale_at_the_first_look_was_released_nobody_knows_when() -> None:
    app = known((TODAY, listed("2.0", "1.0")))
    assert [(one.version, one.released_on, one.not_before) for one in app.releases] == [
        ("2.0", None, None),
        ("1.0", None, None),
    ]


def test_a_version_that_goes_on_sale_was_released_on_the_day_that_sees_it_first() -> None:
    app = known((TODAY - DAY, listed("1.0")), (TODAY, listed("2.0", "1.0")), (TODAY + DAY, listed("2.0", "1.0")))
    release = by_version(app)["2.0"]
    assert (release.released_on, release.is_inferred, release.not_before) == (TODAY, False, TODAY - DAY)
    assert release.changed_in_run == f"run of {TODAY}"
    assert len(app.releases) == 2


def test_a_version_that_was_replaced_between_two_looks_is_left_to_the_sessions() -> None:
    app = known((TODAY - DAY * 9, listed("1.0")), (TODAY, listed("3.0", "2.0", "1.0")))
    assert (by_version(app)["2.0"].released_on, by_version(app)["3.0"].released_on) == (None, TODAY)
    sessions = first_dates({("1.0", "iphone"): 90, ("2.0", "iphone"): 6, ("3.0", "iphone"): 1})
    release = by_version(with_sessions(app, sessions, TODAY, "run"))["2.0"]
    assert (release.released_on, release.is_inferred) == (TODAY - DAY * 6, True)


def test_sessions_before_the_look_that_did_not_find_the_version_are_not_its_release() -> None:
    """Of testers, or of a beta with the same number."""
    app = known((TODAY - DAY * 9, listed("1.0")), (TODAY, listed("3.0", "2.0", "1.0")))
    sessions = first_dates({("1.0", "iphone"): 90, ("2.0", "iphone"): 10})
    assert by_version(with_sessions(app, sessions, TODAY, "run"))["2.0"].released_on is None


def test_an_older_version_was_released_on_its_first_date_of_sessions_unless_that_is_the_first_of_all() -> None:
    app = known((TODAY, listed("3.0", "2.0", "1.0")))
    sessions = first_dates({("1.0", "iphone"): 90, ("2.0", "iphone"): 40, ("2.0", "ipad"): 50, (None, "iphone"): 60})
    found = by_version(with_sessions(app, sessions, TODAY, "run"))
    assert {version: one.released_on for version, one in found.items()} == {
        "1.0": None,
        "2.0": TODAY - DAY * 50,
        "3.0": None,
    }
    assert (found["2.0"].changed_in_run, found["1.0"].changed_in_run) == ("run", f"run of {TODAY}")


def test_versions_of_two_platforms_with_one_number_are_told_apart_by_their_devices() -> None:
    app = known((TODAY, listed("2.0") + listed("2.0", platform=Platform.MAC_OS)))
    sessions = first_dates({("1.0", "iphone"): 90, ("2.0", "iphone"): 40, ("2.0", "desktop"): 20})
    found = with_sessions(app, sessions, TODAY, "run")
    assert {one.platform: one.released_on for one in found.releases} == {
        Platform.IOS: TODAY - DAY * 40,
        Platform.MAC_OS: TODAY - DAY * 20,
    }


def test_older_sessions_correct_what_was_inferred_and_never_what_was_seen() -> None:
    app = known((TODAY - DAY, listed("1.0")), (TODAY, listed("2.0", "1.0")))
    one = with_sessions(app, first_dates({("0.9", "iphone"): 50, ("1.0", "iphone"): 40}), TODAY, "run")
    older = first_dates({("0.9", "iphone"): 99, ("1.0", "iphone"): 70, ("2.0", "iphone"): 60})
    two = by_version(with_sessions(one, older, TODAY, "later"))
    assert by_version(one)["1.0"].released_on == TODAY - DAY * 40
    assert (two["1.0"].released_on, two["1.0"].changed_in_run) == (TODAY - DAY * 70, "later")
    assert two["2.0"].released_on == TODAY


@pytest.mark.parametrize(
    ("asked_on", "days_later", "has_older", "expected"),
    [
        (None, 0, False, True),
        (TODAY, 1, False, False),
        (TODAY, 10, False, True),
        (TODAY + DAY * 10, 11, False, False),
        (TODAY + DAY * 10, 11, True, True),
    ],
)
def test_sessions_are_asked_at_first_when_they_have_come_and_when_older_ones_have(
    asked_on: date | None, days_later: int, has_older: bool, expected: bool
) -> None:
    release = Release("1", Platform.IOS, "1.0", TODAY, "run", sessions_asked_on=asked_on)
    assert is_to_infer(release, TODAY + DAY * days_later, has_older=has_older) is expected


def test_a_release_that_was_seen_is_not_asked_for() -> None:
    assert not is_to_infer(Release("1", Platform.IOS, "1.0", TODAY, "run", released_on=TODAY), TODAY, has_older=True)
