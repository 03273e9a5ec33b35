"""The columns of KPI objects in Arrow, and their description of themselves."""

import pyarrow as pa

from appstore_analytics.contract.kpis.stored import definitions
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.published import DIGEST
from appstore_analytics.lake.schema import DICTIONARY, MONEY_SCALE

STRINGS = ("kpi", "dimension", "value")
KEYS = ("app_id", *STRINGS)

SUMS = pa.schema(
    [
        ("app_id", pa.int64()),
        *((name, DICTIONARY) for name in STRINGS),
        ("amount", pa.int64()),
        ("usd", pa.decimal128(18, MONEY_SCALE)),
    ]
)
SCHEMA = SUMS.append(pa.field("is_final", pa.bool_()))

DEFINITIONS = "definitions"
"""The metadata key with the definitions by which a KPI object was made."""


def footer(table: CuratedTable, digest: str) -> dict[str, str]:
    """The KPI object's description of itself, in its footer and metadata; `digest` is that of the rows."""
    return {DIGEST: digest, DEFINITIONS: definitions(table)}
