"""Names of the collations that a header's five bytes identify beyond doubt.

The bytes are u32 (20 bits locale, 8 flags, 4 bits version) and u8 sort id, as in MS-TDS,
"Collation Rule Definition". Only version 0 is named: from version 1 (the _90 collations) on, the
bytes do not tell all that a name does.
"""

from __future__ import annotations

_SQL_COLLATIONS = {
    51: "SQL_Latin1_General_CP1_CS_AS",
    52: "SQL_Latin1_General_CP1_CI_AS",
    54: "SQL_Latin1_General_CP1_CI_AI",
}
"""By sort id, with the locale of US English. Source: sys.fn_helpcollations."""

_DESIGNATORS = {
    0x0401: "Arabic",
    0x0404: "Chinese_Taiwan_Stroke",
    0x0405: "Czech",
    0x0406: "Danish_Norwegian",
    0x0408: "Greek",
    0x0409: "Latin1_General",
    0x040A: "Traditional_Spanish",
    0x040B: "Finnish_Swedish",
    0x040C: "French",
    0x040D: "Hebrew",
    0x040E: "Hungarian",
    0x0411: "Japanese",
    0x0412: "Korean_Wansung",
    0x0415: "Polish",
    0x0419: "Cyrillic_General",
    0x041E: "Thai",
    0x041F: "Turkish",
    0x0804: "Chinese_PRC",
    0x0C0A: "Modern_Spanish",
}
"""By locale, version 0. Source: Microsoft Learn, "Windows Collation Name (Transact-SQL)"."""

_STYLES = {
    0x0C: "CS_AS",
    0x0D: "CI_AS",
    0x0E: "CS_AI",
    0x0F: "CI_AI",
    0x00: "CS_AS_KS_WS",
    0x01: "CI_AS_KS_WS",
}
"""By flags: 1 ignores case, 2 accents, 4 and 8 kana and width. Neither of the last two alone is
named, since sources disagree on which is which."""


def collation_name(raw: bytes) -> str | None:
    """Return the collation's name, or None when the bytes do not prove one."""
    word = int.from_bytes(raw[:4], "little")
    locale, style, version, sort_id = word & 0xFFFFF, word >> 20 & 0xFF, word >> 28, raw[4]
    if version:
        return None
    if sort_id:
        name = _SQL_COLLATIONS.get(sort_id) if locale == 0x0409 else None
        return name if name and name.endswith(_STYLES.get(style, "?")) else None
    if locale in _DESIGNATORS and style in _STYLES:
        return f"{_DESIGNATORS[locale]}_{_STYLES[style]}"
    return None
