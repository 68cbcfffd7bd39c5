"""What ODBC asks about types and parameters before it sends a statement. Pure.

Source: Microsoft Learn, "sp_datatype_info" and "sp_describe_undeclared_parameters".
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from local.sqlserver.results import Column
from local.sqlserver.sqltypes import BIT, INT, SMALLINT, SYSNAME, TINYINT, nvarchar
from local.sqlserver.tsql.lexer import TokenKind, tokenize

Rows = tuple[list[Column], list[tuple[object, ...]]]

_TYPE_INFO = (
    ("TYPE_NAME", SYSNAME),
    ("DATA_TYPE", SMALLINT),
    ("PRECISION", INT),
    ("LITERAL_PREFIX", nvarchar(32)),
    ("LITERAL_SUFFIX", nvarchar(32)),
    ("CREATE_PARAMS", nvarchar(32)),
    ("NULLABLE", SMALLINT),
    ("CASE_SENSITIVE", SMALLINT),
    ("SEARCHABLE", SMALLINT),
    ("UNSIGNED_ATTRIBUTE", SMALLINT),
    ("MONEY", SMALLINT),
    ("AUTO_INCREMENT", SMALLINT),
    ("LOCAL_TYPE_NAME", SYSNAME),
    ("MINIMUM_SCALE", SMALLINT),
    ("MAXIMUM_SCALE", SMALLINT),
    ("SQL_DATA_TYPE", SMALLINT),
    ("SQL_DATETIME_SUB", SMALLINT),
    ("NUM_PREC_RADIX", INT),
    ("INTERVAL_PRECISION", SMALLINT),
    ("USERTYPE", SMALLINT),
)


class _OdbcType(NamedTuple):
    """A type as ODBC describes it; the columns that are left out are the same for all four."""

    name: str
    precision: int
    prefix: str
    suffix: str | None
    create_params: str
    searchable: int
    scales: tuple[int | None, int | None]
    sql_data_type: tuple[int, int | None]
    user_type: int


_ODBC_TYPES = {
    12: _OdbcType("varchar", 8000, "'", "'", "max length", 3, (None, None), (12, None), 2),
    -9: _OdbcType("nvarchar", 4000, "N'", "'", "max length", 3, (None, None), (-9, None), 0),
    -3: _OdbcType("varbinary", 8000, "0x", None, "max length", 2, (None, None), (-3, None), 4),
    93: _OdbcType("datetime2", 27, "'", "'", "scale", 3, (0, 7), (9, 3), 0),
}


def data_types(wanted: object) -> Rows:
    """Return sp_datatype_info_100 of one ODBC type; no row for one that is not known."""
    columns = [Column(name, sql_type) for name, sql_type in _TYPE_INFO]
    odbc = _ODBC_TYPES.get(wanted) if isinstance(wanted, int) else None
    if odbc is None:
        return columns, []
    literal = (odbc.prefix, odbc.suffix, odbc.create_params)
    traits = (1, 0, odbc.searchable, None, 0, None)
    tail = (*odbc.scales, *odbc.sql_data_type, None, None, odbc.user_type)
    return columns, [(odbc.name, wanted, odbc.precision, *literal, *traits, odbc.name, *tail)]


_UNDECLARED = (
    ("parameter_ordinal", INT),
    ("name", SYSNAME),
    ("suggested_system_type_id", INT),
    ("suggested_system_type_name", nvarchar(256)),
    ("suggested_max_length", SMALLINT),
    ("suggested_precision", TINYINT),
    ("suggested_scale", TINYINT),
    ("suggested_user_type_id", INT),
    ("suggested_user_type_database", SYSNAME),
    ("suggested_user_type_schema", SYSNAME),
    ("suggested_user_type_name", SYSNAME),
    ("suggested_assembly_qualified_type_name", nvarchar(4000)),
    ("suggested_xml_collection_id", INT),
    ("suggested_xml_collection_database", SYSNAME),
    ("suggested_xml_collection_schema", SYSNAME),
    ("suggested_xml_collection_name", SYSNAME),
    ("suggested_is_xml_document", BIT),
    ("suggested_is_case_sensitive", BIT),
    ("suggested_is_fixed_length_clr_type", BIT),
    ("suggested_is_input", BIT),
    ("suggested_is_output", BIT),
    ("formal_parameter_name", SYSNAME),
    ("suggested_tds_type_id", INT),
    ("suggested_tds_length", INT),
)


def undeclared_parameters(text: str, declared: Collection[str]) -> Rows:
    """Suggest nvarchar(4000) for every parameter; a NULL of it converts to any type.

    `declared` are names in lower case that are not asked about.
    """
    names = dict.fromkeys(
        token.text
        for token in tokenize(text)
        if token.kind is TokenKind.VARIABLE
        and not token.text.startswith("@@")
        and token.text.lower() not in declared
    )
    suggested = (231, "nvarchar(4000)", 8000, 0, 0)
    unknown = (None,) * 9
    traits = (0, 0, 0, 1, 0)
    rows: list[tuple[object, ...]] = [
        (ordinal, name, *suggested, *unknown, *traits, None, 231, 8000)
        for ordinal, name in enumerate(names, start=1)
    ]
    return [Column(name, sql_type) for name, sql_type in _UNDECLARED], rows
