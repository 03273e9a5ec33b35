"""The questions of the console's pages."""

from dataclasses import dataclass

_TILES = (
    "impressions,product_page_views,total_downloads,conversion_per_impression,"
    "proceeds,sessions,active_devices,crashes_per_1000_sessions"
)


@dataclass(frozen=True, slots=True)
class Question:
    """A route with its parameters; `{app}` is one app of the portfolio."""

    name: str
    route: str

    def address(self, apps: int) -> str:
        """The route for a portfolio of this number of apps."""
        return self.route.format(app=1_000_000_001 + apps // 2)


QUESTIONS = (
    Question("portfolio: 8 KPIs, 28 Dates", f"/kpis/query?metrics={_TILES}&days=28"),
    Question("the same, and the 28 before", f"/kpis/query?metrics={_TILES}&days=28&compare=previous"),
    Question("one app: 8 KPIs, 28 Dates", f"/kpis/query?metrics={_TILES}&days=28&apps={{app}}"),
    Question("one app by territory", "/kpis/query?metrics=total_downloads&days=28&by=territory&limit=10&apps={app}"),
    Question("table of apps, first page", "/apps?days=28&limit=50"),
    Question("tables and Dates", "/tables?days=30"),
    Question("health", "/health"),
    Question("runs", "/runs?limit=25"),
)
