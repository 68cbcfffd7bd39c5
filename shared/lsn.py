"""Log sequence numbers. Pure; everything that compares positions in a log uses this type."""

from __future__ import annotations

import re
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

_SLOT = 10**5
_VLF = 10**15
_LIMIT = 10**25
_COLONS = re.compile(r"([0-9a-fA-F]{1,8}):([0-9a-fA-F]{1,8}):([0-9a-fA-F]{1,4})")
_DECIMAL = re.compile(r"[0-9]{1,25}")


class Lsn(int):
    """A position in a transaction log: virtual log file, block, slot, as numeric(25,0).

    An int, so it orders and compares exactly at any size; 64 bits and floats are too small for
    it. JSON carries it as a decimal string. Source: Microsoft Learn, "Transaction Log Logical
    Architecture" and the LSN columns of "RESTORE HEADERONLY".
    """

    def __new__(cls, value: int) -> Lsn:
        """Make an LSN of its numeric(25,0) value; raises ValueError outside 0..10^25-1."""
        if not 0 <= value < _LIMIT:
            raise ValueError(f"an LSN has at most 25 digits and no sign, got {value}")
        return super().__new__(cls, value)

    @classmethod
    def of(cls, vlf: int, block: int, slot: int) -> Lsn:
        """Make an LSN of its three parts (u32, u32, u16)."""
        return cls(vlf * _VLF + block * _SLOT + slot)

    @classmethod
    def parse(cls, text: str) -> Lsn:
        """Read the decimal form or the hexadecimal `vlf:block:slot` form."""
        if match := _COLONS.fullmatch(text):
            return cls.of(*(int(part, 16) for part in match.groups()))
        if _DECIMAL.fullmatch(text):
            return cls(int(text))
        raise ValueError(f"not an LSN: {text[:40]!r} (expected up to 25 digits, or vlf:block:slot)")

    @property
    def parts(self) -> tuple[int, int, int]:
        """Virtual log file, block and slot."""
        vlf, rest = divmod(int(self), _VLF)
        block, slot = divmod(rest, _SLOT)
        return vlf, block, slot

    @property
    def padded(self) -> str:
        """25 digits with leading zeros: text order is log order."""
        return f"{int(self):025d}"

    def __str__(self) -> str:
        return str(int(self))

    def __repr__(self) -> str:
        return f"Lsn({int(self)})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Accept an Lsn, an int or text; serialise as text in JSON."""
        return core_schema.no_info_plain_validator_function(
            cls._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(
                str, when_used="json-unless-none"
            ),
        )

    @classmethod
    def _validate(cls, value: object) -> Lsn:
        if isinstance(value, Lsn):
            return value
        if isinstance(value, bool):
            raise ValueError("a truth value is not an LSN")  # noqa: TRY004 pydantic wants ValueError
        if isinstance(value, int):
            return cls(value)
        if isinstance(value, str):
            return cls.parse(value)
        raise ValueError(f"an LSN is text or a whole number, got {type(value).__name__}")
