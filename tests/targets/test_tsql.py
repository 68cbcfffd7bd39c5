from __future__ import annotations

import importlib
import os
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from inspect import signature
from pathlib import Path
from types import FrameType, FunctionType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import targets
from shared.backupset import BackupType
from shared.errors import TargetError
from shared.lsn import Lsn
from shared.stop_point import StopPoint
from shared.targets import jobs, tsql, upkeep
from shared.targets.transfer import Transfer
from shared.vocabulary import DatabaseCheck
from tests.targets.names import NASTY

GOLDEN = Path(__file__).parent / "golden"
CONTAINER = "https://account.blob.core.windows.net/landing"

# UPDATE_GOLDEN=1 writes the files anew; review them as a diff.
UPDATE = os.environ.get("UPDATE_GOLDEN") == "1"


def full(name: str) -> str:
    moves = [(name, f"/var/opt/mssql/data/{name}.mdf"), ("x_log", "L:\\log\\x_log.ldf")]
    urls = [f"{CONTAINER}/sales/{stripe}.bak" for stripe in (1, 2)]
    return tsql.restore(name, BackupType.DATABASE, urls, checksum=True, moves=moves)


def differential(name: str) -> str:
    return tsql.restore(
        name, BackupType.DIFFERENTIAL, [f"{CONTAINER}/it's [one].bak"], checksum=True
    )


def log(name: str) -> str:
    return tsql.restore(name, BackupType.LOG, [f"{CONTAINER}/a.trn"], checksum=False)


def stopped(name: str, stop: StopPoint) -> str:
    return tsql.restore(name, BackupType.LOG, [f"{CONTAINER}/a.trn"], checksum=True, stop=stop)


def stopped_at_a_time(name: str) -> str:
    return stopped(name, StopPoint(time=datetime.fromisoformat("2026-03-01T14:29:59.997")))


def stopped_at_an_lsn(name: str) -> str:
    return stopped(name, StopPoint(lsn=Lsn(45000000019800001), before=True))


def stopped_at_a_mark(name: str) -> str:
    since = datetime.fromisoformat("2026-03-01T12:00:00")
    return stopped(name, StopPoint(mark=name, after=since))


def tuned(name: str) -> str:
    transfer = Transfer(max_transfer_size=4194304, buffer_count=16, block_size=65536)
    return tsql.restore(
        name,
        BackupType.LOG,
        [f"{CONTAINER}/a.trn"],
        checksum=False,
        moves=[(name, f"D:\\{name[:100]}.ndf")],
        transfer=transfer,
        stats=False,
    )


def restore_with_standby(name: str) -> str:
    return tsql.restore_with_standby(name, f"L:\\Log\\{name}.undo")


def unless_restored(name: str) -> str:
    return tsql.unless_restored(name, full(name))


def headeronly(name: str) -> str:
    return tsql.restore_headeronly([f"{CONTAINER}/{name.replace('?', '%3F')}"])


def filelistonly(name: str) -> str:
    return tsql.restore_filelistonly([f"{CONTAINER}/{name.replace('?', '%3F')}", f"{CONTAINER}/b"])


def drop_scratch(name: str) -> str:
    return "\n\n".join(tsql.drop_scratch(name, 7))


def create_credential(name: str) -> str:
    return tsql.create_credential(CONTAINER + "/", f"?sv=2024&sig={name}")


def alter_credential(name: str) -> str:
    return tsql.alter_credential(name, "sv=2024&sig=a'b")


def credential_of_identity(name: str) -> str:
    return tsql.create_credential(name, None)


def check_database(name: str) -> str:
    return upkeep.check_database(name, DatabaseCheck.FULL, tells_end=False)


def check_pages(name: str) -> str:
    return upkeep.check_database(name, DatabaseCheck.PHYSICAL, tells_end=True)


def set_compatibility_level(name: str) -> str:
    return upkeep.set_compatibility_level(name, 160)


def set_owner(name: str) -> str:
    return upkeep.set_owner(name, name)


STATEMENTS: dict[str, Callable[[str], str]] = {
    function.__name__: function
    for function in (
        full,
        unless_restored,
        differential,
        log,
        stopped_at_a_time,
        stopped_at_an_lsn,
        stopped_at_a_mark,
        tuned,
        headeronly,
        filelistonly,
        create_credential,
        alter_credential,
        credential_of_identity,
        tsql.restore_with_recovery,
        restore_with_standby,
        tsql.restore_with_norecovery,
        tsql.drop_database,
        check_database,
        check_pages,
        set_compatibility_level,
        set_owner,
        upkeep.count_orphans,
        upkeep.list_orphans,
        drop_scratch,
    )
}
MODULES = {
    module.name: importlib.import_module(f"{targets.__name__}.{module.name}")
    for module in pkgutil.iter_modules(targets.__path__)
}
VERB = re.compile(r"\b(?:SELECT|EXEC|EXECUTE|RESTORE|ALTER|DROP|CREATE|DBCC)\b")
QUERIES = {
    f"{module}.{name}": value
    for module, content in MODULES.items()
    for name, value in vars(content).items()
    if name.isupper() and isinstance(value, str) and VERB.search(value)
}

# Puts what a builder has made into a step of a job; tests/targets/test_jobs.py has every name.
NOT_OF_A_NAME = {jobs.as_command}


def builders() -> set[FunctionType]:
    """Find the functions that write T-SQL, wherever they are: text with a verb in it."""
    return {
        found
        for module in MODULES.values()
        for found in vars(module).values()
        if isinstance(found, FunctionType)
        and found.__module__ == module.__name__
        and "str" in str(found.__annotations__.get("return"))
        and any(
            isinstance(text, str) and text != found.__doc__ and VERB.search(text)
            for text in found.__code__.co_consts
        )
    }


def test_every_builder_is_in_the_table_with_all_that_it_can_be_given() -> None:
    wanted = builders() - NOT_OF_A_NAME
    codes = {each.__code__: signature(each).parameters for each in wanted}
    missing = {(code, name) for code, parameters in codes.items() for name in parameters}

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and (parameters := codes.get(frame.f_code)):
            for name, parameter in parameters.items():
                if frame.f_locals[name] != parameter.default:
                    missing.discard((frame.f_code, name))

    sys.setprofile(note)
    try:
        for build in STATEMENTS.values():
            build("x")
    finally:
        sys.setprofile(None)
    assert tsql.restore in wanted
    assert [f"{code.co_name}({name})" for code, name in missing] == []


@pytest.mark.parametrize("statement", STATEMENTS)
def test_statement_is_the_golden_one_for_every_name(statement: str) -> None:
    build = STATEMENTS[statement]
    text = "\n\n".join(f"-- {case}\n{build(name)}" for case, name in NASTY.items())
    compare(GOLDEN / f"{statement}.sql", text + "\n")


def test_queries_are_the_golden_ones_and_take_their_values_as_parameters() -> None:
    text = "\n\n".join(f"-- {name}\n{query}" for name, query in QUERIES.items())
    compare(GOLDEN / "queries.sql", text + "\n")


def compare(golden: Path, text: str) -> None:
    if UPDATE:
        golden.write_text(text, encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", NASTY.values(), ids=NASTY)
@pytest.mark.parametrize("statement", STATEMENTS)
def test_statement_reads_back_as_it_was_meant(statement: str, name: str) -> None:
    text = tsql.check(STATEMENTS[statement](name))
    assert "REPLACE" not in {token.upper() for token in words(text)}
    quoted = [value for kind, value in tokens(text) if kind != "word"]
    assert any(name in value or name.replace("?", "%3F") in value for value in quoted)


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_queries_pass_the_check(query: str) -> None:
    assert tsql.check(query) == query


@given(st.text(max_size=140))
def test_any_name_is_refused_or_read_back_exactly(name: str) -> None:
    try:
        text = tsql.restore_with_recovery(name)
    except TargetError:
        return
    assert list(tokens(text)) == [
        *(("word", word) for word in ("RESTORE", "DATABASE")),
        ("name", name),
        *(("word", word) for word in ("WITH", "RECOVERY")),
    ]


@given(
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=60),
    st.lists(
        st.sampled_from(["REPLACE", " ", "'", "]", "[", ";", "--", "a", "/*", '"']),
        min_size=1,
        max_size=8,
    ),
)
def test_no_value_gets_out_of_its_quotes(text: str, pieces: list[str]) -> None:
    value = (text + "".join(pieces)).replace("?", "")
    statement = tsql.restore(
        "x" + value.strip()[:60] + "x",
        BackupType.DATABASE,
        [CONTAINER + "/" + value],
        checksum=True,
        moves=[(value[:60], value)],
    )
    assert tsql.check(statement) == statement
    assert " ".join(words(statement)) == (
        "RESTORE DATABASE FROM URL = WITH NORECOVERY , CHECKSUM , STATS = 5 , MOVE TO"
    )


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x" * 129,
        "\N{LINEAR B SYLLABLE B008 A}" * 65,
        "nul\0",
        "line\nend",
        "back\\\nslash",
        "\x7f",
        "\x85",
        "end ",
        "\ud800",
    ],
    ids=ascii,
)
def test_name_that_the_server_would_misread_is_refused(name: str) -> None:
    with pytest.raises(TargetError) as refusal:
        tsql.identifier(name)
    assert refusal.value.action


@pytest.mark.parametrize("value", ["", "x" * 261, "a\nb", "\udc00"], ids=ascii)
def test_literal_that_the_server_would_misread_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(TargetError) as refusal:
        tsql.literal(value, "the secret", 260)
    assert refusal.value.message.startswith("the secret ")
    assert len(value) < 3 or value not in refusal.value.message


def test_url_with_a_query_is_refused_without_showing_it() -> None:
    with pytest.raises(TargetError, match="query part") as refusal:
        tsql.restore_headeronly([f"{CONTAINER}/a.bak?sig=SECRET"])
    assert "SECRET" not in str(refusal.value)


@pytest.mark.parametrize("count", [0, 65])
def test_more_files_than_a_restore_takes_are_refused(count: int) -> None:
    with pytest.raises(TargetError, match=f"has {count} files"):
        tsql.restore_headeronly([f"{CONTAINER}/{number}" for number in range(count)])


def test_64_stripes_are_named_in_their_order() -> None:
    urls = [f"{CONTAINER}/{number}" for number in range(64)]
    text = tsql.restore("x", BackupType.DATABASE, urls, checksum=True)
    assert [value for kind, value in tokens(text) if kind == "text"] == urls


def test_a_name_longer_than_a_backup_device_can_be_is_refused() -> None:
    with pytest.raises(TargetError, match="has 260 UTF-16 code units"):
        tsql.restore_headeronly(["https://a/".ljust(260, "x")])


@pytest.mark.parametrize(
    "backup_type",
    [
        BackupType.FILE,
        BackupType.DIFFERENTIAL_FILE,
        BackupType.PARTIAL,
        BackupType.DIFFERENTIAL_PARTIAL,
    ],
)
def test_partial_backups_are_refused_by_name(backup_type: BackupType) -> None:
    with pytest.raises(TargetError, match=backup_type.label):
        tsql.restore("x", backup_type, [f"{CONTAINER}/a"], checksum=True)


@pytest.mark.parametrize(
    "text",
    [
        "RESTORE DATABASE [x] WITH REPLACE",
        "RESTORE DATABASE [x]\nWITH NORECOVERY,replace",
        "DROP DATABASE [x]; DROP DATABASE [y]",
        "DROP DATABASE [x] -- y",
        "DROP DATABASE [x] /* y",
        "DROP DATABASE [x]y]",
        "DROP DATABASE [x",
        "DROP DATABASE 'x",
        'DROP DATABASE "x"',
    ],
)
def test_check_stops_what_no_builder_may_write(text: str) -> None:
    with pytest.raises(RuntimeError, match="was not sent"):
        tsql.check(text)


def test_check_lets_the_word_pass_inside_quotes() -> None:
    text = "SELECT h.[replace], N'it''s WITH REPLACE; --' FROM x"
    assert tsql.check(text) == text


TOKEN = re.compile(
    r"\s+|\[(?P<name>(?:[^\]]|\]\])*)\]|N?'(?P<text>(?:[^']|'')*)'|(?P<word>[\w.@:]+|[=,()*?>])"
)


def tokens(statement: str) -> Iterator[tuple[str, str]]:
    """Read a statement as SQL Server's lexer does: quotes doubled inside quotes mean one."""
    at = 0
    while at < len(statement):
        match = TOKEN.match(statement, at)
        assert match, f"stray {statement[at : at + 20]!r}"
        at = match.end()
        if match["name"] is not None:
            yield "name", match["name"].replace("]]", "]")
        elif match["text"] is not None:
            yield "text", match["text"].replace("''", "'")
        elif match["word"] is not None:
            yield "word", match["word"]


def words(statement: str) -> list[str]:
    return [value for kind, value in tokens(statement) if kind == "word"]
