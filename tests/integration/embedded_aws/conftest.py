from collections.abc import Iterator
from datetime import timedelta

import pytest

from local.aws.server import EmbeddedAws
from tests.integration.embedded_aws.athena_tables import ROWS, TODAY, create_table, days, parquet, put


@pytest.fixture(scope="module")
def lake(aws: EmbeddedAws, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A lake with the table `engagement`, and objects beside its Dates that no query may see."""
    s3 = aws.client("s3")
    for bucket in ("lake", "results"):
        s3.create_bucket(Bucket=bucket)
    aws.client("athena").create_work_group(
        Name="analytics",
        Configuration={"ResultConfiguration": {"OutputLocation": "s3://results/athena"}},
    )
    aws.client("glue").create_database(DatabaseInput={"Name": "curated"})
    create_table(aws, "engagement")
    path = str(tmp_path_factory.mktemp("lake") / "data.parquet")
    for day in days():
        put(aws, f"curated/engagement/dt={day}/data.parquet", parquet(ROWS.format(day=day), path))
    put(aws, f"curated/engagement/dt={days()[0]}/_temporary.parquet", b"not parquet")
    for hidden in ("2019-12-31", str(TODAY + timedelta(days=3)), "someday"):
        put(aws, f"curated/engagement/dt={hidden}/data.parquet", parquet(ROWS.format(day="2026-01-01"), path))
    put(aws, "curated/engagement/data.parquet", parquet(ROWS.format(day="2026-01-01"), path))


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws() as server:
        yield server
