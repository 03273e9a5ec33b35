"""The KPI catalogue as an answer: every KPI, its dimensions, and whether this installation has its tables."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from appstore_analytics.answers.facts import counted
from appstore_analytics.contract.kpis import KPIS, NOT_IN_THESE_REPORTS
from appstore_analytics.contract.kpis.definition import Kpi
from appstore_analytics.contract.tables import CuratedTable


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One KPI. `is_deployed`: all of its `tables` are deployed, so it can be queried.

    `weekly` and `monthly` are the KPIs to use instead for a week or a month; they are empty if its Dates can be added
    up.
    """

    name: str
    title: str
    unit: str
    kind: str
    bound: str
    formula: str
    trap: str
    dimensions: tuple[str, ...]
    granularity: str
    window_days: int
    tables: tuple[str, ...]
    weekly: str
    monthly: str
    is_deployed: bool


@dataclass(frozen=True, slots=True)
class KpiCatalogue:
    """All KPIs, and common questions that these reports cannot answer, with the reasons."""

    kpis: tuple[CatalogueEntry, ...]
    not_in_these_reports: Mapping[str, str]

    @property
    def is_good(self) -> bool:
        """Always true: this is a list."""
        return True

    @property
    def sentence(self) -> str:
        """The number of KPIs."""
        deployed = sum(each.is_deployed for each in self.kpis)
        return f"{counted(len(self.kpis), 'KPI')}, {deployed} of which have their tables here."


def kpi_catalogue(deployed: Collection[CuratedTable]) -> KpiCatalogue:
    """The catalogue for an installation with these tables."""
    return KpiCatalogue(tuple(_entry(kpi, deployed) for kpi in KPIS), NOT_IN_THESE_REPORTS)


def _entry(kpi: Kpi, deployed: Collection[CuratedTable]) -> CatalogueEntry:
    return CatalogueEntry(
        name=kpi.name,
        title=kpi.title,
        unit=kpi.unit,
        kind=kpi.additivity,
        bound=kpi.precision,
        formula=kpi.formula,
        trap=kpi.trap,
        dimensions=tuple(map(str, kpi.dimensions)),
        granularity=kpi.granularity,
        window_days=kpi.window_days,
        tables=tuple(table.name for table in kpi.tables),
        weekly=kpi.weekly,
        monthly=kpi.monthly,
        is_deployed=all(table in deployed for table in kpi.tables),
    )
