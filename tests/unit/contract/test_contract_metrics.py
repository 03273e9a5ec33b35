from appstore_analytics.contract.metrics import Metric


def test_no_two_metrics_share_a_name() -> None:
    assert [name for name, metric in Metric.__members__.items() if metric.name != name] == []
    assert len({metric.lower() for metric in Metric}) == len(Metric.__members__) == 13


def test_names_are_legal_in_cloudwatch() -> None:
    assert all(metric.isalnum() for metric in Metric)
