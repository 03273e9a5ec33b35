from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.model.instances import InstanceStatus, LedgerInstance
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.rules.repairs import BROKEN_BYTES, Repair, cause_of, command

BUILT = date(2026, 11, 20)
OUT = (InstanceStatus.QUARANTINED, InstanceStatus.ROLLED_BACK, InstanceStatus.EXPIRED)
ages = st.integers(0, 60)


def instance(status: InstanceStatus, *, broken: bool = False, raw_has_expired: bool = False) -> LedgerInstance:
    return LedgerInstance(
        "1000000001",
        "engagement",
        Granularity.DAILY,
        Vintage(BUILT, AccessType.ONGOING, "i"),
        status,
        bytes_are_broken=broken,
        raw_has_expired=raw_has_expired,
    )


@given(st.sampled_from(OUT), st.booleans(), st.booleans(), ages)
def test_a_repair_can_work_and_is_the_nearest_that_can(
    status: InstanceStatus, broken: bool, raw_has_expired: bool, age: int
) -> None:
    one = instance(status, broken=broken, raw_has_expired=raw_has_expired)
    cause, repair = cause_of(one, BUILT + timedelta(days=age))
    is_listed = age <= 35
    assert cause
    if repair is Repair.REPROCESS:
        assert one.has_landed
        assert cause != BROKEN_BYTES
    elif repair is Repair.REFETCH:
        assert is_listed
    else:
        assert repair is None
        assert not is_listed or (status is InstanceStatus.EXPIRED and not raw_has_expired)


def test_the_commands_name_processing_dates_from_the_first_to_the_last() -> None:
    days = [BUILT, BUILT - timedelta(days=2), BUILT]
    assert command(Repair.REFETCH, "1", tables_by_name()["crashes_expanded_vintages"], days) == (
        "./manage.py refetch --apps 1 --reports crashes_expanded --from 2026-11-18 --to 2026-11-20"
    )
