import pytest

from appstore_analytics.model.plan import RunPlan
from tests.integration.pipeline_in_process import Pipeline


@pytest.fixture
def days(pipeline: Pipeline) -> list[RunPlan]:
    """Three days: requests are registered, data arrives, and most of it is replaced by newer vintages."""
    plans = [pipeline.whole()]
    for _ in range(2):
        pipeline.world.advance(1)
        plans.append(pipeline.whole())
    return plans
