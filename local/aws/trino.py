"""Athena's SQL, checked against the Glue types and written in DuckDB's dialect."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import OptimizeError, ParseError, TokenError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope

ColumnTypes = Mapping[str, str]
"""Column name to Glue type, partition keys included."""


class QueryError(ValueError):
    """The query fails as it would in Athena; the message is the StateChangeReason."""


@dataclass(frozen=True, slots=True)
class TableScan:
    """One reference to a table: `relation` is its name in the DuckDB text, `conditions` its filters."""

    database: str
    table: str
    relation: str
    conditions: str
    """The conjuncts of the WHERE clause that touch nothing but `partition_keys`, in DuckDB's dialect; may be empty."""


@dataclass(frozen=True, slots=True)
class Translation:
    """A query in DuckDB's dialect and the relations that must exist before it runs."""

    sql: str
    scans: tuple[TableScan, ...]


def with_views(sql: str, database: str, find_view: Callable[[str, str], tuple[str, str] | None]) -> str:
    """The statement with each view replaced by its query; `find_view` answers a view's text and its database.

    A statement without views stays as it was written.
    """
    tree, has_views = _parse(sql), False
    own_names = {cte.alias_or_name.lower() for cte in tree.find_all(exp.CTE)}
    for table in list(tree.find_all(exp.Table)):
        if not isinstance(table.this, exp.Identifier) or (not table.db and table.name.lower() in own_names):
            continue
        if not table.db:
            table.set("db", exp.to_identifier(database))
        if view := find_view(table.db.lower(), table.name.lower()):
            query, has_views = _parse(with_views(*view, find_view)), True
            table.replace(exp.Subquery(this=query, alias=exp.TableAlias(this=exp.to_identifier(table.alias_or_name))))
    return tree.sql("athena") if has_views else sql


def tables_of(sql: str, database: str) -> frozenset[tuple[str, str]]:
    """The (database, table) pairs which the statement reads; anything but a SELECT is refused."""
    tree = _parse(sql)
    names = {cte.alias_or_name.lower() for cte in tree.find_all(exp.CTE)}
    found = set()
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier) or (not table.db and table.name.lower() in names):
            continue
        found.add(((table.db or database).lower(), table.name.lower()))
    return frozenset(found)


def translate(
    sql: str,
    database: str,
    schema: Mapping[tuple[str, str], ColumnTypes],
    partition_keys: Callable[[str, str], frozenset[str]],
) -> Translation:
    """Resolve names and types like Athena, refuse what Athena refuses, and write the query for DuckDB.

    Raises QueryError for a syntax error, an unknown column and a comparison of types that do not match.
    """
    tree = _name_columns(_parse(sql))
    known = _sqlglot_schema(schema)
    try:
        tree = qualify(tree, dialect="athena", db=database, schema=known, expand_alias_refs=False)
    except OptimizeError as error:
        raise QueryError(f"COLUMN_NOT_FOUND: {error}") from None
    for select in tree.find_all(exp.Select):
        _push_into_subqueries(select)
    tree = annotate_types(tree, schema=known, dialect="athena")
    for comparison in tree.find_all(exp.Predicate, exp.In, exp.Between):
        _refuse_mismatch(comparison)
    for node in list(tree.find_all(exp.ArraySize, exp.Bracket)):
        _ask_map(node)
    for unnest in list(tree.find_all(exp.Unnest)):
        _unnest_map(unnest)
    tree = cast(exp.Query, tree.transform(_keep_types).transform(_keep_nulls))
    scans = tuple(_name_scans(tree, partition_keys))
    return Translation(tree.sql("duckdb"), scans)


def _push_into_subqueries(select: exp.Select) -> None:
    """Conditions in WHERE on a column, or on a key of GROUP BY, are pushed into the subquery, as in Trino."""
    where, optional = select.args.get("where"), _optional_sources(select)
    sources = [select.args.get("from_"), *(select.args.get("joins") or [])]
    queries = {each.this.alias: each.this.this for each in sources if each and isinstance(each.this, exp.Subquery)}
    for condition in [] if where is None else list(_conjuncts(where.this)):
        columns = list(condition.find_all(exp.Column))
        tables = {column.table for column in columns}
        query = queries.get(columns[0].table) if len(tables) == 1 else None
        if query is None or columns[0].table in optional or condition.find(exp.Query):
            continue
        sides = _sides(query)
        below = [_below(side, sides[0], columns) for side in sides]
        for side, asked in zip(sides, below, strict=True) if all(below) else ():
            side.where(condition.transform(_as_asked, asked), copy=False)


def _sides(query: exp.Expr) -> list[exp.Select]:
    """The queries that a union joins, or the query itself; nothing if a limit makes it less than all their rows."""
    if not isinstance(query, exp.Union) or query.args.get("limit") or query.args.get("offset"):
        return [query] if isinstance(query, exp.Select) else []
    left, right = _sides(query.left), _sides(query.right)
    return [*left, *right] if left and right else []


def _below(side: exp.Select, first: exp.Select, columns: list[exp.Column]) -> dict[str, exp.Expr]:
    """What the columns, which the first query names, are in this one; empty if a condition on them cannot go there."""
    if not _takes_conditions(side):
        return {}
    names = [each.alias_or_name for each in first.expressions]
    asked = {name: each.unalias() for name, each in zip(names, side.expressions, strict=True)}
    keys = side.args["group"].expressions if side.args.get("group") else list(asked.values())
    is_plain = all(isinstance(asked.get(each.name), exp.Column) and asked[each.name] in keys for each in columns)
    return asked if is_plain else {}


def _takes_conditions(query: exp.Expr) -> bool:
    """Whether a filter can be pushed below this: not below a window, a limit, a join, or a rollup."""
    if not isinstance(query, exp.Select) or query.find(exp.Window):
        return False
    group = query.args.get("group")
    kinds = ("rollup", "cube", "grouping_sets", "all")
    return not any(query.args.get(name) for name in ("limit", "offset", "joins", "laterals", "with_")) and not (
        group and any(group.args.get(kind) for kind in kinds)
    )


def _as_asked(node: exp.Expr, asked: Mapping[str, exp.Expr]) -> exp.Expr:
    return asked[node.name].copy() if isinstance(node, exp.Column) else node


def _conjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    condition = condition.unnest()
    if isinstance(condition, exp.And):
        yield from _conjuncts(condition.left)
        yield from _conjuncts(condition.right)
    else:
        yield condition


def _parse(sql: str) -> exp.Query:
    try:
        statements = [statement for statement in sqlglot.parse(sql, read="athena") if statement is not None]
    except ParseError as error:
        found = error.errors[0]
        raise QueryError(f"SYNTAX_ERROR: line {found['line']}:{found['col']}: {found['description']}") from None
    except TokenError as error:
        raise QueryError(f"SYNTAX_ERROR: {error}") from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        verb = (sql.split() or [""])[0].upper()
        raise QueryError(f"NOT_SUPPORTED: The embedded Athena answers one SELECT at a time, not {verb}.")
    for table in statements[0].find_all(exp.Table):
        if table.catalog.lower() == "awsdatacatalog":
            table.set("catalog", None)
    return statements[0]


def _name_columns(tree: exp.Query) -> exp.Query:
    """Name an expression without an alias `_col<position>`, as Athena does."""
    top: exp.Expr = tree
    while not isinstance(top, exp.Select) and isinstance(top.this, exp.Expr):
        top = top.this
    if isinstance(top, exp.Select):
        for position, column in enumerate(list(top.expressions)):
            if not isinstance(column, exp.Alias | exp.Column | exp.Star):
                column.replace(exp.alias_(column.copy(), f"_col{position}"))
    return tree


def _sqlglot_schema(schema: Mapping[tuple[str, str], ColumnTypes]) -> dict[str, object]:
    nested: dict[str, dict[str, dict[str, str]]] = {}
    for (database, table), columns in schema.items():
        types = {name: exp.DataType.build(kind, dialect="hive").sql("athena") for name, kind in columns.items()}
        nested.setdefault(database, {})[table] = types
    return dict(nested)


def _refuse_mismatch(comparison: exp.Expr) -> None:
    operands = [comparison.this, *(comparison.args.get(name) for name in ("expression", "low", "high"))]
    if isinstance(comparison, exp.In):
        operands = [comparison.this, *comparison.expressions]
    elif not isinstance(comparison, exp.Between | exp.EQ | exp.NEQ | exp.GT | exp.GTE | exp.LT | exp.LTE):
        return
    typed = [operand for operand in operands if operand is not None and _family(operand)]
    for operand in typed[1:]:
        if _family(operand) != _family(typed[0]):
            left, right = _trino_type(typed[0]), _trino_type(operand)
            raise QueryError(f"TYPE_MISMATCH: Cannot apply operator: {left} {_operator(comparison)} {right}")


def _family(operand: exp.Expr) -> str:
    """The kind of values that can be compared with this one; empty if the type is unknown."""
    if operand.is_type(*exp.DataType.NUMERIC_TYPES):
        return "number"
    if operand.is_type(*exp.DataType.TEMPORAL_TYPES):
        return "time"
    if operand.is_type(*exp.DataType.TEXT_TYPES):
        return "text"
    return "boolean" if operand.is_type("boolean") else ""


def _trino_type(operand: exp.Expr) -> str:
    if isinstance(operand, exp.Literal) and operand.is_string:
        return f"varchar({len(operand.this)})"
    return operand.type.sql("athena").lower() if operand.type else "unknown"


def _operator(comparison: exp.Expr) -> str:
    symbols: dict[type[exp.Expr], str] = {
        exp.EQ: "=", exp.NEQ: "<>", exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<=", exp.In: "IN"
    }  # fmt: skip
    return symbols.get(type(comparison), "BETWEEN")


def _ask_map(node: exp.Expr) -> None:
    """Functions of a map that differ in DuckDB: its cardinality, and access to a missing key, which fails in Trino."""
    if not node.this.is_type("map"):
        return
    if isinstance(node, exp.ArraySize):
        node.set("this", exp.MapKeys(this=node.this))
    elif not node.args.get("safe"):  # element_at is safe
        node.set("expressions", [exp.Anonymous(this="present_key", expressions=[node.this.copy(), *node.expressions])])


def _unnest_map(unnest: exp.Unnest) -> None:
    """A map becomes rows of key and value, which DuckDB unnests from lists only."""
    cells, alias = unnest.expressions[0], unnest.args.get("alias")
    if not cells.is_type("map") or not isinstance(alias, exp.TableAlias) or len(alias.columns) != 2:
        return
    lists = (exp.Anonymous(this=name, expressions=[cells.copy()]) for name in ("map_keys", "map_values"))
    columns = [exp.alias_(exp.Explode(this=each), name.copy()) for each, name in zip(lists, alias.columns, strict=True)]
    rows = exp.Subquery(this=exp.select(*columns))
    unnest.replace(exp.Lateral(this=rows, alias=exp.TableAlias(this=alias.this.copy())))


def _keep_types(node: exp.Expr) -> exp.Expr:
    """Results whose DuckDB type differs from Trino's: dates stay dates, whole numbers divide to whole numbers."""
    if isinstance(node, exp.Div) and node.left.is_type(*exp.DataType.INTEGER_TYPES):
        if node.right.is_type(*exp.DataType.INTEGER_TYPES):
            return exp.Paren(this=exp.IntDiv(this=node.left, expression=node.right))
        return node
    if isinstance(node, exp.Add | exp.Sub) and node.left.is_type("date") and isinstance(node.right, exp.Interval):
        return exp.cast(node, "date")
    if isinstance(node, exp.DateAdd | exp.DateTrunc | exp.TimestampTrunc) and node.this.is_type("date"):
        return exp.cast(node, "date")
    if isinstance(node, exp.GenerateSeries) and node.args["start"].is_type("date"):
        step = node.args.get("step") or exp.Interval(this=exp.Literal.string("1"), unit=exp.var("DAY"))
        series = exp.GenerateSeries(start=node.args["start"], end=node.args["end"], step=step)
        return exp.cast(series, "array<date>", dialect="duckdb") if not _is_cast(node) else series
    return node


def _keep_nulls(node: exp.Expr) -> exp.Expr:
    """max_by and min_by also return a null value."""
    names: dict[type[exp.Expr], str] = {exp.ArgMax: "arg_max_null", exp.ArgMin: "arg_min_null"}
    name = names.get(type(node))
    return exp.Anonymous(this=name, expressions=[node.this, node.expression]) if name else node


def _is_cast(node: exp.Expr) -> bool:
    return isinstance(node.parent, exp.Cast)


def _name_scans(tree: exp.Query, partition_keys: Callable[[str, str], frozenset[str]]) -> Iterator[TableScan]:
    """Give every table reference a separate relation, so that each reads only the partitions it asks for."""
    number = 0
    for scope in traverse_scope(tree):
        where = scope.expression.args.get("where")
        optional = _optional_sources(scope.expression)
        for alias, source in scope.sources.items():
            if not isinstance(source, exp.Table) or not source.db:
                continue
            keys = partition_keys(source.db, source.name)
            conditions = (
                _partition_conditions(where, alias, keys) if where is not None and alias not in optional else []
            )
            relation = f"scan_{number}"
            number += 1
            yield TableScan(source.db, source.name, relation, " AND ".join(conditions))
            source.set("db", None)
            source.set("this", exp.to_identifier(relation))


def _optional_sources(select: exp.Expr) -> set[str]:
    """The sources that an outer join may fill with nulls: WHERE sees the nulls, so its conditions cannot limit what is
    read."""
    names = [select.args["from_"].alias_or_name] if select.args.get("from_") else []
    optional: set[str] = set()
    for join in select.args.get("joins") or []:
        if join.side in ("RIGHT", "FULL"):
            optional.update(names)
        if join.side in ("LEFT", "FULL"):
            optional.add(join.alias_or_name)
        names.append(join.alias_or_name)
    return optional


def _partition_conditions(where: exp.Expr, alias: str, keys: frozenset[str]) -> list[str]:
    conditions = []
    for condition in _conjuncts(where.this):
        columns = list(condition.find_all(exp.Column))
        on_keys = all(column.table == alias and column.name in keys for column in columns)
        if columns and on_keys and condition.find(exp.Query) is None:
            bare = condition.transform(lambda node: exp.column(node.name) if isinstance(node, exp.Column) else node)
            conditions.append(f"({bare.sql('duckdb')})")
    return conditions
