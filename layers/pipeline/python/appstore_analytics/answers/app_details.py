"""One app: whether all of it is here, if not why, and until when each table is complete."""

from dataclasses import dataclass
from datetime import date

from appstore_analytics.answers.attention import Attention
from appstore_analytics.answers.status import RequestLine
from appstore_analytics.answers.table_dates import TableLine
from appstore_analytics.rules.date_verdicts import DateVerdict


@dataclass(frozen=True, slots=True)
class AppDetails:
    """One app. `why` has a line for each table that is not well; `tables` have a verdict for each of `dates`.

    `first_date` is the first Date that is expected of it. `last_verdict` is how the newest daily run ended for it, in
    the words of runs.
    """

    app_id: str
    app_name: str
    account: str
    verdict: DateVerdict
    checked_at: str
    first_date: date | None
    complete_until: date | None
    last_run: str
    last_verdict: str
    why: tuple[Attention, ...]
    requests: tuple[RequestLine, ...]
    dates: tuple[date, ...]
    tables: tuple[TableLine, ...]

    @property
    def is_good(self) -> bool:
        """Whether nothing of it needs anybody."""
        return not self.why

    @property
    def sentence(self) -> str:
        """Whether all is here, or what is missing first."""
        name = self.app_name or self.app_id
        if self.why:
            return f"{name}: {self.why[0].reason}"
        until = f" Every daily table is complete until {self.complete_until}." if self.complete_until else ""
        return f"{name}: no due Date is missing.{until}"
