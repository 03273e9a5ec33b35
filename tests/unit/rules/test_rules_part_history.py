from datetime import date

from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.model.parts import JournalLine, PartVersion
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.rules.part_history import to_put_back

TABLE_DATE = TableDate("downloads", date(2025, 6, 1))


def vintage(day: int) -> Vintage:
    return Vintage(date(2025, 6, day), AccessType.ONGOING, f"i-{day}")


def version(day: int) -> PartVersion:
    return PartVersion(f"r-{day}", vintage(day), f"v-{day}", f"e-{day}")


def line(day: int, before: int | None, taken_back_by: str = "") -> JournalLine:
    stood = None if before is None else version(before)
    return JournalLine(f"r-{day}", "1000000001", vintage(day), TABLE_DATE, stood, taken_back_by)


def put_back(of: JournalLine, *lines: JournalLine) -> PartVersion | None:
    remembered = {(each.run_id, each.vintage): each for each in lines}
    return to_put_back(of, lambda version: remembered.get((version.run_id, version.vintage)))


def test_what_stood_before_is_put_back() -> None:
    assert put_back(line(4, 3), line(3, None)) == version(3)


def test_where_nothing_stood_nothing_is_put_back() -> None:
    assert put_back(line(4, None)) is None


def test_what_was_taken_back_itself_is_passed_over() -> None:
    assert put_back(line(5, 4), line(4, 3, "rollback"), line(3, 2, "rollback"), line(2, None)) == version(2)
    assert put_back(line(5, 4), line(4, 3, "rollback"), line(3, None, "rollback")) is None


def test_a_write_that_nobody_remembers_was_never_taken_back() -> None:
    assert put_back(line(4, 3)) == version(3)


def test_a_write_is_known_by_run_and_vintage_whatever_version_s3_calls_it() -> None:
    assert version(3).is_write_of("r-3", vintage(3))
    assert not version(3).is_write_of("r-3", vintage(4))
    assert not version(3).is_write_of("r-4", vintage(3))
