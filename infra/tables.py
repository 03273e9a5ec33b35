"""The Glue databases and tables, generated from the catalogue; Athena projects their partitions."""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from aws_cdk import Aws
from aws_cdk import aws_glue as glue
from aws_cdk import aws_s3 as s3
from constructs import Construct

from appstore_analytics.contract.catalogue.definition import Granularity, ReportDefinition
from appstore_analytics.contract.kpis.stored import KPI_COLUMNS, KPIS_TABLE, STATE_COLUMNS, STATES_TABLE
from appstore_analytics.contract.kpis.views import VIEWS, View
from appstore_analytics.contract.layout import KPIS_PREFIX, STATES_PREFIX, appstore_location, curated_location
from appstore_analytics.contract.names import Database
from appstore_analytics.contract.tables import (
    APPSTORE_TABLES,
    PARTITION_COLUMN,
    AppstoreTable,
    CuratedTable,
    Projection,
)
from infra.configuration import DeploymentConfiguration

_EVERY_DAY = Projection(date(2020, 1, 1), 1, "DAYS")
_EVERY_DATE = Projection(date(2019, 12, 30), 1, "DAYS")  # the Monday with which weekly tables begin
_PERIOD = {
    Granularity.DAILY: "The UTC day",
    Granularity.WEEKLY: "The Monday of the week",
    Granularity.MONTHLY: "The first day of the month",
}


@dataclass(frozen=True, slots=True)
class _Format:
    """The formats in which Athena reads the objects of a table, as Hive class names."""

    classification: str
    input: str
    output: str
    serde: str


@dataclass(frozen=True, slots=True)
class _GlueDatabase:
    """A database by its contents, and by its name or CloudFormation's reference to it."""

    role: Database
    name: str


_PARQUET = _Format(
    "parquet",
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
)
_JSON_LINES = _Format(
    "json",
    "org.apache.hadoop.mapred.TextInputFormat",
    "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    "org.openx.data.jsonserde.JsonSerDe",
)

Column = glue.CfnTable.ColumnProperty

_TRINO_TYPES = {"string": "varchar"}
"""Trino's name for a Hive type, if they differ."""


class Tables(Construct):
    """`curated` has Apple's rows, `marts` their KPIs, `appstore` the pipeline's records; all are in the lake bucket."""

    def __init__(self, scope: Construct, id_: str, configuration: DeploymentConfiguration, lake: s3.IBucket) -> None:
        super().__init__(scope, id_)
        self._lake = lake
        self._configuration = configuration
        curated = self._database(Database.CURATED, "Apple's Analytics Reports: one table per report and granularity")
        appstore = self._database(Database.APPSTORE, "The pipeline's own records of what each run did")
        for table in configuration.curated_tables:
            self._curated_table(curated, table)
        for records in APPSTORE_TABLES:
            self._appstore_table(appstore, records)
        marts = self._database(Database.MARTS, "KPIs, computed from the rows in curated")
        self._kpis_table(marts)
        self._states_table(marts)
        for view in VIEWS:
            self._view(marts, view)

    def _database(self, database: Database, description: str) -> _GlueDatabase:
        """A database of the stack, or an existing one that is kept when the stack is deleted."""
        name = self._configuration.names.databases[database]
        if database in self._configuration.existing_databases:
            return _GlueDatabase(database, name)
        made = glue.CfnDatabase(
            self,
            f"{database}-database",
            catalog_id=Aws.ACCOUNT_ID,
            database_input=glue.CfnDatabase.DatabaseInputProperty(name=name, description=description),
        )
        return _GlueDatabase(database, made.ref)

    def _curated_table(self, database: _GlueDatabase, table: CuratedTable) -> None:
        self._table(
            database,
            table.name,
            description=describe(table),
            location=curated_location(table.name),
            columns=[Column(name=each.name, type=each.type, comment=each.meaning or None) for each in table.columns],
            partition_comment=f"{_PERIOD[table.granularity]} that the rows are about (Apple's Date)",
            projection=table.projection,
            format_=_PARQUET,
        )

    def _appstore_table(self, database: _GlueDatabase, table: AppstoreTable) -> None:
        self._table(
            database,
            table.name,
            description=f"{table.meaning}.",
            location=appstore_location(table.name),
            columns=[Column(name=name, type=kind) for name, kind in table.columns],
            partition_comment="The UTC day of the run",
            projection=_EVERY_DAY,
            format_=_JSON_LINES,
        )

    def _kpis_table(self, database: _GlueDatabase) -> None:
        self._table(
            database,
            KPIS_TABLE,
            description="KPI amounts per app, Date and one dimension value at a time; docs/kpis.md has their formulas.",
            location=KPIS_PREFIX,
            columns=[Column(name=name, type=kind, comment=meaning) for name, kind, meaning in KPI_COLUMNS],
            partition_comment="The day, the Monday of the week or the first day of the month (Apple's Date)",
            projection=_EVERY_DATE,
            format_=_PARQUET,
        )

    def _states_table(self, database: _GlueDatabase) -> None:
        self._table(
            database,
            STATES_TABLE,
            description="What the KPIs of each app, due Date and source are worth, as ./manage.py gaps judges them.",
            location=STATES_PREFIX,
            columns=[Column(name=name, type=kind, comment=meaning) for name, kind, meaning in STATE_COLUMNS],
            partition_comment="The UTC day (Apple's Date)",
            projection=_EVERY_DATE,
            format_=_JSON_LINES,
        )

    def _view(self, database: _GlueDatabase, view: View) -> None:
        """A view in Trino's format, as Athena's CREATE VIEW stores it: Athena recognizes its views by type, flag and
        comment.

        Athena refuses a view without `SerdeInfo`, and a view whose query returns other types than it declares.
        """
        name = self._configuration.names.databases[database.role]
        definition = {
            "originalSql": view.query(name),
            "catalog": "awsdatacatalog",
            "schema": name,
            "columns": [{"name": each.name, "type": _TRINO_TYPES.get(each.type, each.type)} for each in view.columns],
        }
        encoded = base64.b64encode(json.dumps(definition).encode()).decode()
        glue.CfnTable(
            self,
            f"view-{view.name}",
            catalog_id=Aws.ACCOUNT_ID,
            database_name=database.name,
            table_input=glue.CfnTable.TableInputProperty(
                name=view.name,
                description=f"{view.meaning}.",
                table_type="VIRTUAL_VIEW",
                parameters={"presto_view": "true", "comment": "Presto View"},
                view_original_text=f"/* Presto View: {encoded} */",
                view_expanded_text="/* Presto View */",
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    location="",
                    columns=[
                        Column(name=each.name, type=each.type, comment=each.meaning or None) for each in view.columns
                    ],
                    serde_info=glue.CfnTable.SerdeInfoProperty(),
                ),
            ),
        )

    def _table(
        self,
        database: _GlueDatabase,
        name: str,
        *,
        description: str,
        location: str,
        columns: Iterable[Column],
        partition_comment: str,
        projection: Projection,
        format_: _Format,
    ) -> None:
        folder = f"s3://{self._lake.bucket_name}/{location}"
        glue.CfnTable(
            self,
            f"{database.role}-{name}",
            catalog_id=Aws.ACCOUNT_ID,
            database_name=database.name,
            table_input=glue.CfnTable.TableInputProperty(
                name=name,
                description=description,
                table_type="EXTERNAL_TABLE",
                parameters={
                    "classification": format_.classification,
                    "EXTERNAL": "TRUE",
                    **_projected(projection, folder),
                },
                partition_keys=[Column(name=PARTITION_COLUMN, type="date", comment=partition_comment)],
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    location=folder,
                    input_format=format_.input,
                    output_format=format_.output,
                    columns=list(columns),
                    serde_info=glue.CfnTable.SerdeInfoProperty(serialization_library=format_.serde),
                ),
            ),
        )


def _projected(projection: Projection, folder: str) -> dict[str, str]:
    column = f"projection.{PARTITION_COLUMN}"
    return {
        "projection.enabled": "true",
        f"{column}.type": "date",
        f"{column}.format": "yyyy-MM-dd",
        f"{column}.range": projection.range,
        f"{column}.interval": str(projection.interval),
        f"{column}.interval.unit": projection.unit,
        "storage.location.template": f"{folder}{PARTITION_COLUMN}=${{{PARTITION_COLUMN}}}/",
    }


def describe(table: CuratedTable) -> str:
    """The description of a curated table: its report, when a Date is complete, which vintages it holds."""
    report = table.report
    sentences = (
        f"Apple's report '{report.name}', {table.granularity.lower()}.",
        _completeness(report, table.granularity),
        _vintages(table),
        f"Documentation: {report.documentation_url}",
    )
    return " ".join(sentence for sentence in sentences if sentence)


def _completeness(report: ReportDefinition, granularity: Granularity) -> str:
    if granularity is not Granularity.DAILY:
        return "A Date is complete when Apple first publishes it."
    if report.completeness_days is not None:
        return f"A Date is complete {report.completeness_days} days after it."
    if report.late_arrival_days is not None:
        return f"Rows of a Date can arrive up to {report.late_arrival_days} days after it."
    return "Apple does not say when a Date is complete."


def _vintages(table: CuratedTable) -> str:
    if table.keeps_vintages:
        return (
            "Apple states no rule by which a newer instance replaces a Date, so every vintage of a Date is kept: "
            "choose by instance_id or is_newest_vintage before summing."
        )
    return "For each app and Date it has all rows of the newest processing date, and no others."
