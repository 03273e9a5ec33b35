import json

import pytest

from appstore_analytics.contract.metrics import Metric
from appstore_analytics.wiring.telemetry import emit
from local.aws.metrics import embedded_metrics


@pytest.mark.parametrize("function", ["verify_table", "check_freshness"])
def test_a_metric_is_the_same_whichever_function_emits_it(
    function: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", function)
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "studio-staging")
    emit(Metric.ATHENA_BYTES_SCANNED, 4096)
    line = capsys.readouterr().out
    assert json.loads(line)["_aws"]["Timestamp"] > 0
    dimensions = {"service": "appstore-analytics"}
    assert list(embedded_metrics(line)) == [("studio-staging", "AthenaBytesScanned", 4096, "Count", dimensions)]
