"""The KPI catalogue as an answer: every KPI, by what it can be split, and whether this installation has its tables."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from appstore_analytics.answers.facts import counted
from appstore_analytics.contract.kpis import KPIS, NOT_IN_THESE_REPORTS
from appstore_analytics.contract.kpis.definition import Kpi
from appstore_analytics.contract.tables import CuratedTable


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One KPI. `is_deployed`: all of its `tables` are, so it can be asked for.

    `weekly` and `monthly` are the KPIs to ask in its place for a week or a month, empty where its Dates add up.
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
    """All of them, and what people ask for that these reports cannot tell, with the reason."""

    kpis: tuple[CatalogueEntry, ...]
    not_in_these_reports: Mapping[str, str]

    @property
    def is_good(self) -> bool:
        """Always: this is a list."""
        return True

    @property
    def sentence(self) -> str:
        """How many there are."""
        deployed = sum(each.is_deployed for each in self.kpis)
        return f"{counted(len(self.kpis), 'KPI')}, {deployed} of which have their tables here."


def kpi_catalogue(deployed: Collection[CuratedTable]) -> KpiCatalogue:
    """The catalogue, as an installation with these tables has it."""
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
