"""The treatment of a file with unknown columns, per report."""

from dataclasses import dataclass
from enum import StrEnum

from appstore_analytics.contract.catalogue.definition import ReportDefinition


class SchemaMode(StrEnum):
    """`evolve`: the rows count, and the unknown columns land in `extra`. `strict`: the instance is quarantined."""

    EVOLVE = "evolve"
    STRICT = "strict"

    @property
    def other(self) -> "SchemaMode":
        """The mode that is not `mode`."""
        return SchemaMode.STRICT if self is SchemaMode.EVOLVE else SchemaMode.EVOLVE


@dataclass(frozen=True, slots=True)
class SchemaModes:
    """The mode of every report: `default`, and the other one for `exceptions`, by the stems of their tables."""

    default: SchemaMode = SchemaMode.EVOLVE
    exceptions: tuple[str, ...] = ()

    def of(self, report: ReportDefinition) -> SchemaMode:
        """The mode of one report, in all its granularities."""
        return self.default.other if report.table in self.exceptions else self.default
