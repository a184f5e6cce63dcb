"""Which SQL the console runs: one SELECT over the tables of the corpus, with functions that only compute.

The parsed statement is walked, and everything not known to be harmless is refused: reading a DuckLake
read-only is not enough, since functions exist that delete its files, read others, or tell settings.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any, TypeAlias

from catalogs.errors import QueryRefused, UsageError
from catalogs.lake import Lake, query

Node: TypeAlias = "Mapping[str, Any]"

_EXPRESSIONS = frozenset(
    {
        *("BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION"),
        *("LAMBDA", "LAMBDA_REF", "OPERATOR", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY", "TYPE", "WINDOW"),
    }
)
_SOURCES = frozenset(
    {"BASE_TABLE", "EMPTY", "EXPRESSION_LIST", "JOIN", "PIVOT", "SHOW_REF", "SUBQUERY", "TABLE_FUNCTION"}
)
_NODES = frozenset({"CTE_NODE", "RECURSIVE_CTE_NODE", "SELECT_NODE", "SET_OPERATION_NODE"})
_TABLE_FUNCTIONS = frozenset({"generate_series", "json_each", "json_tree", "range", "repeat", "unnest"})
# Random, or written by the parser; neither reads nor changes anything.
_ALSO_PURE = frozenset({"gen_random_uuid", "random", "unnest", "uuid"})
# Declared free of side effects, and yet about the session, other SQL or the server rather than the data.
_IMPURE = re.compile(
    r"(pg_|duckdb_|ducklake_|pragma_|has_.*_privilege$|inet_|read_|query|json_(de)?serialize|json_execute|icu_|"
    r"__internal|current_(setting|query|user|role|database|catalog|schema)|session_user$|user$|getenv$|getvariable$|"
    r"add_parquet_key$|copy_database$|parse_duckdb|(col|obj|shobj)_description$|in_search_path$|txid_current$|"
    r"can_cast|cast_to_type$|make_type$|constant_or_null$|create_sort_key$|vector_type$|variant_bytes|stats$|which_)"
)
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Permit:
    """What one corpus lets its readers ask; made from a session, before or after it is locked down."""

    lake: Lake

    @cached_property
    def tables(self) -> frozenset[str]:
        """Tables and views of the corpus."""
        return frozenset(row[0].lower() for row in self.lake.rows(query("tables")))

    @cached_property
    def functions(self) -> Mapping[str, bool]:
        """Functions built into DuckDB: whether they compute a value from their arguments and do nothing else."""
        found = {name: is_pure and not _IMPURE.match(name) for name, is_pure in self.lake.rows(query("functions"))}
        return found | dict.fromkeys(_ALSO_PURE, True)

    def check(self, sql: str) -> str:
        """Give the one statement in ``sql``, if it may be run.

        Raises:
            UsageError: if it does not parse, or is none or several.
            QueryRefused: if it could do anything but read this corpus; the message says what is not allowed.
        """
        found = self.lake.statements(sql)
        if any(kind == "CREATE" and not text for kind, text in found):
            raise UsageError("PIVOT must name its columns here: `PIVOT … ON voice IN ('a', 'b') USING …`")
        if len(found) != 1:
            raise UsageError(f"expected one SQL statement, found {len(found)}; run them one by one")
        kind, statement = found[0]
        if kind != "SELECT":
            raise QueryRefused(
                f"{kind} is refused: the console only reads, with SELECT, FROM, WITH, DESCRIBE, SUMMARIZE"
            )
        parsed = json.loads(self.lake.rows("SELECT json_serialize_sql($statement::VARCHAR)", statement=statement)[0][0])
        if parsed["error"]:
            raise QueryRefused(f"this SELECT is refused: {parsed['error_message']}")
        for node, visible in _walk(parsed["statements"], frozenset()):
            self._check_node(node, visible)
        return statement.strip()

    def _check_node(self, node: Node, visible: frozenset[str]) -> None:
        kind = node.get("type")
        if "class" in node:
            self._check_expression(node)
        elif "modifiers" in node and kind not in _NODES:
            raise QueryRefused(f"{kind} is refused: the console does not know it")
        elif "alias" in node and "sample" in node:
            self._check_source(node, visible)

    def _check_source(self, node: Node, visible: frozenset[str]) -> None:
        if node["type"] not in _SOURCES:
            raise QueryRefused(f"{node['type']} is refused: the console does not know it")
        if node["type"] == "TABLE_FUNCTION":
            self._check_name(node["function"], _TABLE_FUNCTIONS, "table function")
        elif "table_name" in node:
            self._check_table(node, visible)

    def _check_expression(self, node: Node) -> None:
        if node["class"] == "PARAMETER":
            raise UsageError("a parameter ($1 or ?) has no value here: write the value itself")
        if node["class"] not in _EXPRESSIONS:
            raise QueryRefused(f"{node['class']} is refused: the console does not know it")
        if "function_name" in node:
            pure = frozenset(name for name, is_pure in self.functions.items() if is_pure)
            self._check_name(node, pure, "function")

    def _check_name(self, node: Node, allowed: frozenset[str], what: str) -> None:
        name = node["function_name"].lower()
        if name in allowed and not node["catalog"]:
            return
        if name in self.functions:
            raise QueryRefused(f"the {what} {name} is refused: the console only computes with what the corpus holds")
        near = get_close_matches(name, sorted(allowed), n=1, cutoff=0.7)
        raise UsageError(f"there is no {what} {name}" + (f"; did you mean {near[0]}?" if near else ""))

    def _check_table(self, node: Node, visible: frozenset[str]) -> None:
        name = node["table_name"].lower()
        if node["type"] == "SHOW_REF":
            if name in ("", '"tables"'):
                return
            raise QueryRefused("this SHOW is refused: use SHOW TABLES or DESCRIBE")
        where = (node["catalog_name"].lower(), node["schema_name"].lower())
        if where == ("", "") and name in visible:
            return
        if name in self.tables and where in (("", ""), ("", "main"), ("", "corpus"), ("corpus", "main")):
            return
        if any(where) or not _IDENTIFIER.fullmatch(name):
            raise QueryRefused(f"{'.'.join([*filter(None, where), name])} is refused: it is no table of this corpus")
        near = get_close_matches(name, sorted(self.tables | visible), n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else "see `SHOW TABLES`"
        raise UsageError(f"there is no table {name}; {hint}")


def _walk(node: Any, visible: frozenset[str]) -> Iterator[tuple[Node, frozenset[str]]]:
    """Every object of the parsed statement, with the names of the CTEs that it sees."""
    if isinstance(node, list):
        for item in node:
            yield from _walk(item, visible)
    elif isinstance(node, dict):
        if "cte_map" in node:
            visible |= set(_cte_names(node))
        if node.get("type") == "RECURSIVE_CTE_NODE":
            visible |= {node["cte_name"].lower()}
        yield node, visible
        if node.get("class") == "CONSTANT":
            return
        for key, value in node.items():
            # The call of a table function is judged with its table, its arguments as expressions.
            inner = value["children"] if node.get("type") == "TABLE_FUNCTION" and key == "function" else value
            yield from _walk(inner, visible)


def _cte_names(node: Node) -> Iterator[str]:
    for entry in node["cte_map"]["map"]:
        if not _IDENTIFIER.fullmatch(entry["key"]):
            raise QueryRefused(f"the name {entry['key']!r} is refused: name a CTE with letters, digits and underscores")
        yield entry["key"].lower()
