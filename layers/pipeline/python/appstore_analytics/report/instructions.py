"""Where docs/operations.md says what to do, as addresses in the repository that the installation names."""

from dataclasses import dataclass

from appstore_analytics.contract.verdicts import Verdict

_PAGE = "blob/HEAD/docs/operations.md"


@dataclass(frozen=True, slots=True)
class Instructions:
    """`repository_url` is the repository's address, empty for none: then every address is empty."""

    repository_url: str = ""

    def of_verdict(self, verdict: str) -> str:
        """What a verdict means, and what to do."""
        return self._section(Verdict(verdict).section)

    @property
    def of_new_column(self) -> str:
        """How a column comes into the catalogue."""
        return self._section("a-new-column-a-new-report")

    @property
    def of_skipped_date(self) -> str:
        """What a Date without a row means."""
        return self._section("dates-without-a-row")

    def _section(self, anchor: str) -> str:
        return f"{self.repository_url}/{_PAGE}#{anchor}" if self.repository_url else ""
