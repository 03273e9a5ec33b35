"""The KPI catalogue against the catalogue of reports, and its statements against what follows from the data."""

import re
from itertools import combinations

import pytest

from appstore_analytics.contract.catalogue import CORE_REPORT_NAMES
from appstore_analytics.contract.catalogue.definition import ColumnType, Granularity, Role
from appstore_analytics.contract.kpis import AMOUNTS, KPIS, KPIS_BY_NAME
from appstore_analytics.contract.kpis.definition import (
    Additivity,
    Amount,
    Basis,
    Bound,
    Dimension,
    Kpi,
    Unit,
    dimensions_of,
)
from appstore_analytics.contract.tables import tables_by_name

EVERY_KPI = pytest.mark.parametrize("kpi", KPIS, ids=lambda kpi: kpi.name)
EVERY_AMOUNT = pytest.mark.parametrize("amount", AMOUNTS, ids=lambda amount: amount.name)
NAME = re.compile(r"[a-z][a-z0-9_]*")


def _type(amount: Amount, column: str) -> ColumnType:
    return next(each.type for each in amount.table.report.columns if each.name == column)


@EVERY_AMOUNT
def test_an_amount_names_a_table_and_columns_of_it(amount: Amount) -> None:
    assert NAME.fullmatch(amount.name)
    assert amount.table_name in tables_by_name()
    assert amount.column.type in (ColumnType.INT64, ColumnType.MONEY)
    assert amount.column.required
    for condition in amount.where:
        assert _type(amount, condition.column) is ColumnType.STRING or not condition.words
    if amount.times:
        assert (_type(amount, amount.measure), _type(amount, amount.times)) == (ColumnType.INT64, ColumnType.INT64)


@EVERY_AMOUNT
def test_an_amount_is_of_a_standard_report_which_leaves_nobody_out(amount: Amount) -> None:
    assert "Detailed" not in amount.table.report.name
    assert amount.table.report.name in CORE_REPORT_NAMES


@EVERY_AMOUNT
def test_values_are_compared_in_lower_case(amount: Amount) -> None:
    words = [word for condition in amount.where for word in condition.words]
    assert words == [word.lower() for word in words]
    assert all(len(set(condition.words)) == len(condition.words) for condition in amount.where)


def test_names_of_amounts_and_of_kpis_are_unique() -> None:
    assert len({amount.name for amount in AMOUNTS}) == len(AMOUNTS)
    assert len(KPIS_BY_NAME) == len(KPIS)


def test_a_sum_of_one_amount_has_its_name_or_none_has() -> None:
    """`impressions` must be the same number among the amounts and among the KPIs."""
    for kpi in KPIS:
        same = [amount for amount in AMOUNTS if amount.name == kpi.name]
        assert same in ([], list(kpi.amounts)), kpi.name


def test_amounts_with_conditions_on_the_same_columns_share_no_row_or_all() -> None:
    """Sums of such amounts need one pass: each row belongs to at most one class."""
    for one, other in combinations(AMOUNTS, 2):
        columns = [[condition.column for condition in amount.where] for amount in (one, other)]
        if one.table != other.table or columns[0] != columns[1]:
            continue
        if one.where == other.where:
            assert (one.measure, one.times) != (other.measure, other.times)
        else:
            pairs = zip(one.where, other.where, strict=True)
            assert any(set(mine.words).isdisjoint(theirs.words) for mine, theirs in pairs)


@EVERY_KPI
def test_a_kpi_is_named_titled_and_has_a_trap_of_at_most_three_sentences(kpi: Kpi) -> None:
    assert NAME.fullmatch(kpi.name)
    assert kpi.title
    assert kpi.title[0].isupper()
    assert kpi.trap.endswith(".")
    assert len(re.findall(r"\.(?: |$)", kpi.trap)) <= 3


@EVERY_KPI
def test_the_tables_of_a_kpi_have_one_granularity_and_its_dimensions(kpi: Kpi) -> None:
    assert {table.granularity for table in kpi.tables} == {kpi.granularity}
    for dimension in kpi.dimensions:
        assert all(dimension in dimensions_of(table) for table in kpi.tables)


@EVERY_KPI
def test_only_sums_of_additive_columns_are_called_exact(kpi: Kpi) -> None:
    exact = kpi.additivity in (Additivity.SUM, Additivity.RATIO, Additivity.STOCK)
    assert exact is all(amount.is_additive for amount in kpi.amounts)


@EVERY_KPI
def test_a_bound_has_a_direction_that_can_be_proved_and_nothing_else_has_one(kpi: Kpi) -> None:
    assert (kpi.bound is not None) is (kpi.additivity is Additivity.BOUND)
    if kpi.bound is Bound.AT_MOST:  # uniques, each counted once or more often
        assert len(kpi.plus) == 1
        assert (kpi.minus, kpi.over) == ((), ())
    if kpi.bound is Bound.AT_LEAST:  # never negative, over uniques counted once or more often
        assert all(amount.is_additive and not amount.is_money for amount in kpi.plus)
        assert not kpi.minus
        assert not any(amount.is_additive for amount in kpi.over)


@EVERY_KPI
def test_a_stock_is_neither_a_sum_over_dates_nor_the_dividend_of_a_ratio(kpi: Kpi) -> None:
    stocks = [amount for amount in kpi.amounts if amount.is_stock]
    if kpi.additivity is Additivity.STOCK:
        assert stocks == list(kpi.amounts) == list(kpi.plus)
    else:
        assert not [amount for amount in (*kpi.plus, *kpi.minus) if amount.is_stock]
        assert (kpi.basis is Basis.OPENING) is bool(stocks)


@EVERY_KPI
def test_a_quotient_is_a_ratio_a_bound_or_an_estimate_and_a_sum_has_no_divisor(kpi: Kpi) -> None:
    if kpi.over:
        assert kpi.additivity in (Additivity.RATIO, Additivity.BOUND, Additivity.ESTIMATE)
        assert kpi.unit is not Unit.COUNT
    else:
        assert kpi.additivity is not Additivity.RATIO
        assert kpi.factor == 1


@EVERY_KPI
def test_money_is_in_usd_and_a_sum_does_not_mix_it_with_counts(kpi: Kpi) -> None:
    for side in ((*kpi.plus, *kpi.minus), kpi.over):
        assert len({amount.is_money for amount in side}) <= 1
    assert kpi.plus[0].is_money is (kpi.unit is Unit.USD)


@EVERY_KPI
def test_a_cohort_is_of_a_table_with_the_download_date(kpi: Kpi) -> None:
    if kpi.basis is Basis.COHORT:
        assert kpi.dimensions == (Dimension.DAYS_SINCE_DOWNLOAD,)
        assert all(Dimension.DAYS_SINCE_DOWNLOAD in amount.dimensions for amount in kpi.amounts)


@EVERY_KPI
def test_uniques_of_a_week_or_month_are_of_apples_weekly_and_monthly_tables(kpi: Kpi) -> None:
    if kpi.weekly:
        week, month = KPIS_BY_NAME[kpi.weekly], KPIS_BY_NAME[kpi.monthly]
        assert (week.granularity, month.granularity) == (Granularity.WEEKLY, Granularity.MONTHLY)
        for other in (week, month):
            assert [table.report for table in other.tables] == [table.report for table in kpi.tables]
            assert other.plus[0].column == kpi.plus[0].column
            assert other.plus[0].where == kpi.plus[0].where
    elif kpi.granularity is Granularity.DAILY and len(kpi.tables) == 1 and kpi.additivity is Additivity.BOUND:
        assert kpi.name == "crashed_devices"


def test_weeks_and_months_are_not_split_by_days_since_the_download_and_are_complete_at_once() -> None:
    for kpi in (KPIS_BY_NAME["weekly_active_devices"], KPIS_BY_NAME["monthly_active_devices"]):
        assert Dimension.DAYS_SINCE_DOWNLOAD not in kpi.dimensions
        assert kpi.window_days == 0


@pytest.mark.parametrize(
    ("name", "formula", "window_days"),
    [
        ("total_downloads", "first_time_downloads + redownloads", 2),
        ("preorders_net", "preorders_placed − preorders_canceled", 2),
        ("conversion_per_impression", "(first_time_downloads + redownloads) / impressions", 3),
        ("crashes_per_1000_sessions", "1,000 · crashes / sessions", 5),
        ("trial_to_paid", "trial_conversions / (trial_conversions + trial_churn)", 3),
    ],
)
def test_a_formula_reads_as_one_would_write_it(name: str, formula: str, window_days: int) -> None:
    kpi = KPIS_BY_NAME[name]
    assert (kpi.formula, kpi.window_days) == (formula, window_days)


def test_a_ratio_is_split_by_what_both_sides_can_be_split_by() -> None:
    assert KPIS_BY_NAME["crashes_per_1000_sessions"].dimensions == (
        Dimension.DEVICE,
        Dimension.APP_VERSION,
        Dimension.PLATFORM_VERSION,
    )
    assert Dimension.APP_VERSION not in KPIS_BY_NAME["conversion_per_impression"].dimensions
    assert KPIS_BY_NAME["opt_in_rate"].dimensions == ()


def test_uniques_are_never_additive_in_the_catalogue_of_reports() -> None:
    uniques = [amount for amount in AMOUNTS if not amount.is_additive]
    assert {amount.column.role for amount in uniques} == {Role.NON_ADDITIVE}
    assert {"active_devices", "unique_impressions", "paying_users"} <= {amount.name for amount in uniques}
