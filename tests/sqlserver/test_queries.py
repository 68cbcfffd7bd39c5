"""Batches without backups: what they answer. The table is data/queries.json.

Values are shown as text, binary in hex. `rows` are those of the last result set.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.sqlserver.errors import SqlError
from local.sqlserver.sqltypes import Variant
from local.sqlserver.tsql.ast import Literal, Restore
from local.sqlserver.tsql.parser import parse_batch
from shared.targets.tsql import identifier, literal
from tests.sqlserver.console import Console

_CASES = json.loads(Path(__file__).with_name("data").joinpath("queries.json").read_text())


@pytest.mark.parametrize("case", _CASES, ids=[case["query"][:60] for case in _CASES])
def test_batch(case: dict[str, Any], console: Console) -> None:
    answer = console.run(case["query"])
    assert answer.numbers == case.get("error", [])
    if "rows" in case:
        assert [[_shown(value) for value in row] for row in answer.table] == case["rows"]
    if "columns" in case:
        assert [column.name for column in answer.columns] == case["columns"]


def _shown(value: object) -> str | None:
    if isinstance(value, Variant):
        value = value.value
    if isinstance(value, bytes):
        return value.hex()
    return None if value is None else str(value)


def test_nothing_of_a_batch_with_an_error_in_its_text_is_run(console: Console) -> None:
    assert console.run("CREATE DATABASE x; NONSENSE").numbers == [50000]
    assert console.must("SELECT DB_ID('x')").table == [(None,)]


def test_a_batch_goes_on_behind_a_statement_that_failed(console: Console) -> None:
    answer = console.run("USE nope; DROP DATABASE nope; CREATE DATABASE x")
    assert answer.numbers == [911, 3701]
    assert console.must("SELECT DB_ID('x')").table == [(5,)]


def test_a_secret_is_nowhere_to_be_read(console: Console) -> None:
    console.must("CREATE CREDENTIAL c WITH IDENTITY = 'i', SECRET = 'hidden'")
    assert "hidden" not in str(console.must("SELECT * FROM sys.credentials").table)
    assert "hidden" not in repr(console.instance.credentials.all())
    assert "hidden" not in repr(
        parse_batch("CREATE CREDENTIAL c WITH IDENTITY='i',SECRET='hidden'")
    )


@given(st.text(max_size=200))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    with contextlib.suppress(SqlError):
        parse_batch(text)


_WORDS = (
    "SELECT RESTORE DATABASE LOG FROM WITH MOVE TO DISK URL = ( ) , . * 'x' [y] @p 1 NULL AND NOT "
    "IN CASE WHEN THEN END EXISTS JOIN ON name sys databases ORDER BY GROUP TOP CAST AS int"
)


@given(st.lists(st.sampled_from(_WORDS.split()), max_size=25).map(" ".join))
def test_any_words_are_parsed_or_refused(text: str) -> None:
    with contextlib.suppress(SqlError):
        parse_batch(text)


_NAMES = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=60).filter(
    lambda name: name == name.rstrip()
)


@given(_NAMES, _NAMES, _NAMES)
def test_what_the_product_quotes_is_read_as_it_was(name: str, device: str, path: str) -> None:
    (statement,) = parse_batch(
        f"RESTORE DATABASE {identifier(name)} FROM DISK = {literal(device, 'device', 259)} "
        f"WITH MOVE {literal(name, 'file', 128)} TO {literal(path, 'path', 260)}"
    )
    assert isinstance(statement, Restore)
    assert isinstance(statement.database, Literal)
    assert statement.database.value == name
    assert isinstance(statement.devices[0].name, Literal)
    assert statement.devices[0].name.value == device
    assert statement.moves == ((name, path),)
