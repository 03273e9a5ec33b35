"""The KPI catalogue: the numbers that people ask for, each with its formula over Apple's rows and its trap.

A KPI is added in `catalogue.py` and nowhere else; what stores, answers or documents KPIs reads them from here.
"""

from appstore_analytics.contract.kpis.catalogue import DOWNLOADS, MONEY, STORE, SUBSCRIPTIONS, USAGE
from appstore_analytics.contract.kpis.definition import Amount, Kpi

KPIS: tuple[Kpi, ...] = (*STORE, *DOWNLOADS, *USAGE, *MONEY, *SUBSCRIPTIONS)

KPIS_BY_NAME = {kpi.name: kpi for kpi in KPIS}

AMOUNTS: tuple[Amount, ...] = tuple(dict.fromkeys(amount for kpi in KPIS for amount in kpi.amounts))
"""All amounts of the KPIs, without duplicates."""

NOT_IN_THESE_REPORTS: dict[str, str] = {
    "MRR": "the reports have subscriptions by state and price kind, but no price per subscription",
    "peer benchmarks": "Apple shows them in App Store Connect only",
    "ratings and reviews": "they are in other parts of the App Store Connect API",
}
"""Common questions that these reports cannot answer, with the reason."""
