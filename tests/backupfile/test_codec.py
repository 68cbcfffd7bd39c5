"""How values are spelled, both ways, against bytes from real files."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.backupfile import layout
from shared.backupfile.codec import (
    DATE,
    GUID,
    LSN,
    PAIR,
    SIZE,
    U8,
    Field,
    Kind,
    Layout,
    Pair,
    Region,
    checksum,
    text,
)
from shared.backupfile.collation import collation_name
from shared.errors import BackupFileError
from shared.lsn import Lsn
from tests.backupfile.walk import words_xor

_SPELLINGS: list[tuple[Kind, str, Any]] = [
    (DATE, "1F8582CECC", datetime(2017, 6, 1, 12, 59, 12)),  # noqa: DTZ001 the file says no zone
    (DATE, "0000000000", None),
    (LSN, "190000003E000000AA00", Lsn(25000000006200170)),
    (LSN, "FFFFFFFFFFFFFFFFFFFF", Lsn.of(0xFFFFFFFF, 0xFFFFFFFF, 0xFFFF)),
    (
        GUID,
        "0DE5F35AE0A49B4E8AEFFE52898C6359",
        UUID("5AF3E50D-A4E0-4E9B-8AEF-FE52898C6359"),
    ),
    (PAIR, "2C005E00", Pair(44, 94)),
]


@pytest.mark.parametrize(("kind", "spelled", "value"), _SPELLINGS)
def test_value_is_spelled_as_in_real_files(kind: Kind, spelled: str, value: object) -> None:
    table = Layout("sample", Field("before", 0, U8, ""), Field("value", 3, kind, ""))
    raw = bytes(3) + bytes.fromhex(spelled)

    assert table.unpack(Region(0, raw))["value"] == value
    assert table.pack({"value": value}) == raw


@given(st.datetimes(max_value=datetime(9999, 12, 31)))  # noqa: DTZ001 the file says no zone
def test_dates_survive_to_the_second(date: datetime) -> None:
    table = Layout("sample", Field("date", 0, DATE, ""))

    read = table.unpack(Region(0, bytes(table.pack({"date": date}))))["date"]

    assert read == date.replace(microsecond=0)


def test_size_beyond_63_bits_is_damage_at_its_offset() -> None:
    table = Layout("sample", Field("size", 8, SIZE, ""))

    with pytest.raises(BackupFileError, match="size of sample at offset 110") as refusal:
        table.unpack(Region(100, bytes(2) + b"\xff" * 20), 2)

    assert refusal.value.offset == 110


def test_structure_that_does_not_fit_is_damage() -> None:
    with pytest.raises(BackupFileError, match="SFGI is too short at offset 50: seen 10 bytes"):
        layout.SFGI.unpack(Region(40, bytes(20)), 10)


def test_unknown_field_is_not_packed() -> None:
    with pytest.raises(KeyError, match="SFGI has no field fiel_group_id"):
        layout.SFGI.pack({"fiel_group_id": 1})


@given(st.binary(max_size=32).map(lambda half: half + half[::-1]))
def test_checksum_is_the_xor_of_the_words(data: bytes) -> None:
    assert checksum(data) == (words_xor(data) if data else 0)


@pytest.mark.parametrize(
    "table", [value for value in vars(layout).values() if isinstance(value, Layout)]
)
def test_layouts_name_each_field_once_in_order_and_say_where_it_was_learnt(table: Layout) -> None:
    assert len({field.name for field in table.fields}) == len(table.fields)
    assert all(field.source for field in table.fields)
    offsets = [field.offset for field in table.fields]
    assert offsets == sorted(offsets)


@pytest.mark.parametrize(
    ("pair", "expected"),
    [(Pair(0, 999), None), (Pair(4, 2), "ab"), (Pair(6, 2), "ab"), (Pair(2, 6), None)],
)
def test_text_ends_before_its_zeros(pair: Pair, expected: str | None) -> None:
    region = Region(0, b"--a\0b\0\0\0")

    assert text(region, 0, pair, 10, "name") == expected


@pytest.mark.parametrize("pair", [Pair(3, 2), Pair(8, 2), Pair(22, 0), Pair(2, 0xFFFF)])
def test_text_outside_its_bounds_is_damage(pair: Pair) -> None:
    with pytest.raises(BackupFileError, match="the text name"):
        text(Region(0, bytes(8)), 0, pair, 10, "name")


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("0904D00034", "SQL_Latin1_General_CP1_CI_AS"),
        ("0904C00033", "SQL_Latin1_General_CP1_CS_AS"),
        ("0904F00036", "SQL_Latin1_General_CP1_CI_AI"),
        ("0904D00000", "Latin1_General_CI_AS"),
        ("1904D00000", "Cyrillic_General_CI_AS"),
        ("0A0CD00000", "Modern_Spanish_CI_AS"),
        ("1504D00000", "Polish_CI_AS"),
        ("0904000000", "Latin1_General_CS_AS_KS_WS"),
        ("0904500000", None),
        ("0904D02000", None),
        ("0904C00034", None),
        ("1904D00034", None),
        ("FFFFD00000", None),
        ("0000000000", None),
    ],
)
def test_collation_is_named_only_where_its_bytes_prove_it(raw: str, name: str | None) -> None:
    assert collation_name(bytes.fromhex(raw)) == name
