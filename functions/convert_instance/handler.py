"""convert_instance: takes one landed instance; its rows replace whole Dates of its app."""

from typing import Any

from appstore_analytics.contract.schema_modes import SchemaMode, SchemaModes
from appstore_analytics.contract.settings import ConvertInstanceSettings
from appstore_analytics.model.items import LandItem
from appstore_analytics.steps.convert_instance import convert_instance
from appstore_analytics.wiring.connections import open_bucket, open_registry
from appstore_analytics.wiring.machine_errors import names_machine_errors
from appstore_analytics.wiring.telemetry import logger

SETTINGS = ConvertInstanceSettings.from_environment()
REGISTRY = open_registry(SETTINGS)
LAKE, RAW = open_bucket(SETTINGS.lake_bucket), open_bucket(SETTINGS.raw_bucket)
SCHEMA_MODES = SchemaModes(SchemaMode(SETTINGS.schema_mode), SETTINGS.schema_mode_exceptions)


@logger.inject_lambda_context(clear_state=True)
@names_machine_errors("convert_instance")
def handler(event: dict[str, Any], _: object) -> dict[str, str]:
    """See steps/convert_instance.py."""
    item = LandItem.from_event(event)
    logger.append_keys(**item.to_event())
    return convert_instance(item, REGISTRY, RAW, LAKE, SCHEMA_MODES)
