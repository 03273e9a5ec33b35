from pathlib import Path

import pyarrow.parquet as pq

from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.lake.parquet import RowGroups, table_layout
from appstore_analytics.lake.schema import table_schema
from benchmarks import tune


def bytes_of_rows(path: Path) -> int:
    return path.stat().st_size - pq.read_metadata(path).serialized_size


def test_as_it_is_means_what_the_lake_writes(tmp_path: Path) -> None:
    rows = tune._published(2, 3_000, tmp_path)
    ours, variant = tmp_path / "ours.parquet", tmp_path / "variant.parquet"
    with RowGroups(ours, table_layout(table_schema(tables_by_name()[tune.TABLE]))) as file:
        file.append(rows)
        file.finish({})
    tune._written(tune.VARIANTS[0], rows, variant, 1)
    assert bytes_of_rows(variant) == bytes_of_rows(ours)
    footer, our_footer = pq.read_metadata(variant), pq.read_metadata(ours)
    assert footer.row_group(0).to_dict() == our_footer.row_group(0).to_dict()
    snappy = tune._written(tune.VARIANTS[-1], rows, variant, 1)
    assert snappy["bytes"] > ours.stat().st_size
