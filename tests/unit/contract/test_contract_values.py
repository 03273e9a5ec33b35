from collections import Counter

from appstore_analytics.contract.catalogue import REPORTS
from appstore_analytics.contract.catalogue.definition import Role
from appstore_analytics.contract.catalogue.values import KNOWN_VALUES, KnownValues
from appstore_analytics.contract.kpis import KPIS


def _columns(known: KnownValues) -> list[Role]:
    reports = [report for report in REPORTS if not known.reports or report.table in known.reports]
    return [column.role for report in reports for column in report.columns if column.name == known.column]


def test_known_values_are_those_of_dimensions_that_reports_have() -> None:
    for known in KNOWN_VALUES:
        assert set(_columns(known)) == {Role.DIMENSION}, known
        assert {report.table for report in REPORTS} >= set(known.reports), known


def test_no_value_is_listed_twice_not_even_in_another_case() -> None:
    for known in KNOWN_VALUES:
        assert max(Counter(value.lower() for value in known.values).values()) == 1, known.column


def test_a_kpi_filters_by_values_that_are_known_where_any_are() -> None:
    amounts = {amount for kpi in KPIS for amount in kpi.amounts}
    for amount in amounts:
        for condition in amount.where:
            known = {
                value.lower()
                for each in KNOWN_VALUES
                if each.column == condition.column and (not each.reports or amount.table.report.table in each.reports)
                for value in each.values
            }
            assert not known or set(condition.words) <= known, (amount.name, condition)
