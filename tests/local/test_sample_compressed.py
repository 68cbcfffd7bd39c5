"""Compressed samples: framed as real ones are, and what they hold is what they held before."""

from __future__ import annotations

import io
import struct
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from local.samples import SampleDatabase, appended
from local.samples.container import Container
from local.samples.payload import noise
from local.samples.writer import write_backup
from local.samples.xpress import LONGEST_INPUT, compress
from shared.backupfile import BytesSource, layout, read_backup
from shared.backupfile.xpress import expand
from tests.backupfile.real_backups import RealBackup, each
from tests.backupfile.walk import Part, slow_record_sum, walk
from tests.local.real_sets import as_samples
from tests.local.test_sample_real_bytes import masked

_HEAD = 28


def expanded(data: bytes) -> bytes:
    """Return the file of blocks that a compressed one of one set stands for."""
    out = bytearray()
    for part in walk(data):
        if part.tag == "DATA":
            assert payload_sum(data, part) == struct.unpack_from("<I", data, part.offset + 24)[0]
            out += expand(payload_of(data, part), length_of(data, part))
        elif part.tag == "SFMB":
            # The label and the filemark behind it stand where they would in any file.
            out = out.ljust(part.offset, b"\0") if b"SSET" not in out else out
            out += data[part.offset : part.offset + part.length]
    return bytes(out)


def payload_of(data: bytes, part: Part) -> bytes:
    return data[part.offset + _HEAD : part.offset + _HEAD + part.length]


def payload_sum(data: bytes, part: Part) -> int:
    return slow_record_sum(payload_of(data, part))


def length_of(data: bytes, part: Part) -> int:
    return data[part.offset + 1] * layout.RECORD_UNIT


def frame(data: bytes) -> list[tuple[str, int]]:
    """Return records and filemarks by kind, those of data with what they expand to.

    Those of pages and log, which have 64 KiB, count as one.
    """
    steps: list[tuple[str, int]] = []
    for part in walk(data):
        size = length_of(data, part) if part.tag == "DATA" else part.length
        step = (part.tag, 0 if part.tag in ("PADDING", "INDEX") else size)
        if step != ("DATA", LONGEST_INPUT) or steps[-1] != step:
            steps.append(step)
    return steps


def index_of(data: bytes) -> list[int]:
    """Return the addresses in the data index, and check the places."""
    (part,) = (part for part in walk(data) if part.tag == "INDEX")
    start = part.offset + layout.RECORD_BYTES
    count = struct.unpack_from("<I", data, start + 4)[0]
    entries = list(struct.iter_unpack("<QQ", data[start + 16 : start + 16 + 16 * count]))
    places = {record.offset for record in walk(data) if record.tag == "DATA"}
    assert {offset for _, offset in entries} <= places
    return [address for address, _ in entries]


@each(compressed=True)
def test_real_backup_compressed_anew_has_the_same_blocks_and_frame(backup: RealBackup) -> None:
    data = backup.path.read_bytes()
    blocks = expanded(data)
    content, samples = as_samples(backup, blocks)
    out = io.BytesIO()

    write_backup(out, content.label, samples, filemark_size=512 * blocks[64])

    again = out.getvalue()
    assert frame(again) == frame(data)
    assert index_of(again) == index_of(data)
    assert in_place(expanded(again)) == in_place(blocks)


def in_place(blocks: bytes) -> list[tuple[str, int, bytes]]:
    """Return the structures of a file, but for what tells of places in the compressed one."""
    return [step for step in masked(blocks) if step[0] not in ("SFMB", "ESET")]


@pytest.mark.parametrize("stripes", [1, 2])
@pytest.mark.parametrize("filemark_size", [512, 4096])
def test_compressed_size_is_that_of_all_records_but_the_last(
    stripes: int, filemark_size: int
) -> None:
    """About: in real files it is more by 3072, 4096 or 6144."""
    database = SampleDatabase("Sales", compressed=True, filemark_size=filemark_size)
    backup = database.full(stripes=stripes)
    total = 0
    for data in backup.to_bytes():
        parts = list(walk(data))
        first = next(number for number, part in enumerate(parts) if part.tag == "SFMB")
        last = next(number for number, part in enumerate(parts) if part.tag == "INDEX")
        total += sum(_HEAD + part.length for part in parts[first + 1 : last - 1]) + 3072

    assert backup.header.compressed_backup_size == pytest.approx(total, abs=1024 * stripes)
    assert total < backup.header.backup_size / 4


def test_compressed_backup_holds_the_blocks_of_the_plain_one() -> None:
    def blocks(*, compressed: bool) -> list[tuple[str, int]]:
        (data,) = SampleDatabase("Sales", version="2022", compressed=compressed).full().to_bytes()
        return [(part.tag, part.length) for part in walk(expanded(data) if compressed else data)]

    assert blocks(compressed=True) == blocks(compressed=False)


def test_sets_may_be_compressed_or_not() -> None:
    database = SampleDatabase("Sales", data_bytes=65536)
    plain = database.full()
    database.compressed = True
    packed = database.log()

    assert read_backup(BytesSource(plain.to_bytes()[0])) == plain.contents[0]
    assert read_backup(BytesSource(packed.to_bytes()[0])) == packed.contents[0]
    assert packed.header.compressed
    assert not plain.header.compressed


def test_compressed_sets_follow_each_other() -> None:
    database = SampleDatabase("Sales", data_bytes=65536, compressed=True)
    together = appended(database.full(), database.log(), database.differential())

    content = read_backup(BytesSource(together.to_bytes()[0]))

    assert content == together.contents[0]
    assert [header.position for header, _ in content.sets] == [1, 2, 3]


def test_what_does_not_compress_takes_two_records() -> None:
    """How a server stores it is not known; a payload has no room for more than 65535 bytes."""
    out = io.BytesIO()
    container = Container(out, 512)

    container.write_extent(noise(1))

    file = out.getvalue()
    head, tail = (part for part in walk(file) if part.tag == "DATA")
    assert length_of(file, head) == length_of(file, tail) == LONGEST_INPUT // 2
    expanded_parts = [expand(payload_of(file, part), LONGEST_INPUT // 2) for part in (head, tail)]
    assert b"".join(expanded_parts) == noise(1)


def test_label_without_room_is_refused() -> None:
    options: dict[str, Any] = {"media_description": "".join(map(chr, range(0x4E00, 0x4EFF)))}
    database = SampleDatabase("Sales", compressed=True, **options)

    with pytest.raises(ValueError, match="use shorter names, or a larger filemark"):
        database.full().to_bytes()


@settings(deadline=2000)
@given(
    st.binary(max_size=3000)
    | st.builds(
        lambda words, order: b"".join(words[number % len(words)] for number in order),
        st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=8),
        st.lists(st.integers(0, 7), max_size=400),
    )
)
@example(b"")
@example(bytes(LONGEST_INPUT))
@example(b"abc" + b"d" * 18 + b"e" * 19 + b"f" * 273 + b"g" * 274 + b"h" * 1000)
@example(bytes(range(256)) * 256)
@example(b"far" + bytes(65000) + b"faraway")
def test_what_is_compressed_expands_again(data: bytes) -> None:
    assert expand(compress(data), len(data)) == data


def test_repeated_text_is_found_again() -> None:
    text = b"The quick brown fox jumps over the lazy dog. " * 200

    assert len(compress(text)) < 256 + 60


def test_codes_never_grow_longer_than_the_table_can_say() -> None:
    """Fibonacci numbers are the counts that make the longest codes."""
    counts, more = [1, 1], 65536
    while more > 0:
        counts.append(min(more, counts[-1] + counts[-2]))
        more -= counts[-1]
    data = b"".join(bytes([number]) * count for number, count in enumerate(counts))[:LONGEST_INPUT]
    shuffled = bytes(data[(number * 40503) % len(data)] for number in range(len(data)))

    assert expand(compress(shuffled), len(shuffled)) == shuffled
