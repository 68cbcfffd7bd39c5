"""Positions in a log: reading, writing, order."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from shared.lsn import Lsn

LARGEST = 10**25 - 1
u32 = st.integers(0, 2**32 - 1)
lsns = st.builds(Lsn, st.integers(0, LARGEST))


class Holder(BaseModel):
    """A model with an LSN, as the headers have."""

    lsn: Lsn | None = None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("37000000100000036", 37_0000001000_00036),
        ("0000000000000000000000042", 42),
        ("4294967295429496729565535", 4294967295_4294967295_65535),
        ("9999999999999999999999999", LARGEST),
        ("00000025:00000168:0024", 37_0000000360_00036),
        ("25:168:24", 37_0000000360_00036),
        ("FFFFFFFF:ffffffff:FfFf", 4294967295_4294967295_65535),
    ],
)
def test_reads_decimal_and_hexadecimal(text: str, value: int) -> None:
    assert Lsn.parse(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "-1",
        "+1",
        "1_000",
        "1.0",
        "1e5",
        "0x25",
        "25:168",
        "25:168:24:1",
        "25:168:10000",
        "100000000:0:0",
        "g:0:0",
        "٣٧",
        "12345678901234567890123456",
        "9" * 10_000,
    ],
)
def test_refuses_what_is_no_lsn(text: str) -> None:
    with pytest.raises(ValueError, match="not an LSN") as caught:
        Lsn.parse(text)
    assert len(str(caught.value)) < 150


@pytest.mark.parametrize("value", [-1, LARGEST + 1])
def test_has_25_digits_at_most(value: int) -> None:
    with pytest.raises(ValueError, match="25 digits"):
        Lsn(value)


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        ("9999000099999900001", "10000000000000100001"),
        ("37000000100000036", "37000000100000037"),
        ("18446744073709551615", "18446744073709551616"),
        ("4294967295429496729500001", "4294967295429496729500002"),
        ("25:168:24", "25:168:25"),
        ("25:FFFFFFFF:FFFF", "26:0:0"),
    ],
)
def test_order_is_that_of_numbers(lower: str, higher: str) -> None:
    assert Lsn.parse(lower) < Lsn.parse(higher)


@given(u32, u32, st.integers(0, 2**16 - 1))
def test_parts_are_those_it_was_made_of(vlf: int, block: int, slot: int) -> None:
    lsn = Lsn.of(vlf, block, slot)
    assert lsn.parts == (vlf, block, slot)
    assert Lsn.parse(f"{vlf:x}:{block:x}:{slot:x}") == lsn


@given(lsns, lsns)
def test_text_and_padding_keep_value_and_order(one: Lsn, other: Lsn) -> None:
    assert Lsn.parse(str(one)) == Lsn.parse(one.padded) == one
    assert repr(one) == f"Lsn({one})"
    assert (one < other) == (one.padded < other.padded)


@given(lsns)
def test_json_carries_text(lsn: Lsn) -> None:
    holder = Holder(lsn=lsn)
    assert json.loads(holder.model_dump_json()) == {"lsn": str(lsn)}
    assert Holder.model_validate_json(holder.model_dump_json()) == holder
    assert holder.model_dump() == {"lsn": lsn}


@pytest.mark.parametrize("value", [37, "37", Lsn(37)])
def test_a_field_takes_numbers_and_text(value: Any) -> None:
    lsn = Holder(lsn=value).lsn
    assert lsn == 37
    assert isinstance(lsn, Lsn)


@pytest.mark.parametrize("value", [True, 37.0, -1, "x", [37], LARGEST + 1])
def test_a_field_refuses_the_rest(value: Any) -> None:
    with pytest.raises(ValidationError):
        Holder(lsn=value)
