"""A Glue table as Athena reads it: the objects that its projection covers, with the types that Glue declares."""

import base64
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlparse

import duckdb

from local.aws.ministack import module
from local.aws.trino import QueryError, TableScan

_TYPES = {"string": "VARCHAR", "varchar": "VARCHAR", "int": "INTEGER", "float": "FLOAT"}
_JSON_SERDE = "org.openx.data.jsonserde.JsonSerDe"
_PARQUET_SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
# Parquet types that Trino reads as a wider Glue type.
_WIDENED = {("INTEGER", "BIGINT"), ("FLOAT", "DOUBLE")}

_Object = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class GlueTable:
    """The parts of a table's Glue definition which a query depends on."""

    name: str
    bucket: str
    prefix: str
    serde: str
    columns: Mapping[str, str]
    partition_key: str | None
    parameters: Mapping[str, str]

    @property
    def types(self) -> dict[str, str]:
        """Every column's Glue type, the partition key last."""
        return {**self.columns, **({self.partition_key: "date"} if self.partition_key else {})}


def find_table(database: str, name: str) -> GlueTable:
    """The table; QueryError if Glue does not have it, or if it is of a kind that this project does not use."""
    definition = module("services.glue")._tables.get(f"{database}/{name}")
    if definition is None:
        raise QueryError(f"TABLE_NOT_FOUND: Table 'awsdatacatalog.{database}.{name}' does not exist")
    storage = definition["StorageDescriptor"]
    location = urlparse(storage.get("Location", ""))
    if location.scheme != "s3":
        raise QueryError(f"NOT_SUPPORTED: The embedded Athena reads objects of S3, but {name} has no Location there.")
    keys = {key["Name"].lower(): key["Type"].lower() for key in definition.get("PartitionKeys") or []}
    parameters = definition.get("Parameters") or {}
    if keys and (list(keys.values()) != ["date"] or parameters.get("projection.enabled") != "true"):
        raise QueryError(
            f"NOT_SUPPORTED: The embedded Athena reads {name} only by one projected partition of type date."
        )
    return GlueTable(
        name=name,
        bucket=location.netloc,
        prefix=location.path.strip("/") + "/",
        serde=storage.get("SerdeInfo", {}).get("SerializationLibrary", ""),
        columns={column["Name"].lower(): column["Type"].lower() for column in storage["Columns"]},
        partition_key=next(iter(keys), None),
        parameters=parameters,
    )


def find_view(database: str, name: str) -> tuple[str, str] | None:
    """A view's query, and the database to which its names belong; None if this is not a view, or does not exist."""
    table = module("services.glue")._tables.get(f"{database}/{name}") or {}
    text = re.fullmatch(r"/\* Presto View: (\S+) \*/", table.get("ViewOriginalText") or "")
    if table.get("TableType") != "VIRTUAL_VIEW" or text is None:
        return None
    definition = json.loads(base64.b64decode(text[1]))
    return definition["originalSql"], definition["schema"]


class ObjectFiles:
    """Copies of S3 objects for DuckDB to read, each version written once and kept for later queries."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="athena-"))

    def path(self, bucket: str, key: str, stored: Mapping[str, Any]) -> Path:
        """The file of this version; the key's folders stay in its path, because they name the partition."""
        etag = re.sub(r"\W", "", stored["etag"])
        path = self._folder / bucket / PurePosixPath(key).parent / etag / PurePosixPath(key).name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                file.write(stored["body"])
            Path(file.name).rename(path)
        return path


def create_relation(
    connection: duckdb.DuckDBPyConnection, scan: TableScan, table: GlueTable, files: ObjectFiles
) -> int:
    """Create the view `scan.relation` over the partitions that the scan's conditions allow. Returns its bytes."""
    objects = list(_objects(connection, scan, table))
    paths = [str(files.path(table.bucket, key, stored)) for key, stored in objects]
    body = _select(connection, table, paths) if paths else _no_rows(table)
    connection.execute(f'CREATE TEMP VIEW "{scan.relation}" AS {body}')
    return sum(int(stored["size"]) for _, stored in objects)


def _objects(connection: duckdb.DuckDBPyConnection, scan: TableScan, table: GlueTable) -> Iterator[_Object]:
    visible = [(key, stored) for key, stored in _stored(table) if not _hidden(key.removeprefix(table.prefix))]
    if table.partition_key is None:
        yield from visible
        return
    dated = [(_partition(table, key), key, stored) for key, stored in visible]
    allowed = _allowed(connection, scan, table, {day for day, _, _ in dated if day is not None})
    yield from ((key, stored) for day, key, stored in dated if day in allowed)


def _stored(table: GlueTable) -> list[_Object]:
    bucket = module("services.s3")._buckets.get(table.bucket)
    if bucket is None:
        raise QueryError(f"PERMISSION_DENIED: The bucket {table.bucket} of table {table.name} does not exist.")
    found = ((key, bucket["objects"].get(key)) for key in list(bucket["objects"]) if key.startswith(table.prefix))
    return sorted((key, stored) for key, stored in found if stored is not None and not key.endswith("/"))


def _hidden(relative_key: str) -> bool:
    """Athena skips files and folders whose name starts with a dot or an underscore."""
    return any(part.startswith((".", "_")) for part in relative_key.split("/"))


def _partition(table: GlueTable, key: str) -> date | None:
    """The partition of an object; None if no value of the projection leads to it."""
    folder = key.removeprefix(table.prefix).split("/", 1)[0]
    name, _, value = folder.partition("=")
    try:
        return date.fromisoformat(value) if name == table.partition_key else None
    except ValueError:
        return None


def _allowed(
    connection: duckdb.DuckDBPyConnection, scan: TableScan, table: GlueTable, days: set[date]
) -> frozenset[date]:
    """The days that the projection produces and that the query's own conditions allow."""
    projected = sorted(day for day in days if _projected(table, day))
    if not projected or not scan.conditions:
        return frozenset(projected)
    values = ", ".join(f"(DATE '{day}')" for day in projected)
    relation = f"(VALUES {values}) AS t({_name(str(table.partition_key))})"
    return frozenset(row[0] for row in connection.execute(f"FROM {relation} WHERE {scan.conditions}").fetchall())


def _projected(table: GlueTable, day: date) -> bool:
    prefix = f"projection.{table.partition_key}."
    first, last = (_bound(text) for text in table.parameters[prefix + "range"].split(","))
    step = int(table.parameters.get(prefix + "interval", "1"))
    unit = table.parameters.get(prefix + "interval.unit", "DAYS").upper()
    if unit == "MONTHS":
        distance, on_grid = (day.year - first.year) * 12 + day.month - first.month, day.day == first.day
    else:
        days_in_unit = {"DAYS": 1, "WEEKS": 7}[unit]
        distance, rest = divmod((day - first).days, days_in_unit)
        on_grid = rest == 0
    return first <= day <= last and on_grid and distance % step == 0


def _bound(text: str) -> date:
    """A bound of `projection.*.range`: a date, NOW, or NOW plus or minus days, weeks, months or years."""
    match = re.fullmatch(r"NOW(?:([+-]\d+)(DAY|WEEK|MONTH|YEAR)S?)?", text.strip().upper())
    if match is None:
        return date.fromisoformat(text.strip())
    today = datetime.now(UTC).date()
    count, unit = int(match[1] or 0), match[2] or "DAY"
    if unit in ("MONTH", "YEAR"):
        months = today.year * 12 + today.month - 1 + count * (12 if unit == "YEAR" else 1)
        return date(months // 12, months % 12 + 1, min(today.day, 28))
    return today + timedelta(days=count * (7 if unit == "WEEK" else 1))


def _select(connection: duckdb.DuckDBPyConnection, table: GlueTable, paths: list[str]) -> str:
    listed = "[" + ", ".join(_text(path) for path in paths) + "]"
    hive = f"hive_partitioning = true, hive_types = {{'{table.partition_key}': DATE}}"
    options = hive if table.partition_key else "hive_partitioning = false"
    if table.serde == _JSON_SERDE:
        columns = ", ".join(f"{_text(name)}: {_text(_duckdb_type(kind))}" for name, kind in table.columns.items())
        source = f"read_json({listed}, format = 'newline_delimited', columns = {{{columns}}}, {options})"
        return _projection(table, f"FROM {source}", table.columns)
    if table.serde != _PARQUET_SERDE:
        raise QueryError(f"NOT_SUPPORTED: The embedded Athena cannot read the SerDe {table.serde!r} of {table.name}.")
    source = f"FROM read_parquet({listed}, union_by_name = true, {options})"
    described = connection.execute(f"DESCRIBE SELECT * {source}").fetchall()
    stored = {str(row[0]).lower(): str(row[1]) for row in described}
    _refuse_other_types(table, stored)
    return _projection(table, source, stored)


def _projection(table: GlueTable, source: str, present: Mapping[str, str]) -> str:
    columns = [
        f"CAST({_name(name) if name in present else 'NULL'} AS {_duckdb_type(kind)}) AS {_name(name)}"
        for name, kind in table.columns.items()
    ]
    return f"SELECT {', '.join(columns + [_name(key) for key in table.types if key not in table.columns])} {source}"


def _refuse_other_types(table: GlueTable, stored: Mapping[str, str]) -> None:
    for name, kind in table.columns.items():
        declared, found = _duckdb_type(kind), stored.get(name)
        if found is not None and found != declared and (found, declared) not in _WIDENED:
            raise QueryError(
                f"HIVE_BAD_DATA: Field {name}'s type {found} in parquet file is incompatible with type {kind} "
                f"defined in table schema ({table.name})"
            )


def _no_rows(table: GlueTable) -> str:
    columns = [f"CAST(NULL AS {_duckdb_type(kind)}) AS {_name(name)}" for name, kind in table.types.items()]
    return f"SELECT {', '.join(columns)} WHERE false"


def _duckdb_type(kind: str) -> str:
    """`array<string>` is VARCHAR[], `bigint` is BIGINT, `decimal(18,6)` is DECIMAL(18,6); maps have simple keys."""
    if match := re.fullmatch(r"array<(.+)>", kind):
        return _duckdb_type(match[1]) + "[]"
    if match := re.fullmatch(r"map<(\w+),(.+)>", kind):
        return f"MAP({_duckdb_type(match[1])}, {_duckdb_type(match[2])})"
    return _TYPES.get(re.sub(r"(?<=varchar)\(.*", "", kind), kind.upper())


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
