"""What is told of a run's stages while it is under way, above all of a backfill that waits for its snapshot."""

from datetime import UTC, datetime, timedelta

from appstore_analytics.answers.run_course import DONE, UNDER_WAY, WAITING, Counts, Course
from appstore_analytics.answers.run_stages import Stage, StageWait
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.waits import WaitFor

NAMES = (MapName.REGISTER, MapName.LAND, MapName.PUBLISH, MapName.VERIFY)
NOON = datetime(2026, 6, 2, 12, 0, tzinfo=UTC)
GIVE_UP = NOON + timedelta(days=3)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def course(
    planned: dict[MapName, float],
    ended: dict[MapName, tuple[int, int]],
    *waits: StageWait,
    ended_at: datetime | None = None,
    known: bool = True,
) -> dict[MapName, Stage]:
    """The stages by name, of a run that began at noon; `ended` are the items that have ended, of how many."""
    counts = {
        name: Counts("items", total, done, 0, known or name is MapName.REGISTER)
        for name in NAMES
        for done, total in [ended.get(name, (0, 0))]
    }
    times = {name: at(minutes) for name, minutes in planned.items()}
    stages = Course(NAMES, counts, times, NOON, ended_at, waits).stages()
    return dict(zip(NAMES, stages, strict=True))


def states(stages: dict[MapName, Stage]) -> list[str]:
    return [stage.state for stage in stages.values()]


def waiting_since(minutes: float, until: datetime = GIVE_UP) -> StageWait:
    return StageWait(WaitFor.SNAPSHOT, at(minutes), until)


FIRST_ROUND = {MapName.REGISTER: 1, MapName.LAND: 2, MapName.PUBLISH: 3, MapName.VERIFY: 4}
THIRD_ROUND = {name: minutes + 120 for name, minutes in FIRST_ROUND.items()}
REGISTERED = {MapName.REGISTER: (1, 1)}


def test_a_backfill_that_waits_for_its_snapshot_is_at_no_stage_and_waits_before_it_lands() -> None:
    for planned in (FIRST_ROUND, THIRD_ROUND):
        stages = course(planned, REGISTERED, waiting_since(4))
        assert states(stages) == [DONE, WAITING, WAITING, WAITING]
        register, land = stages[MapName.REGISTER], stages[MapName.LAND]
        assert (register.started_at, register.ended_at, register.waits) == (NOON, at(4), ())
        assert (land.started_at, land.ended_at, land.waits) == (at(4), None, (waiting_since(4),))
        assert stages[MapName.VERIFY].started_at is None


def test_when_it_looks_again_it_registers_again() -> None:
    stages = course({**FIRST_ROUND, MapName.REGISTER: 61}, {MapName.REGISTER: (0, 1)}, waiting_since(4))
    assert states(stages) == [UNDER_WAY, WAITING, WAITING, WAITING]


def test_once_the_snapshot_has_come_the_run_goes_on_as_any_other() -> None:
    over = waiting_since(4, at(122))
    planned = {name: THIRD_ROUND[name] for name in (MapName.REGISTER, MapName.LAND)} | {MapName.PUBLISH: 3}
    stages = course(planned, {**REGISTERED, MapName.LAND: (1, 3)}, over)
    assert states(stages) == [DONE, UNDER_WAY, WAITING, WAITING]
    assert (stages[MapName.LAND].started_at, stages[MapName.LAND].waits) == (at(4), (over,))

    counts = {**REGISTERED, MapName.LAND: (3, 3), MapName.PUBLISH: (5, 5), MapName.VERIFY: (1, 1)}
    stages = course(THIRD_ROUND, counts, over, ended_at=at(130))
    assert states(stages) == [DONE] * 4
    assert [(stage.started_at, stage.ended_at) for stage in stages.values()] == [
        (NOON, at(4)),
        (at(4), at(123)),
        (at(123), at(124)),
        (at(124), at(130)),
    ]
    assert [stage.waits for stage in stages.values()] == [(), (over,), (), ()]


def test_a_stage_is_under_way_until_its_items_have_ended() -> None:
    planned = {name: FIRST_ROUND[name] for name in (MapName.REGISTER, MapName.LAND)}
    assert states(course(planned, {**REGISTERED, MapName.LAND: (2, 3)})) == [DONE, UNDER_WAY, WAITING, WAITING]
    assert states(course(planned, {**REGISTERED, MapName.LAND: (3, 3)})) == [DONE, DONE, WAITING, WAITING]


def test_a_run_that_finds_nothing_new_has_nothing_to_land() -> None:
    stages = course(FIRST_ROUND, REGISTERED)
    assert states(stages) == [DONE] * 4
    assert stages[MapName.LAND].started_at == at(2)


def test_numbers_that_are_not_told_are_not_taken_for_none() -> None:
    """Of Dates and tables a person with some apps learns nothing before the run has ended."""
    planned = {name: FIRST_ROUND[name] for name in NAMES[:3]}
    assert states(course(planned, REGISTERED, known=False)) == [DONE, DONE, UNDER_WAY, WAITING]


def test_a_wait_for_apples_hour_is_of_the_stage_in_which_it_was() -> None:
    hour = StageWait(WaitFor.APPLES_HOUR, at(2.5), at(30))
    planned = {MapName.REGISTER: 1, MapName.LAND: 2, MapName.PUBLISH: 40}
    stages = course(planned, {**REGISTERED, MapName.LAND: (3, 3), MapName.PUBLISH: (1, 2)}, hour)
    assert [stage.waits for stage in stages.values()] == [(), (hour,), (), ()]
