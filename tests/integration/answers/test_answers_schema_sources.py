"""schema-verify reads files that the converter refused, and files that use an alias of a header."""

import gzip
from datetime import date

import pytest

from appstore_analytics.answers.schema import EQUAL, UNKNOWN, _lines
from appstore_analytics.answers.schema_sources import Sample, samples
from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.model.instances import InstanceStatus, LedgerInstance, SegmentRecord
from appstore_analytics.model.vintage import Vintage
from tests.aws_in_process import aws_in_process, new_bucket
from tests.lake_samples import ENGAGEMENT, row, tsv

PREORDERS = tables_by_name()["preorders"]


def sampled(content: bytes) -> list[Sample]:
    vintage = Vintage(date(2026, 11, 21), AccessType.ONGOING, "i1")
    segments = (SegmentRecord("s1", "raw/one", 1, "0" * 32),)
    one = LedgerInstance("1", "engagement", Granularity.DAILY, vintage, InstanceStatus.QUARANTINED, segments)
    with aws_in_process():
        raw = new_bucket("raw")
        raw.write("raw/one", gzip.compress(content), content_type="application/gzip")
        return list(samples(raw, [one], 5))


@pytest.mark.parametrize("delimiter", ["\t", ","])
def test_a_file_whose_header_cannot_be_split_is_passed_over(delimiter: str) -> None:
    lines = tsv([row(ENGAGEMENT)] * 2, delimiter=delimiter)
    assert len(sampled(lines)) == 1
    assert sampled(lines.replace(b"\n", b"\r")) == []
    assert sampled(lines.replace(b"Counts", b"Cou\rnts")) == []


def test_a_row_that_cannot_be_split_is_passed_over() -> None:
    lines = tsv([row(ENGAGEMENT), row(ENGAGEMENT, event="a\rb"), row(ENGAGEMENT, event="c")] * 2, delimiter=",")
    (sample,) = sampled(lines)
    assert set(sample.values("Event")) == {"Harbor", "c"}


def test_a_line_ends_at_a_line_feed_and_nowhere_else() -> None:
    (sample,) = sampled(tsv([row(ENGAGEMENT, event="a\u2028b\x0cc\x85d")] * 3))
    assert set(sample.values("Event")) == {"a\u2028b\x0cc\x85d"}


def test_a_header_spelled_as_an_alias_is_no_drift() -> None:
    headers = tuple(column.header for column in PREORDERS.report.columns)
    spelled = tuple({"Pre-Orders Canceled": "Pre-Order Canceled"}.get(each, each) for each in headers)
    glue = {column.name: str(column.type) for column in PREORDERS.columns}
    for sample, unknown in ((Sample("k", spelled, ()), []), (Sample("k", (*headers, "販売"), ()), ["販売"])):
        lines = list(_lines(PREORDERS, [sample], glue, None))
        assert [line.header for line in lines if line.verdict == UNKNOWN] == unknown
        assert all(line.verdict == EQUAL for line in lines if line.column)
